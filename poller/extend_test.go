package poller_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"superindex/chain"
	"superindex/internal/sources"
	"superindex/poller"
	"superindex/registry"
)

// This is the feed that docs/extend.md describes: a whole one, for the downloads of
// crates. It would be a package crates, in poller/crates.

// cratesSource is the line that cmd/superindex/feeds.go would have.
func cratesSource() poller.Source {
	return poller.Source{Name: "crates", Every: 6 * time.Hour, PerHour: 3600, Make: startCrates}
}

func startCrates(s poller.Settings) (poller.Feed, string, error) {
	if s.URL == "" {
		return nil, "", &poller.OffError{Why: "poller.crates.url is not set"}
	}
	var names []string
	for i := range s.Registry.Projects {
		for _, l := range s.Registry.Projects[i].Artifacts(nil) {
			if l.Source == "CRATES" {
				names = append(names, l.Name)
			}
		}
	}
	return &crates{s.URL, names, s.Client("crates", nil)}, "", nil
}

type crates struct {
	url    string
	names  []string
	client *http.Client
}

// crateState is the cursor: the last day that was brought, counted since 1970.
type crateState struct {
	Through uint64 `json:"through"`
}

func (c *crates) Name() string        { return "crates" }
func (c *crates) Resources() []string { return c.names }

// Plan: a request a crate.
func (c *crates) Plan(now time.Time, due []poller.Resource) (asks []poller.Ask) {
	for _, r := range due {
		after := r.With(crateState{poller.DayOf(now) - 1}, time.Time{})
		asks = append(asks, poller.Ask{Kind: "downloads", Of: []poller.Resource{r}, Cost: 1, Expect: []poller.Resource{after}})
	}
	return asks
}

// Fetch: the source gives the last 90 days, version by version. The days that are
// over and were not brought yet are rows; one without a figure is missing, not zero.
func (c *crates) Fetch(ctx context.Context, ask poller.Ask) (result poller.Result, err error) {
	r, yesterday := ask.Of[0], poller.DayOf(time.Now())-1
	s := crateState{Through: yesterday - 90}
	if err := r.Into(&s); err != nil {
		return result, err
	}
	answer, err := poller.Do(ctx, c.client, poller.Request{What: "downloads of " + r.ID, URL: c.url + "/api/v1/crates/" + r.ID + "/downloads"})
	if err != nil {
		return result, err
	}
	var body struct {
		Versions []struct {
			Date      string `json:"date"`
			Downloads uint64 `json:"downloads"`
		} `json:"version_downloads"`
	}
	if err := answer.Into(&body); err != nil {
		return result, err
	}
	sums := map[string]uint64{}
	for _, v := range body.Versions {
		sums[v.Date] += v.Downloads
	}
	for day := s.Through + 1; day <= yesterday; day++ {
		text := poller.OfDay(day).Format(time.DateOnly)
		cover := poller.Coverage{Dataset: "downloads", Resource: r.ID, From: day, To: day, Unit: poller.Day, Status: poller.Complete}
		if n, ok := sums[text]; ok {
			row := fmt.Sprintf(`{"crate":%q,"day":%q,"downloads":%d}`, r.ID, text, n)
			result.Rows = append(result.Rows, chain.Row{Kind: "downloads", ID: r.ID + "/" + text, Time: day * 86400, Body: []byte(row)})
		} else {
			cover.Status, cover.Reason = poller.Missing, "the source has no figure"
		}
		result.Coverage = append(result.Coverage, cover)
	}
	result.Payloads = []poller.Payload{{What: "downloads/" + r.ID, Body: answer.Body}}
	result.After = []poller.Resource{r.With(crateState{yesterday}, time.Time{})}
	return result, nil
}

func TestAFeedIsOneFolderAndOneLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := cratesSource()
		wire := &sources.Wire{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprint(w, `{"version_downloads":[{"date":"1999-12-30","downloads":5},{"date":"1999-12-30","downloads":2},{"date":"1999-12-31","downloads":9}]}`)
		})}
		settings := poller.Settings{Registry: listing(), Metrics: poller.NewMetrics(prometheus.NewRegistry())}
		if _, _, err := source.Make(settings); err == nil || err.Error() != "poller.crates.url is not set" {
			t.Errorf("without a URL: %v", err)
		}
		settings.URL = "http://crates.example"
		feed, _, err := source.Make(settings)
		if err != nil {
			t.Fatal(err)
		}
		feed.(*crates).client = settings.Client("crates", wire)
		journal := &sources.Paper{}
		p, err := poller.New(feed, journal, nil, poller.Options{Every: source.Every, Log: slog.New(slog.DiscardHandler), Metrics: settings.Metrics})
		if err != nil {
			t.Fatal(err)
		}
		if err := p.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		days, missing := map[string]uint64{}, 0
		for _, r := range journal.Take() {
			var body struct {
				Day, Status string
				Downloads   uint64
			}
			if err := json.Unmarshal(r.Body, &body); err != nil {
				t.Fatal(err)
			}
			if r.Kind == "downloads" {
				days[body.Day] = body.Downloads
			} else if body.Status == poller.Missing {
				missing++
			}
		}
		if len(days) != 2 || days["1999-12-30"] != 7 || days["1999-12-31"] != 9 || missing != 88 {
			t.Errorf("got %v, %d days missing", days, missing)
		}
	})
}

// listing is an oss-directory with one crate.
func listing() *registry.Snapshot {
	crate := registry.Link{Kind: "crates", URL: "https://crates.io/crates/alloy"}
	return &registry.Snapshot{Projects: []registry.Project{{Name: "alloy", Links: []registry.Link{crate}}}}
}
