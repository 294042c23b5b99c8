package gharchive

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"superindex/chain"
	"superindex/internal/sources"
	"superindex/poller"
	"superindex/registry"
)

// world is the source with files that a test may change, and what a poller made of
// them. A bubble's clock begins on 2000-01-01; the world begins in 2026.
type world struct {
	testing.TB
	wire    *sources.Wire
	absent  map[string]bool       // files that the source does not have
	events  []sources.Happening   // in the file of their hour
	noise   int                   // lines of other repositories in each file
	begins  time.Duration         // when the first of them is, in its hour
	during  time.Duration         // in which they are
	fault   map[string]faultyFile // answers instead of a file
	journal *sources.Paper
	opts    Options

	rows     map[string]chain.Row // by kind and id: the newest
	repeated int
}

type faultyFile func(w http.ResponseWriter, file []byte)

func newWorld(t *testing.T, start string) *world {
	at, err := time.Parse(time.DateTime, start)
	if err != nil {
		t.Fatal(err)
	}
	time.Sleep(time.Until(at))
	w := &world{TB: t, absent: map[string]bool{}, fault: map[string]faultyFile{}, noise: thin, during: time.Hour, journal: &sources.Paper{}, rows: map[string]chain.Row{}}
	w.wire = &sources.Wire{Handler: &sources.GHArchive{Lines: w.lines}, Fault: func(_ int, rw http.ResponseWriter, r *http.Request) bool {
		fault := w.fault[strings.TrimPrefix(r.URL.Path, "/")]
		if fault != nil {
			at, _ := time.Parse("/2006-01-02-15.json.gz", r.URL.Path)
			lines, _ := w.lines(at)
			fault(rw, sources.Pack(lines))
		}
		return fault != nil
	}}
	w.opts.Watch = watchOf(&registry.Snapshot{Projects: []registry.Project{{Name: "p", Links: []registry.Link{
		{Kind: "github", URL: "https://github.com/Acme"}, {Kind: "github", URL: "https://github.com/one/Repo"},
	}}}})
	return w
}

func (w *world) lines(at time.Time) (lines []string, ok bool) {
	if w.absent[fileName(at)] || at.Add(time.Hour).After(time.Now()) {
		return nil, false
	}
	for i := range w.noise {
		lines = append(lines, fmt.Sprintf(`{"id":"n%d","type":"WatchEvent","actor":{"id":1,"login":"x"},"repo":{"id":1,"name":"some/body"},"payload":{},"created_at":%q}`,
			i, at.Add(w.begins+w.during*time.Duration(i)/time.Duration(w.noise)).Format(time.RFC3339)))
	}
	for _, e := range w.events {
		if e.At.Truncate(time.Hour).Equal(at) {
			lines = append(lines, e.Line())
		}
	}
	return lines, true
}

func (w *world) poller() *poller.Poller {
	w.Helper()
	metrics := poller.NewMetrics(prometheus.NewRegistry())
	w.opts.URL = "http://archive.example"
	w.opts.Client = poller.NewGate(poller.GateOptions{Feed: Name, Next: w.wire, Metrics: metrics}).Client()
	feed, err := New(w.opts)
	if err != nil {
		w.Fatal(err)
	}
	p, err := poller.New(feed, w.journal, nil, poller.Options{Every: time.Hour, Log: slog.New(slog.DiscardHandler), Metrics: metrics})
	if err != nil {
		w.Fatal(err)
	}
	return p
}

// follow runs a fresh poller for so long, and takes its rows.
func (w *world) follow(d time.Duration) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), d)
	defer cancel()
	w.poller().Run(ctx)
	w.take()
}

// backfill asks for the hours of a range until nothing is due.
func (w *world) backfill(from, to time.Time) *poller.Poller {
	w.Helper()
	w.opts.From, w.opts.To = from, to
	p := w.poller()
	if ok, err := p.Rewind(w.Context()); !ok || err != nil {
		w.Fatal(ok, err)
	}
	if err := p.Round(w.Context()); err != nil {
		w.Fatal(err)
	}
	w.take()
	w.opts.From, w.opts.To = time.Time{}, time.Time{}
	return p
}

