package poller

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"superindex/chain"
	"superindex/internal/sources"
)

// ids are those of the rows since the last call, in order.
func ids(p *sources.Paper) (ids []string) {
	for _, r := range p.Take() {
		ids = append(ids, r.ID)
	}
	return ids
}

// counter is a feed that counts: its cursor is a number, each answer the next one.
type counter struct {
	names  []string
	answer func(id string, n int) (Result, error) // nil: one row
	asked  []string
	mu     sync.Mutex
}

type cursor struct{ N int }

func (c *counter) Name() string        { return "counter" }
func (c *counter) Resources() []string { return c.names }

func (c *counter) Plan(_ time.Time, due []Resource) (asks []Ask) {
	for _, r := range due {
		var s cursor
		if r.Into(&s) != nil {
			return nil
		}
		asks = append(asks, Ask{Kind: "count", Of: []Resource{r}, Cost: 2, Expect: []Resource{r.With(cursor{s.N + 1}, time.Time{})}})
	}
	return asks
}

func (c *counter) Fetch(_ context.Context, ask Ask) (Result, error) {
	r := ask.Of[0]
	var s cursor
	if err := r.Into(&s); err != nil {
		return Result{}, err
	}
	s.N++
	c.mu.Lock()
	c.asked = append(c.asked, fmt.Sprint(r.ID, s.N))
	c.mu.Unlock()
	result := Result{Rows: []chain.Row{{Kind: "counts", ID: fmt.Sprint(r.ID, s.N), Body: []byte("{}")}}}
	if c.answer != nil {
		var err error
		if result, err = c.answer(r.ID, s.N); err != nil {
			return result, err
		}
	}
	result.After = append(result.After, r.With(s, time.Time{}))
	return result, nil
}

// open makes a poller as a start of the process does.
func open(t *testing.T, feed Feed, journal Journal) *Poller {
	t.Helper()
	p, err := New(feed, journal, nil, Options{Every: time.Hour, Log: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry())})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// follow runs a poller for so long, in the bubble's time.
func follow(t *testing.T, p *Poller, d time.Duration) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	p.Run(ctx)
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

func TestWhatIsDueIsAskedAndGoesOnAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"a", "b"}}, &sources.Paper{}
		follow(t, open(t, feed, journal), 90*time.Minute)
		same(t, "rows", ids(journal), "a1", "b1", "a2", "b2")
		follow(t, open(t, feed, journal), time.Minute)
		same(t, "rows right after a restart", ids(journal))
		follow(t, open(t, feed, journal), time.Hour)
		same(t, "rows when they are due again", ids(journal), "a3", "b3")
	})
}

func TestACursorMovesOnlyWithItsStep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"a"}}, &sources.Paper{}
		journal.Full = errors.New("the disk is full")
		p := open(t, feed, journal)
		follow(t, p, 90*time.Second)
		if st := p.State(); st.Fault == "" {
			t.Errorf("a journal that takes nothing is not shown: %+v", st)
		}
		if notes, err := journal.Notes(t.Context(), ""); len(notes) != 0 || err != nil {
			t.Errorf("notes without a step: %q, %v", notes, err)
		}
		journal.Full = nil
		follow(t, p, time.Minute)
		same(t, "asked", feed.asked, "a1", "a1", "a1")
		same(t, "rows", ids(journal), "a1")
	})
}

func TestALimitRestsTheFeedAsLongAsTheSourceSays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limits := 1
		feed, journal := &counter{names: []string{"a", "b"}}, &sources.Paper{}
		feed.answer = func(string, int) (Result, error) {
			if limits--; limits >= 0 {
				return Result{}, fmt.Errorf("count: %w", &LimitedError{10 * time.Minute, "429"})
			}
			return Result{}, nil
		}
		p := open(t, feed, journal)
		follow(t, p, 9*time.Minute)
		same(t, "asked before the source allows it", feed.asked, "a1")
		if st := p.State(); !st.RestsUntil.Equal(time.Now().Add(time.Minute)) || !strings.Contains(st.Fault, "429") {
			t.Errorf("the rest is not shown: %+v", st)
		}
		p = open(t, feed, journal) // a restart asks no earlier
		follow(t, p, 30*time.Second)
		same(t, "asked after a restart", feed.asked, "a1")
		follow(t, p, time.Minute)
		same(t, "asked after the rest", feed.asked, "a1", "a1", "b1")
		if st := p.State(); !st.RestsUntil.IsZero() || st.Fault != "" {
			t.Errorf("it still rests: %+v", st)
		}
	})
}

func TestALimitWithoutATimeRestsLongerEachTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Time
		feed := &counter{names: []string{"a"}}
		feed.answer = func(string, int) (Result, error) {
			at = append(at, time.Now())
			return Result{}, &LimitedError{Reason: "an HTML page"}
		}
		follow(t, open(t, feed, &sources.Paper{}), 8*time.Hour)
		for i := 1; i < len(at); i++ {
			wait, full := at[i].Sub(at[i-1]), min(time.Minute<<(i-1), time.Hour)
			if wait < full/2 || wait > full+time.Second {
				t.Errorf("the %d. rest takes %v, not %v to %v", i, wait, full/2, full)
			}
		}
		if len(at) < 10 {
			t.Errorf("asked %d times in 8 hours", len(at))
		}
	})
}

func TestAFailureIsItsResourcesOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"a", "bad"}}, &sources.Paper{}
		var at []time.Time
		feed.answer = func(id string, n int) (Result, error) {
			if id == "bad" && len(at) < 3 {
				at = append(at, time.Now())
				return Result{}, &StatusError{500, "count"}
			}
			return Result{Rows: []chain.Row{{Kind: "counts", ID: fmt.Sprint(id, n), Body: []byte("{}")}}}, nil
		}
		p := open(t, feed, journal)
		follow(t, p, 30*time.Second)
		same(t, "rows", ids(journal), "a1")
		if st := p.State(); st.Failing != 1 || !strings.Contains(st.Example, "bad: count: the source answers 500") {
			t.Errorf("the failure is not shown: %+v", st)
		}
		p = open(t, feed, journal) // how often it failed is kept
		follow(t, p, 20*time.Minute)
		same(t, "rows after the backoff", ids(journal), "bad1")
		for i := 1; i < len(at); i++ {
			if wait, full := at[i].Sub(at[i-1]), time.Minute<<(i-1); wait < full/2 || wait > full+time.Second {
				t.Errorf("the %d. wait is %v, not %v to %v", i, wait, full/2, full)
			}
		}
	})
}

func TestAFatalFaultIsTriedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed := &counter{names: []string{"a", "b"}}
		feed.answer = func(string, int) (Result, error) {
			return Result{}, chain.Fatal(errors.New("no token"), "set poller.counter.token")
		}
		p := open(t, feed, &sources.Paper{})
		follow(t, p, 150*time.Minute)
		same(t, "asked", feed.asked, "a1", "a1", "a1")
		if st := p.State(); !strings.Contains(st.Fault, "set poller.counter.token") {
			t.Errorf("the remedy is not shown: %+v", st)
		}
	})
}

func TestWhatIsFoundIsFollowedWhileItsParentIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"org"}}, &sources.Paper{}
		feed.answer = func(id string, n int) (r Result, err error) {
			if id == "org" {
				r.After = []Resource{{ID: "repo", Parent: "org"}}
			}
			return r, nil
		}
		follow(t, open(t, feed, journal), time.Minute)
		same(t, "asked", feed.asked, "org1", "repo1")
		follow(t, open(t, feed, journal), time.Hour)
		same(t, "asked", feed.asked[2:], "org2", "repo2")
		feed.names = []string{"other"}
		follow(t, open(t, feed, journal), time.Minute)
		same(t, "asked without the parent", feed.asked[4:], "other1")
		feed.names = []string{"org"}
		follow(t, open(t, feed, journal), 2*time.Hour)
		same(t, "asked when it is back", feed.asked[5:7], "org3", "repo3")
	})
}

