package npm

import (
	"bytes"
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
)

// world is the service with figures that a test may change, and what a poller made
// of them. A bubble's clock begins on 2000-01-01; the world begins in 2026.
type world struct {
	testing.TB
	wire    *sources.Wire
	service *sources.NPM
	counts  map[string]uint64 // by "name day": what is not Default
	absent  map[string]bool   // days without a figure
	journal *sources.Paper
	opts    Options

	rows     map[string]chain.Row // by kind and id: the newest
	repeated int                  // rows that came again as they were
}

const usual = 100 // downloads of a package on a day

func newWorld(t *testing.T, names ...string) *world {
	time.Sleep(time.Until(time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)))
	w := &world{TB: t, counts: map[string]uint64{}, absent: map[string]bool{}, journal: &sources.Paper{}, rows: map[string]chain.Row{}}
	w.service = &sources.NPM{Now: time.Now, Documents: map[string]sources.Document{}, Count: func(name string, day time.Time) (uint64, bool) {
		text := day.Format(time.DateOnly)
		if n, ok := w.counts[name+" "+text]; ok {
			return n, true
		}
		return usual, !w.absent[text]
	}}
	w.wire = &sources.Wire{Handler: w.service}
	w.opts = Options{URL: "http://counts.example", Packages: names, From: time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC), Every: 6 * time.Hour}
	return w
}

func (w *world) poller() *poller.Poller {
	w.Helper()
	metrics := poller.NewMetrics(prometheus.NewRegistry())
	w.opts.Client = poller.NewGate(poller.GateOptions{Feed: Name, Next: w.wire, Metrics: metrics}).Client()
	feed, err := New(w.opts)
	if err != nil {
		w.Fatal(err)
	}
	p, err := poller.New(feed, w.journal, nil, poller.Options{Every: 6 * time.Hour, Log: slog.New(slog.DiscardHandler), Metrics: metrics})
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
	for _, r := range w.journal.Take() {
		key := r.Kind + " " + r.ID
		if bytes.Equal(w.rows[key].Body, r.Body) {
			w.repeated++
		}
		w.rows[key] = r
	}
}

// day is what the views would show of a package's day: its figure, or what its
// coverage says.
func (w *world) day(name, day string) string {
	if r, ok := w.rows["downloads "+name+"/"+day]; ok {
		var body struct {
			Package, Day string
			Downloads    uint64
		}
		if err := json.Unmarshal(r.Body, &body); err != nil || body.Package != name || body.Day != day {
			w.Errorf("row %s %s, %v", r.ID, r.Body, err)
		}
		return fmt.Sprint(body.Downloads)
	}
	return w.coverage(name, day)
}

func (w *world) coverage(name, day string) string {
	at, err := time.Parse(time.DateOnly, day)
	if err != nil {
		w.Fatal(err)
	}
	for _, r := range w.rows {
		var c poller.Coverage
		if r.Kind == "coverage" && json.Unmarshal(r.Body, &c) == nil && c.Resource == name && c.From <= poller.DayOf(at) && poller.DayOf(at) <= c.To {
			return strings.TrimSpace(c.Status + " " + c.Reason)
		}
	}
	return "not asked"
}

func (w *world) expect(name string, want map[string]string) {
	w.Helper()
	for day, want := range want {
		if got := w.day(name, day); got != want {
			w.Errorf("%s on %s: got %q, want %q", name, day, got, want)
		}
	}
}

func TestRecentDaysFirstThenHistoryBackwards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "@x/b")
		w.opts.From = time.Date(2023, 1, 1, 0, 0, 0, 0, time.UTC)
		w.follow(time.Hour)
		asked := w.wire.Asked()
		want := []string{
			"/downloads/range/2026-11-12:2026-11-19/@x/b", "/downloads/range/2026-11-12:2026-11-19/a",
			"/downloads/range/2025-05-12:2026-11-11/@x/b", "/downloads/range/2023-11-12:2025-05-11/@x/b",
		}
		for _, path := range want {
			if !slices.Contains(asked, path) {
				t.Errorf("not asked: %s\n%s", path, strings.Join(asked, "\n"))
			}
		}
		if strings.Contains(strings.Join(asked[:2], " "), "2025") {
			t.Errorf("history comes first: %q", asked[:2])
		}
		for _, name := range w.opts.Packages {
			n := 0
			for day := w.opts.From; day.Before(time.Now().Truncate(24 * time.Hour)); day = day.AddDate(0, 0, 1) {
				if text := day.Format(time.DateOnly); w.day(name, text) != "100" {
					t.Fatalf("%s on %s: %s", name, text, w.day(name, text))
				}
				n++
			}
			t.Logf("%s: %d days", name, n)
		}
		if w.repeated > 0 {
			t.Errorf("%d rows came twice", w.repeated)
		}
	})
}

func TestADayIsAskedForOnceItIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "@x/b")
		w.follow(time.Hour)
		w.wire.Asked()
		w.follow(24 * time.Hour)
		asked := w.wire.Asked()
		slices.Sort(asked)
		if want := []string{"/downloads/range/2026-11-13:2026-11-20/@x/b", "/downloads/range/2026-11-13:2026-11-20/a"}; !slices.Equal(asked, want) {
			t.Errorf("asked in a day %q, want %q", asked, want)
		}
		w.expect("a", map[string]string{"2026-11-20": "100", "2026-11-21": "not asked"})
		if w.repeated > 0 {
			t.Errorf("%d rows came twice", w.repeated)
		}
	})
}

func TestAZeroAfterDownloadsIsNotBelievedForSevenDays(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "late", "quiet", "@x/quiet", "fine")
		for _, name := range w.opts.Packages[:3] {
			w.counts[name+" 2026-11-18"], w.counts[name+" 2026-11-19"] = 0, 0
		}
		w.follow(time.Hour)
		const doubted = "missing 0 after downloads: not believed before 2026-11-2"
		for _, name := range w.opts.Packages[:3] {
			w.expect(name, map[string]string{"2026-11-17": "100", "2026-11-18": doubted + "6", "2026-11-19": doubted + "7"})
		}
		w.expect("fine", map[string]string{"2026-11-18": "100"})
		w.counts["late 2026-11-18"] = 77
		w.follow(6 * time.Hour)
		w.expect("late", map[string]string{"2026-11-18": "77", "2026-11-19": "missing 0 after downloads: not believed before 2026-11-27"})
		w.follow(5 * 24 * time.Hour) // to 2026-11-25T19:00
		w.expect("quiet", map[string]string{"2026-11-18": doubted + "6", "2026-11-20": "100"})
		w.follow(24 * time.Hour)
		for _, name := range w.opts.Packages[1:3] {
			w.expect(name, map[string]string{"2026-11-18": "0", "2026-11-19": "0"}) // no longer after downloads
		}
		if got := w.coverage("quiet", "2026-11-18"); got != "complete" {
			t.Errorf("a zero that was believed is %q", got)
		}
		w.follow(48 * time.Hour)
		w.wire.Asked()
		w.follow(24 * time.Hour)
		if n := len(w.wire.Asked()); n != 2 { // "@x/quiet", and the others in bulk
			t.Errorf("%d requests on a day when all is settled", n)
		}
		if w.repeated > 0 {
			t.Errorf("%d rows came twice", w.repeated)
		}
	})
}

func TestADayWithoutAFigureIsMissingAndNeverZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "@x/b")
		w.absent["2026-11-19"], w.absent["2026-11-03"] = true, true
		w.follow(time.Hour)
		for _, name := range w.opts.Packages {
			w.expect(name, map[string]string{
				"2026-11-02": "100", "2026-11-03": "missing the source has no figure", "2026-11-04": "100",
				"2026-11-18": "100", "2026-11-19": "missing the source has no figure",
			})
		}
		w.absent["2026-11-19"] = false
		w.follow(6 * time.Hour)
		w.expect("a", map[string]string{"2026-11-19": "100"})
		if got := w.coverage("a", "2026-11-19"); got != "complete" {
			t.Errorf("a day that came late is %q", got)
		}
	})
}

func TestADayOnWhichEverybodyFallsToZeroIsMissingForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var names []string
		for i := range 12 {
			names = append(names, fmt.Sprintf("p%d", i))
		}
		w := newWorld(t, names...)
		for _, name := range names {
			w.counts[name+" 2026-11-05"], w.counts[name+" 2026-11-06"] = 0, 0
			if name != "p3" {
				w.counts[name+" 2026-11-09"] = 0 // but one is downloaded: it may be so
			}
		}
		w.follow(time.Hour)
		w.expect("p0", map[string]string{
			"2026-11-04": "100", "2026-11-05": "missing the source says 0 for every package",
			"2026-11-06": "missing the source says 0 for every package", "2026-11-07": "100", "2026-11-09": "0",
		})
	})
}