func (w *world) take() {
	for _, r := range w.journal.Take() {
		key := r.Kind + " " + r.ID
		if _, known := w.rows[key]; known && r.Kind == eventsKind {
			w.repeated++
		}
		w.rows[key] = r
	}
}

func (w *world) asked(want ...string) {
	w.Helper()
	got := w.wire.Asked()
	for i := range want {
		want[i] = "/" + want[i] + ".json.gz"
	}
	if !slices.Equal(got, want) {
		w.Errorf("asked %q, want %q", got, want)
	}
}

// ids are those of the events that were brought.
func (w *world) ids(want ...string) {
	w.Helper()
	var got []string
	for key, r := range w.rows {
		if strings.HasPrefix(key, eventsKind+" ") {
			got = append(got, r.ID)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		w.Errorf("events %q, want %q", got, want)
	}
}

// covered is what coverage says of an hour.
func (w *world) covered(hour, want string) {
	w.Helper()
	at, err := time.Parse(hourID, hour)
	if err != nil {
		w.Fatal(err)
	}
	var c poller.Coverage
	if r, ok := w.rows[fmt.Sprintf("coverage events//hour/%d", poller.HourOf(at))]; !ok {
		c.Status = "not asked"
	} else if err := json.Unmarshal(r.Body, &c); err != nil || r.Time != uint64(at.Unix()) {
		w.Fatalf("%+v: %v", r, err)
	}
	if got := strings.TrimSpace(c.Status + " " + c.Reason); got != want {
		w.Errorf("%s: %q, want %q", hour, got, want)
	}
}

func star(id, repo string, at time.Time) sources.Happening {
	return sources.Happening{ID: id, Type: "WatchEvent", Repo: repo, Actor: "alice", At: at, Payload: map[string]any{"action": "started"}}
}

func bubble(t *testing.T, start string, f func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { f(newWorld(t, start)) })
}

func TestAnHourIsAskedForOnceItHasEnded(t *testing.T) {
	bubble(t, "2026-11-20 06:10:00", func(w *world) {
		w.events = []sources.Happening{star("a", "acme/x", time.Date(2026, 11, 20, 5, 30, 0, 0, time.UTC)), star("b", "acme/x", time.Date(2026, 11, 20, 6, 30, 0, 0, time.UTC))}
		w.follow(10 * time.Minute)
		w.asked("2026-11-20-4", "2026-11-20-5") // when it began, 4 was the newest; no zero before the hour
		w.follow(30 * time.Minute)
		w.asked()
		w.follow(30 * time.Minute)
		w.asked("2026-11-20-6")
		w.ids("a", "b")
		w.covered("2026-11-20T05", "complete")
		w.covered("2026-11-20T06", "complete")
		if w.repeated > 0 {
			t.Errorf("%d events came again", w.repeated)
		}
	})
}

func TestWhoseEventsAreKept(t *testing.T) {
	bubble(t, "2026-11-20 06:20:00", func(w *world) {
		at := time.Date(2026, 11, 20, 5, 30, 0, 0, time.UTC)
		for i, repo := range []string{"acme/x", "ACME/Y", "One/repo", "one/other", "acmebis/x", "x/acme"} {
			w.events = append(w.events, star(fmt.Sprint("e", i), repo, at))
		}
		w.events = append(w.events, star("e0", "acme/x", at)) // the file has it twice
		w.follow(time.Minute)
		w.ids("e0", "e1", "e2")
		var hour hourRow
		if err := json.Unmarshal(w.rows["hours 2026-11-20T05"].Body, &hour); err != nil || hour.Lines != thin+7 || hour.Kept != 3 || hour.Unread != 0 ||
			hour.First != "2026-11-20T05:00:00Z" || hour.Last != "2026-11-20T05:59:56Z" || len(hour.SHA256) != 64 || hour.Bytes == 0 {
			t.Errorf("the hour is %+v, %v", hour, err)
		}
	})
}

