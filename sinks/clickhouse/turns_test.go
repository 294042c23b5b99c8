package clickhouse

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"superindex/chain"
)

// taken are turns, and which streams each of them had.
type taken struct {
	*turns
	took [][]string
	all  sync.WaitGroup
}

// newTaken has turns that take so long, and whose entries end with err.
func newTaken(takes time.Duration, err error) *taken {
	t := &taken{}
	t.turns = newTurns(func(ctx context.Context, all []*entry) {
		var names []string
		for _, e := range all {
			names = append(names, e.of.Name)
		}
		slices.Sort(names)
		t.took = append(t.took, names)
		select {
		case <-time.After(takes):
			fail(all, err)
		case <-ctx.Done():
			fail(all, context.Cause(ctx))
		}
	}, func(context.Context, []*entry) {}, func([]*entry) {}, func() time.Duration { return 100 * time.Millisecond })
	return t
}

// writes is a stream that comes after so long, and waits until ctx ends.
func (c *taken) writes(ctx context.Context, t *testing.T, name string, after time.Duration, want error) {
	c.all.Go(func() {
		time.Sleep(after)
		if err := c.do(ctx, &entry{of: chain.Stream{Name: name}}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	})
}

func (c *taken) want(t *testing.T, want ...string) {
	t.Helper()
	c.all.Wait()
	var got []string
	for _, names := range c.took {
		got = append(got, strings.Join(names, " "))
	}
	if !slices.Equal(got, want) {
		t.Errorf("turns of %q, want %q", got, want)
	}
}

// One alone does not wait. Those that come while a turn is written, or soon after one
// began, share the next.
func TestStreamsShareTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		full, ctx := errors.New("full"), t.Context()
		c := newTaken(30*time.Millisecond, full)
		began := time.Now()
		c.writes(ctx, t, "alone", 0, full)
		c.all.Wait()
		if took := time.Since(began); took != 30*time.Millisecond {
			t.Errorf("one alone took %v", took)
		}
		time.Sleep(time.Second)
		c.writes(ctx, t, "a", 0, full)
		for i, name := range []string{"b", "c", "d"} {
			c.writes(ctx, t, name, time.Duration(20+30*i)*time.Millisecond, full)
		}
		c.writes(ctx, t, "late", 110*time.Millisecond, full) // while the others' turn is written
		c.want(t, "alone", "a", "b c d", "late")
	})
}

// One whose time is over does not cut the others off, not even the first, who writes for
// all; where all are, the turn is cut, and so is one that waits for another.
func TestATurnLastsWhileSomebodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newTaken(time.Hour, nil)
		first, cut := context.WithCancel(t.Context())
		second, leave := context.WithCancel(t.Context())
		c.writes(t.Context(), t, "before", 0, nil)
		synctest.Wait()
		c.writes(first, t, "first", 0, nil)
		c.writes(second, t, "second", time.Minute, nil)
		c.writes(t.Context(), t, "third", 2*time.Minute, nil)
		time.Sleep(90 * time.Minute)
		cut()
		leave()
		c.want(t, "before", "first second third")

		first, cut = context.WithCancel(t.Context())
		second, leave = context.WithCancel(t.Context())
		c.writes(t.Context(), t, "long", 0, nil)
		c.writes(first, t, "given up", time.Minute, context.Canceled)
		c.writes(second, t, "given up, too", time.Minute, context.Canceled)
		time.Sleep(2 * time.Minute)
		cut()
		leave()
		synctest.Wait()
		c.writes(first, t, "never", 0, context.Canceled)
		c.all.Wait()
		first, cut = context.WithCancel(t.Context())
		c.writes(first, t, "cut", 0, context.Canceled)
		time.Sleep(time.Minute)
		cut()
		c.all.Wait()
		c.took = nil
		c.writes(t.Context(), t, "next", 0, nil)
		c.want(t, "next")
	})
}