func TestAPackageThatTheSourceDoesNotKnow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "nobody", "@x/nobody")
		w.service.Known = func(name string) bool { return !strings.HasSuffix(name, "nobody") }
		w.follow(time.Hour)
		w.expect("a", map[string]string{"2026-11-19": "100"})
		for _, name := range w.opts.Packages[1:] {
			w.expect(name, map[string]string{"2026-11-19": "missing the source does not know the package"})
		}
		w.wire.Asked()
		w.follow(6 * 24 * time.Hour)
		if asked := strings.Join(w.wire.Asked(), " "); strings.Contains(asked, "nobody") {
			t.Errorf("asked again within a week: %s", asked)
		}
		w.service.Known = nil
		w.follow(2 * 24 * time.Hour)
		w.expect("@x/nobody", map[string]string{"2026-11-26": "100", "2026-11-02": "100"})
	})
}

func TestAFigureThatChangesIsBroughtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a")
		w.follow(time.Hour)
		w.counts["a 2026-11-16"] = 101
		w.follow(24 * time.Hour)
		w.expect("a", map[string]string{"2026-11-16": "101"})
	})
}

func TestAfterALongStopNoDayIsLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "@x/b")
		w.absent["2026-11-18"] = true
		w.follow(time.Hour)
		w.absent["2026-11-18"] = false
		time.Sleep(400 * 24 * time.Hour)
		w.follow(time.Hour)
		for day := w.opts.From; day.Before(time.Now().Truncate(24 * time.Hour)); day = day.AddDate(0, 0, 1) {
			w.expect("a", map[string]string{day.Format(time.DateOnly): "100"})
			w.expect("@x/b", map[string]string{day.Format(time.DateOnly): "100"})
		}
		if w.repeated > 0 {
			t.Errorf("%d rows came twice", w.repeated)
		}
	})
}

func TestLimitsRestTheFeed(t *testing.T) {
	for name, fault := range map[string]func(w http.ResponseWriter){
		"429": func(w http.ResponseWriter) {
			w.Header().Set("Retry-After", "600")
			w.WriteHeader(http.StatusTooManyRequests)
		},
		"HTML with 200": func(w http.ResponseWriter) {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>error code: 1015</html>")
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "a", "@x/b")
			w.wire.Fault = func(n int, rw http.ResponseWriter, _ *http.Request) bool {
				if n == 1 {
					fault(rw)
				}
				return n == 1
			}
			w.follow(29 * time.Second)
			if asked := w.wire.Asked(); len(asked) != 1 || len(w.rows) > 0 {
				t.Errorf("%s: %d requests, %d rows at once", name, len(asked), len(w.rows))
			}
			w.follow(11 * time.Minute)
			w.expect("a", map[string]string{"2026-11-19": "100", "2026-11-01": "100"})
		})
	}
}

func TestReleasesAndMaintainers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "@x/b")
		w.opts.Registry = "http://packages.example/"
		document := func(tag, more string) sources.Document {
			return sources.Document{ETag: tag, Body: `{"name":"@x/b","maintainers":[{"name":"zoe","email":"z@example.org"},{"name":"al"}],` +
				`"time":{"created":"2020-01-01T00:00:00.000Z","modified":"2020-02-01T00:00:00.000Z","1.0.0":"2020-01-01T00:00:00.000Z","1.1.0":"2020-02-01T00:00:00.500Z"` + more + `}}`}
		}
		w.service.Documents["@x/b"] = document("one", "")
		w.follow(13 * time.Hour)
		for key, want := range map[string]string{
			"releases @x/b@1.0.0": `{"package":"@x/b","version":"1.0.0","published_at":"2020-01-01T00:00:00Z"}`,
			"releases @x/b@1.1.0": `{"package":"@x/b","version":"1.1.0","published_at":"2020-02-01T00:00:00.5Z"}`,
			"maintainers @x/b":    `{"package":"@x/b","maintainers":["al","zoe"]}`,
		} {
			if got := string(w.rows[key].Body); got != want {
				t.Errorf("%s: got %s, want %s", key, got, want)
			}
		}
		w.service.Documents["@x/b"] = document("two", `,"2.0.0":"2026-11-20T01:00:00.000Z"`)
		w.follow(6 * time.Hour)
		if w.rows["releases @x/b@2.0.0"].Body == nil || w.repeated > 0 {
			t.Errorf("a new release: %v, %d rows came twice", w.rows["releases @x/b@2.0.0"], w.repeated)
		}
	})
}

func TestARewindBringsHistoryAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "a", "@x/b")
		w.follow(time.Hour)
		w.counts["a 2026-11-05"] = 1
		w.opts.From = time.Date(2026, 10, 20, 0, 0, 0, 0, time.UTC)
		p := w.poller()
		if ok, err := p.Rewind(t.Context()); err != nil || !ok {
			t.Fatal(ok, err)
		}
		w.follow(time.Hour)
		w.expect("a", map[string]string{"2026-11-05": "1", "2026-10-20": "100", "2026-10-19": "not asked"})
		w.wire.Asked()
		w.follow(time.Hour)
		if asked := w.wire.Asked(); len(asked) > 0 {
			t.Errorf("asked once more: %q", asked)
		}
	})
}

func TestPlanCountsWhatIsAsked(t *testing.T) {
	var names []string
	for i := range 481 {
		names = append(names, fmt.Sprint("p", i))
	}
	for i := range 1056 {
		names = append(names, fmt.Sprint("@x/p", i))
	}
	f, err := New(Options{URL: "http://a.example", Packages: names, Every: 6 * time.Hour, Client: http.DefaultClient})
	if err != nil {
		t.Fatal(err)
	}
	e := poller.Plan(f, nil, time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), 24*time.Hour)
	t.Logf("%+v", e)
	if c := e.Steady; len(c) != 2 || c[0].Asks != 4 || c[1].Asks != 1056 {
		t.Errorf("a steady round: %+v", c)
	}
	// 2015-01-10 to 2026-11-12 are 143 months: 8 slices of 18; 4324 days, 28 of 156.
	if c := e.First; len(c) != 2 || c[0].Asks != 4*(1+28) || c[1].Asks != 1056*(1+8) {
		t.Errorf("a first round: %+v", c)
	}
}

func TestBadOptionsAreNamed(t *testing.T) {
	for want, o := range map[string]Options{
		"poller.npm.url":      {URL: "ftp://secret", Client: http.DefaultClient},
		"poller.npm.registry": {URL: "http://a", Registry: "secret", Client: http.DefaultClient},
		"poller.npm.client":   {URL: "http://a"},
	} {
		if _, err := New(o); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("got %v, want an error about %s", err, want)
		}
	}
}

func FuzzReadCounts(f *testing.F) {
	f.Add([]byte(`{"a":{"package":"a","downloads":[{"day":"2026-11-19","downloads":3}]},"b":null}`), true)
	f.Add([]byte(`{"package":"a","downloads":[{"day":"2026-11-19","downloads":null}]}`), false)
	f.Add([]byte(`{"error":"no"}`), false)
	f.Fuzz(func(t *testing.T, body []byte, bulk bool) {
		sl := slice{span: span{20400, 20500}, names: []string{"a"}}
		if bulk {
			sl.names = append(sl.names, "b")
		}
		found, err := readCounts(body, sl)
		for name, counts := range found {
			for day := range counts {
				if err != nil || day < sl.From || day > sl.To || !bulk && name != "a" {
					t.Errorf("%s has %d, %v", name, day, err)
				}
			}
		}
	})
}

// FuzzDocument: whatever a package's document says, its rows are what it says in order of
// time, and of the same document there is nothing new.
func FuzzDocument(f *testing.F) {
	f.Add([]byte(`{"name":"a","time":{"created":"2026-01-01T00:00:00.000Z","modified":"2026-02-01T00:00:00.000Z","1.0.0":"2026-01-01T00:00:01.000Z","1.0.1":"2026-01-02T00:00:00+02:00"},"maintainers":[{"name":"b"},{"name":"a"}]}`))
	f.Add([]byte(`{"name":"a","time":{"1.0.0":"soon","2.0.0":"9999-12-31T23:59:59-01:00"},"maintainers":null}`))
	f.Add([]byte(`{"error":"not_found"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		var p packument
		if json.Unmarshal(body, &p) != nil {
			return
		}
		var s released
		rows, err := p.rows(&s)
		if err != nil {
			return
		}
		for i, row := range rows {
			if !json.Valid(row.Body) || row.Kind == "" || i > 0 && row.Time < rows[i-1].Time {
				t.Errorf("row %d of %q: %s", i, body, row.Body)
			}
		}
		if len(rows) > len(p.Time)+1 {
			t.Errorf("%d rows of %q", len(rows), body)
		}
		if more, err := p.rows(&s); err != nil || len(more) > 0 {
			t.Errorf("%d rows of the same document %q, %v", len(more), body, err)
		}
	})
}