func TestALateHourIsAskedForAgainAndIsNotZero(t *testing.T) {
	bubble(t, "2026-11-20 06:20:00", func(w *world) {
		w.events = []sources.Happening{star("a", "acme/x", time.Date(2026, 11, 20, 5, 30, 0, 0, time.UTC))}
		w.absent["2026-11-20-5.json.gz"] = true
		w.follow(time.Minute)
		w.covered("2026-11-20T05", "missing late: the source does not have the hour yet")
		w.ids()
		w.asked("2026-11-20-5")
		w.follow(8 * time.Minute)
		w.asked()
		w.follow(2 * time.Minute)
		w.asked("2026-11-20-5")
		w.follow(18 * time.Minute)
		w.asked()
		delete(w.absent, "2026-11-20-5.json.gz")
		w.follow(3 * time.Minute)
		w.asked("2026-11-20-5")
		w.covered("2026-11-20T05", "complete")
		w.ids("a")
	})
}

func TestAnHourThatNeverComesIsMissingForGood(t *testing.T) {
	bubble(t, "2026-11-20 06:20:00", func(w *world) {
		w.opts.To = time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC) // this hour alone
		w.opts.From = w.opts.To.Add(-time.Hour)
		w.absent["2026-11-20-5.json.gz"] = true
		w.follow(8 * 24 * time.Hour)
		if n := len(w.wire.Asked()); n < 28 || n > 40 {
			t.Errorf("asked %d times in a week", n)
		}
		w.covered("2026-11-20T05", "missing the source has no file of the hour")
		w.follow(30 * 24 * time.Hour)
		w.asked()
		if len(w.rows) != 1 {
			t.Errorf("rows of an hour that never came: %v", w.rows)
		}
	})
}

// TestAFileThatIsNotWholeIsNoRowAtAll: each fault of a file is a failure of its hour
// alone, which is missing, and comes whole once the source has it.
func TestAFileThatIsNotWholeIsNoRowAtAll(t *testing.T) {
	text := func(code int, body string) faultyFile {
		return func(w http.ResponseWriter, _ []byte) { w.WriteHeader(code); fmt.Fprint(w, body) }
	}
	for name, c := range map[string]struct {
		fault faultyFile
		why   string
	}{
		"cut":        {func(w http.ResponseWriter, file []byte) { w.Write(file[:len(file)/2]) }, "unexpected EOF"},
		"cut by one": {func(w http.ResponseWriter, file []byte) { w.Write(file[:len(file)-1]) }, "unexpected EOF"},
		"a bit": {func(w http.ResponseWriter, file []byte) {
			file[len(file)-6] ^= 1 // of the checksum
			w.Write(file)
		}, "gzip: invalid checksum"},
		"no gzip":       {text(200, `{"id":"a"}`), "gzip: invalid header"},
		"nothing":       {text(200, ""), "EOF"},
		"empty file":    {func(w http.ResponseWriter, _ []byte) { w.Write(sources.Pack([]string{""})) }, "the file has no line that is an event"},
		"other content": {func(w http.ResponseWriter, _ []byte) { w.Write(sources.Pack([]string{"[1]", "hello"})) }, "the file has no line that is an event"},
		"server error":  {text(500, "sorry"), "the source answers 500"},
		"forbidden":     {text(403, "no"), "the source answers 403"},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, "2026-11-20 06:20:00", func(w *world) {
				w.events = []sources.Happening{star("a", "acme/x", time.Date(2026, 11, 20, 5, 30, 0, 0, time.UTC)), star("b", "acme/x", time.Date(2026, 11, 20, 6, 30, 0, 0, time.UTC))}
				w.fault["2026-11-20-5.json.gz"], w.noise = c.fault, 10
				w.follow(time.Hour)
				w.ids("b") // the next hour is none the worse
				at, _ := time.Parse(hourID, "2026-11-20T05")
				got := string(w.rows[fmt.Sprintf("coverage events//hour/%d", poller.HourOf(at))].Body)
				if !strings.Contains(got, `"missing"`) || !strings.Contains(got, c.why) {
					t.Errorf("coverage says %s, want %q", got, c.why)
				}
				w.fault = nil
				w.follow(time.Hour)
				w.covered("2026-11-20T05", "unproven the file has only 11 lines")
				if _, ok := w.rows["events a"]; !ok || w.repeated > 0 {
					t.Errorf("brought %v, %d of it again", ok, w.repeated)
				}
			})
		})
	}
}