func TestARoundEndsWhenNothingIsDue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"a", "b"}}, &sources.Paper{}
		if err := open(t, feed, journal).Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		same(t, "rows", ids(journal), "a1", "b1")
		feed.answer = func(string, int) (Result, error) { return Result{}, &LimitedError{time.Hour, "429"} }
		time.Sleep(time.Hour)
		if err := open(t, feed, journal).Round(t.Context()); err == nil || !strings.Contains(err.Error(), "counter rests until 2000-01-01T02:00:00Z") {
			t.Errorf("a round that has to rest says %v", err)
		}
	})
}

// cut is a journal that takes so many steps, and no more.
type cut struct {
	*sources.Paper
	left int
}

func (c *cut) Append(ctx context.Context, rows *chain.Rows, notes map[string][]byte) error {
	if c.left--; c.left < 0 {
		return errors.New("the power is cut")
	}
	return c.Paper.Append(ctx, rows, notes)
}

// TestAnAnswerOfManyStepsComesOnce: an answer that is more than a step holds is cut
// into steps, and each row comes once, wherever the process ends in between.
func TestAnAnswerOfManyStepsComesOnce(t *testing.T) {
	const rows, steps = 3, 4 // of 3 MiB, for each of two resources: two and one in a step
	large := bytes.Repeat([]byte("x"), 3<<20)
	for end := range steps {
		synctest.Test(t, func(t *testing.T) {
			feed, paper := &counter{names: []string{"a", "b"}}, &sources.Paper{}
			feed.answer = func(id string, _ int) (r Result, err error) {
				for i := range rows {
					r.Rows = append(r.Rows, chain.Row{Kind: "counts", ID: fmt.Sprint(id, i), Body: large})
				}
				return r, nil
			}
			if err := open(t, feed, &cut{paper, end}).Round(t.Context()); err == nil {
				t.Fatal("the journal took all")
			}
			if err := open(t, feed, paper).Round(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := ids(paper)
			slices.Sort(got)
			if n := len(slices.Compact(slices.Clone(got))); len(got) != 2*rows || n != 2*rows {
				t.Errorf("cut after %d steps: %d rows, %d of them different, want %d", end, len(got), n, 2*rows)
			}
		})
	}
}

func TestAnotherAnswerAfterAPartComesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, paper := &counter{names: []string{"a"}}, &sources.Paper{}
		name := "old"
		feed.answer = func(string, int) (r Result, err error) {
			for i := range maxStepRows + 1 {
				r.Rows = append(r.Rows, chain.Row{Kind: "counts", ID: fmt.Sprint(name, i), Body: []byte("{}")})
			}
			return r, nil
		}
		if err := open(t, feed, &cut{paper, 1}).Round(t.Context()); err == nil || len(paper.Take()) != maxStepRows {
			t.Fatalf("the first part: %v", err)
		}
		name = "new"
		if err := open(t, feed, paper).Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := ids(paper); len(got) != maxStepRows+1 || got[0] != "new0" {
			t.Errorf("%d rows from %s on", len(got), got[0])
		}
	})
}

func TestARowThatNoStepHoldsFailsItsResourceAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"a", "b"}}, &sources.Paper{}
		feed.answer = func(id string, _ int) (Result, error) {
			body := []byte("{}")
			if id == "a" {
				body = make([]byte, maxStepBytes)
			}
			return Result{Rows: []chain.Row{{Kind: "counts", ID: id, Body: body}}}, nil
		}
		p := open(t, feed, journal)
		if err := p.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		same(t, "rows", ids(journal), "b")
		if st := p.State(); st.Failing != 1 || !strings.Contains(st.Example, "a: the row counts a has 8388") {
			t.Errorf("the failure is not shown: %+v", st)
		}
	})
}