// Many networks write at once: each has its rows and its position, whoever wrote them.
func TestNetworksThatWriteTogether(t *testing.T) {
	w := newWarehouse(t)
	sink, all := w.sink(), make([]*history, 20)
	commit, turns := sink.turns.commit, 0
	sink.turns.commit = func(ctx context.Context, all []*entry) {
		turns++
		commit(ctx, all)
	}
	var g sync.WaitGroup
	for i := range all {
		h := newHistory("net" + string(rune('a'+i)))
		all[i] = h
		g.Go(func() {
			for n := uint64(1); n <= 5; n++ {
				if err := retry(t.Context(), sink, h.apply(n, n, 'a', 3)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	g.Wait()
	if turns > 80 {
		t.Errorf("100 blocks of 20 networks took %d turns", turns)
	}
	w.want("SELECT toString((count(), uniqExact(network), min(c), max(c))) FROM (SELECT network, count() AS c FROM events GROUP BY network)", "(20,20,15,15)")
	w.want("SELECT toString((count(), min(head_number), max(head_number))) FROM positions FINAL", "(20,5,5)")
}

// What the server refuses of one network stops that network alone, and so does another
// daemon on it.
func TestOneOfATurnFails(t *testing.T) {
	w := newWarehouse(t)
	sink := w.sink()
	entries := make([]*entry, 3)
	for i, name := range []string{"well", "refused", "taken"} {
		h := newHistory(name)
		w.write(sink, h.apply(1, 1, 'a', 2))
		st := sink.stream(h.stream)
		entries[i] = &entry{of: h.stream, st: st, held: st.held, steps: []chain.Step{h.apply(2, 2, 'a', 2)}}
	}
	entries[2].held.Seq--
	entries[2].st.doubt.Store(nil)
	w.exec("ALTER TABLE raw_events ADD CONSTRAINT one CHECK network != 'refused' OR block_number < 2")
	sink.writeTurn(t.Context(), entries)
	sink.commit(t.Context(), entries)
	if err := entries[0].err; err != nil {
		t.Error(err)
	}
	if err := entries[1].err; err == nil || !strings.Contains(err.Error(), "raw_events") {
		t.Errorf("refused: %v", err)
	}
	fatal(t, entries[2].err, "another daemon wrote", "journal adopt --network taken")
	w.want("SELECT toString((network, max(block_number))) FROM events GROUP BY network ORDER BY network", "('refused',1)", "('taken',1)", "('well',2)")
	w.want("SELECT toString((network, head_number)) FROM positions FINAL ORDER BY network", "('refused',1)", "('taken',1)", "('well',2)")
}

// A table that somebody altered stops the streams that write to it, not those that share
// a turn with them.
func TestAnAlteredTableStopsItsOwnStreams(t *testing.T) {
	w, h, feeds := newWarehouse(t), newHistory("op"), newHistory("feeds")
	sink := w.sink()
	observe := feeds.step()
	observe.Rows = &chain.Rows{Feed: "coverage", Rows: []chain.Row{{Kind: "logs", ID: "1", Body: []byte("{}")}}}
	entries := []*entry{
		{of: feeds.stream, st: sink.stream(feeds.stream), steps: []chain.Step{observe}},
		{of: h.stream, st: sink.stream(h.stream), steps: []chain.Step{h.apply(1, 1, 'a', 2)}},
	}
	w.exec("ALTER TABLE raw_rows MODIFY COLUMN ord String")
	sink.writeTurn(t.Context(), entries)
	sink.commit(t.Context(), entries)
	fatal(t, entries[0].err, "raw_rows", "ord")
	if err := entries[1].err; err != nil {
		t.Error(err)
	}
	w.want("SELECT toString((network, head_number)) FROM positions FINAL", "('op',1)")
}

// What removes rows, or has many, is written by itself.
func TestSmallWritesShare(t *testing.T) {
	h := newHistory("op")
	observe := h.step()
	observe.Rows = &chain.Rows{Feed: "coverage", Rows: []chain.Row{{Body: make([]byte, sharedBytes)}}}
	large := h.apply(1, 1, 'a', 1)
	large.Apply.Events[0].Data = make([]byte, sharedBytes+1)
	for _, c := range []struct {
		steps []chain.Step
		want  bool
	}{
		{[]chain.Step{h.apply(1, 20, 'a', 99)}, true},
		{[]chain.Step{h.apply(1, 10, 'a', 99), h.apply(11, 20, 'a', 100)}, false},
		{[]chain.Step{observe}, true},
		{[]chain.Step{observe, observe}, false},
		{[]chain.Step{large}, false},
		{[]chain.Step{h.apply(1, 1, 'a', 1), h.revert(0, 'a', chain.Reorg)}, false},
		{[]chain.Step{h.fill(1, 1, nil)}, false},
	} {
		if got := shares(c.steps); got != c.want {
			t.Errorf("%+v: %v", c.steps[0].Stream, got)
		}
	}
}