func TestALimitRestsTheFeed(t *testing.T) {
	bubble(t, "2026-11-20 06:20:00", func(w *world) {
		limited := func(w http.ResponseWriter, _ []byte) {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
		}
		w.fault["2026-11-20-5.json.gz"] = limited
		w.follow(9 * time.Minute)
		w.asked("2026-11-20-5")
		w.fault["2026-11-20-5.json.gz"] = func(w http.ResponseWriter, _ []byte) { fmt.Fprint(w, "<html>wait</html>") }
		w.follow(2 * time.Minute)
		w.asked("2026-11-20-5")
		w.covered("2026-11-20T05", "not asked")
		w.fault = nil
		w.follow(10 * time.Minute)
		w.covered("2026-11-20T05", "complete")
	})
}

func TestLinesThatCannotBeReadAreCounted(t *testing.T) {
	bubble(t, "2026-11-20 06:20:00", func(w *world) {
		w.events = []sources.Happening{star("a", "acme/x", time.Date(2026, 11, 20, 5, 30, 0, 0, time.UTC))}
		w.fault["2026-11-20-5.json.gz"] = func(rw http.ResponseWriter, _ []byte) {
			lines, _ := w.lines(time.Date(2026, 11, 20, 5, 0, 0, 0, time.UTC))
			long := w.events[0]
			long.ID, long.Payload = "long", map[string]any{"action": strings.Repeat("x", maxLine)}
			rw.Write(sources.Pack(append([]string{"{", long.Line(), `{"id":"c","type":"PushEvent","repo":{"id":1,"name":"acme/x"},"payload":7,"created_at":"2026-11-20T05:00:00Z"}`}, lines...)))
		}
		w.follow(time.Minute)
		w.ids("a")
		w.covered("2026-11-20T05", fmt.Sprintf("unproven 3 of %d lines cannot be read", thin+4))
		w.fault, w.noise = nil, 3
		w.follow(time.Hour)
		w.covered("2026-11-20T06", "unproven the file has only 3 lines")
	})
}

// An hour whose events do not reach from its beginning to its end is not complete, however
// many there are.
func TestAnHourThatEndsAtItsMiddle(t *testing.T) {
	for want, c := range map[string]struct{ begins, during time.Duration }{
		"complete":                              {5 * time.Minute, 50 * time.Minute},
		"unproven its events end at 05:29:58":   {0, 30 * time.Minute},
		"unproven its events begin at 05:30:00": {30 * time.Minute, 30 * time.Minute},
	} {
		bubble(t, "2026-11-20 06:20:00", func(w *world) {
			w.begins, w.during = c.begins, c.during
			w.events = []sources.Happening{star("a", "acme/x", time.Date(2026, 11, 20, 5, 15, 0, 0, time.UTC).Add(c.begins/2))}
			w.follow(time.Minute)
			w.ids("a")
			w.covered("2026-11-20T05", want)
		})
	}
}

// TestAnHourOfManySteps: an hour with more rows than a step holds comes in parts, each
// event once, through a stop after each part and another file in between.
func TestAnHourOfManySteps(t *testing.T) {
	bubble(t, "2026-11-20 06:20:00", func(w *world) {
		at := time.Date(2026, 11, 20, 5, 30, 0, 0, time.UTC)
		w.opts.Rows = 50
		for i := range 2*w.opts.Rows + 10 {
			w.events = append(w.events, star(fmt.Sprintf("e%05d", i), "acme/x", at))
		}
		w.opts.From, w.opts.To = at.Truncate(time.Hour), at.Add(30*time.Minute)
		for part := range 3 {
			if _, err := w.poller().Advance(w.Context()); err != nil { // as a process that is killed after each part
				t.Fatal(err)
			}
			w.take()
			if part < 2 {
				w.covered("2026-11-20T05", "not asked")
			}
		}
		w.covered("2026-11-20T05", "complete")
		if n := len(w.rows); n != 2*w.opts.Rows+10+2 || w.repeated > 0 {
			t.Errorf("%d rows, %d came again", n, w.repeated)
		}
		w.asked("2026-11-20-5", "2026-11-20-5", "2026-11-20-5")
	})
}