// TestAFailureMaySayWhatIsMissing: coverage that comes with an error is committed, and
// moves no cursor.
func TestAFailureMaySayWhatIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"a"}}, &sources.Paper{}
		feed.answer = func(string, int) (Result, error) {
			return Result{Coverage: []Coverage{{Dataset: "counts", Resource: "a", From: 2, To: 3, Unit: Day, Status: Missing, Reason: "cut"}}}, errors.New("cut")
		}
		follow(t, open(t, feed, journal), 20*time.Second)
		same(t, "rows", ids(journal), "counts/a/day/2")
		same(t, "asked", feed.asked, "a1")
		feed.answer = nil
		follow(t, open(t, feed, journal), 2*time.Minute)
		same(t, "asked", feed.asked, "a1", "a1")
	})
}

// TestWhatIsDoneIsAskedNoMore: nor when it is found again.
func TestWhatIsDoneIsAskedNoMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"list"}}, &sources.Paper{}
		feed.answer = func(id string, n int) (r Result, err error) {
			r.After = []Resource{{ID: "file", Parent: "list", Done: id == "file"}}
			return r, nil
		}
		follow(t, open(t, feed, journal), 90*time.Minute)
		p := open(t, feed, journal)
		follow(t, p, time.Hour)
		same(t, "asked", feed.asked, "list1", "file1", "list2", "list3")
		if st := p.State(); st.Resources != 1 {
			t.Errorf("what is done is followed: %+v", st)
		}
	})
}

func TestCoverageGoesWithTheRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"a"}}, &sources.Paper{}
		feed.answer = func(string, int) (Result, error) {
			return Result{Coverage: []Coverage{{Dataset: "counts", Resource: "a", From: 2, To: 3, Unit: Day, Status: Missing, Reason: "late"}}}, nil
		}
		if err := open(t, feed, journal).Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		row := journal.Take()[0]
		const want = `{"dataset":"counts","resource":"a","range_from":2,"range_to":3,"unit":"day","status":"missing","reason":"late"}`
		if row.Kind != "coverage" || row.ID != "counts/a/day/2" || row.Time != 2*86400 || string(row.Body) != want {
			t.Errorf("got %+v %s", row, row.Body)
		}
		feed.answer = func(string, int) (Result, error) {
			return Result{Coverage: []Coverage{{From: 3, To: 2, Unit: Day}}}, nil
		}
		time.Sleep(time.Hour)
		p := open(t, feed, journal)
		if err := p.Round(t.Context()); err != nil || len(journal.Take()) > 0 || p.State().Failing != 1 {
			t.Errorf("a range that ends before it begins: %v, %+v", err, p.State())
		}
	})
}

func TestPlanPlaysTheRoundsWithoutAsking(t *testing.T) {
	feed := &counter{names: []string{"a", "b", "c"}}
	e := Plan(feed, []Resource{{ID: "gone"}}, time.Now(), time.Hour)
	if e.Resources != 3 || len(e.First) != 1 || e.First[0] != (Count{Kind: "count", Asks: 3, Cost: 6}) || Cost(e.Steady) != 6 || len(feed.asked) > 0 {
		t.Errorf("got %+v, asked %q", e, feed.asked)
	}
}

func TestBadOptionsAreNamed(t *testing.T) {
	for want, o := range map[string]Options{
		"poller.counter: every": {}, "parallel": {Every: time.Hour, Parallel: -1}, "log": {Every: time.Hour},
	} {
		if _, err := New(&counter{}, &sources.Paper{}, nil, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error about %s", err, want)
		}
	}
}

// What an estimate expects is read like what was committed, without its JSON.
func TestWhatIsExpectedIsRead(t *testing.T) {
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, v := range []any{cursor{3}, &cursor{3}} {
		for what, r := range map[string]Resource{"expected": Resource{ID: "a"}.Expecting(v, at), "committed": Resource{ID: "a"}.With(v, at)} {
			var s cursor
			if err := r.Into(&s); err != nil || s.N != 3 || r.ID != "a" || !r.Due.Equal(at) {
				t.Errorf("%s: %+v is read of %+v, %v", what, s, r, err)
			}
		}
	}
}