func TestAnotherFileInTheMiddleOfAnHour(t *testing.T) {
	bubble(t, "2026-11-20 06:20:00", func(w *world) {
		at := time.Date(2026, 11, 20, 5, 30, 0, 0, time.UTC)
		w.opts.Rows = 50
		for i := range w.opts.Rows + 1 {
			w.events = append(w.events, star(fmt.Sprintf("e%05d", i), "acme/x", at))
		}
		w.opts.From, w.opts.To = at.Truncate(time.Hour), at.Add(30*time.Minute)
		if _, err := w.poller().Advance(w.Context()); err != nil {
			t.Fatal(err)
		}
		w.events = append([]sources.Happening{star("first", "acme/x", at)}, w.events...)
		if err := w.poller().Round(w.Context()); err != nil {
			t.Fatal(err)
		}
		w.take()
		w.covered("2026-11-20T05", "complete")
		if _, ok := w.rows["events first"]; !ok || len(w.rows) != w.opts.Rows+2+2 {
			t.Errorf("%d rows, the new one is there: %v", len(w.rows), ok)
		}
	})
}

func TestABackfillGoesOnWhereItWasCut(t *testing.T) {
	bubble(t, "2026-11-20 06:20:00", func(w *world) {
		from, to := time.Date(2024, 1, 15, 4, 0, 0, 0, time.UTC), time.Date(2024, 1, 15, 7, 0, 0, 0, time.UTC)
		w.absent["2024-01-15-5.json.gz"] = true
		w.events = []sources.Happening{star("a", "acme/x", from), star("c", "ones/own", from)}
		w.backfill(from, to)
		w.asked("2024-01-15-4", "2024-01-15-5", "2024-01-15-6")
		w.covered("2024-01-15T04", "complete")
		w.covered("2024-01-15T05", "missing the source has no file of the hour")
		w.ids("a")
		w.backfill(from, to) // what is here is not asked for again, what is missing is
		w.asked("2024-01-15-5")
		w.opts.Watch.id, w.opts.Watch.repos = "another", map[string]bool{"ones/own": true}
		delete(w.absent, "2024-01-15-5.json.gz")
		w.backfill(from, to)
		w.asked("2024-01-15-4", "2024-01-15-5", "2024-01-15-6")
		w.covered("2024-01-15T05", "complete")
		if _, ok := w.rows["events c"]; !ok {
			t.Error("the event of a repository that was added did not come")
		}
	})
}

func TestADryRunSaysHoursAndBytes(t *testing.T) {
	feed, err := New(Options{From: time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC), To: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	const hours = 731 * 24
	e := poller.Plan(feed, nil, time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), time.Hour)
	if len(e.First) != 1 || e.First[0].Asks != hours || e.First[0].Bytes < hours*100<<20 || e.First[0].Bytes > hours*120<<20 || len(e.Steady) != 0 {
		t.Errorf("a backfill of two years: %+v", e)
	}
	if feed, err = New(Options{From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Client: http.DefaultClient}); err != nil {
		t.Fatal(err)
	}
	e = poller.Plan(feed, nil, time.Date(2026, 11, 20, 0, 20, 0, 0, time.UTC), time.Hour)
	if len(e.First) != 1 || e.First[0].Asks != 19*24 || len(e.Steady) != 1 || e.Steady[0].Asks != 1 {
		t.Errorf("following since the 1st: %+v", e)
	}
}

func TestOptionsThatCannotBe(t *testing.T) {
	day := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for want, o := range map[string]Options{
		"poller.gharchive.url: ":                          {URL: "archive", Client: http.DefaultClient},
		"poller.gharchive.client: ":                       {},
		"poller.gharchive.from: there is no hour between": {From: day, To: day, Client: http.DefaultClient},
	} {
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}
