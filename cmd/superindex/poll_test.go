package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superindex/internal/sources"
	"superindex/poller"
)

// file writes a config and returns its path.
func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "superindex.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestADryRunOfTheWholeDirectory: what npm and Open Collective cost for all that
// oss-directory lists.
func TestADryRunOfTheWholeDirectory(t *testing.T) {
	listed, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "data", "oss-directory.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(listed); err != nil {
		t.Skip("needs the whole oss-directory:", err)
	}
	path := file(t, fmt.Sprintf("data_dir: %q\nregistry: {oss_directory: %q}\npoller: {npm: {url: \"http://127.0.0.1:1\", from: 2020-01-01}}\n", t.TempDir(), listed))
	for feed, check := range map[string]func(e poller.Estimate) bool{
		"npm": func(e poller.Estimate) bool {
			return e.Resources == 1536 && len(e.Steady) == 2 && e.Steady[0].Asks == 4 && e.Steady[1].Asks == 1055 && poller.Cost(e.First) < 10_000
		},
		"open_collective": func(e poller.Estimate) bool { return e.Resources == 11 && poller.Cost(e.Steady) == 11 },
	} {
		out, err := command(t, "--config", path, "poll", "--feed", feed, "--dry-run", "--json")
		var e poller.Estimate
		if err == nil {
			err = json.Unmarshal([]byte(out), &e)
		}
		if err != nil || !check(e) {
			t.Errorf("%s: %v: %s", feed, err, out)
		}
		says(t, []string{"--config", path, "poll", "--feed", feed, "--dry-run"}, "first round", "steady round")
	}
}

// polled is a config with both feeds' sources on loopback, and one package.
func polled(t *testing.T, more string) string {
	t.Helper()
	npm := httptest.NewServer(&sources.NPM{Now: time.Now, Count: func(string, time.Time) (uint64, bool) { return 5, true }})
	t.Cleanup(npm.Close)
	listed := filepath.Join(t.TempDir(), "data", "projects", "p")
	if err := os.MkdirAll(listed, 0o755); err != nil {
		t.Fatal(err)
	}
	project := "version: 7\nname: p\ndisplay_name: P\nnpm:\n  - url: https://www.npmjs.com/package/left-pad\n"
	if err := os.WriteFile(filepath.Join(listed, "p.yaml"), []byte(project), 0o600); err != nil {
		t.Fatal(err)
	}
	root := filepath.Dir(filepath.Dir(filepath.Dir(listed)))
	return file(t, fmt.Sprintf("data_dir: %q\nregistry: {oss_directory: %q}\nnetworks: {devchain: {chain_id: 901, rpc: [{name: none, url: \"http://127.0.0.1:1\"}]}}\n"+
		"sinks: {nats: {listen: \"127.0.0.1:0\"}, clickhouse: {dsn: none}}\npoller:\n  npm: {url: %q, per_hour: 3600000, from: %s}\n%s",
		t.TempDir(), root, npm.URL, time.Now().AddDate(0, 0, -30).Format(time.DateOnly), more))
}

func TestPollAndBackfill(t *testing.T) {
	if left := time.Until(time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)); left < 2*time.Minute {
		time.Sleep(left) // what is asked for depends on the day
	}
	path := polled(t, "")
	says(t, []string{"--config", path, "poll", "--feed", "npm", "--once"}, "npm: 2 answers, 30 rows; 1 followed, 0 failing")
	says(t, []string{"--config", path, "poll", "--feed", "npm", "--once"}, "npm: 0 answers, 0 rows")
	says(t, []string{"--config", path, "poll", "--feed", "npm", "--answers"}, "downloads/", "/left-pad")
	out, err := command(t, "--config", path, "poll", "--feed", "npm", "--answers", "--json")
	var answer struct{ Body, SHA256 string }
	if err == nil {
		err = json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &answer)
	}
	if sum := sha256.Sum256([]byte(answer.Body)); err != nil || hex.EncodeToString(sum[:]) != answer.SHA256 || !strings.Contains(answer.Body, `"left-pad"`) {
		t.Errorf("%v: %s", err, out)
	}
	says(t, []string{"--config", path, "backfill", "--feed", "npm", "--from", time.Now().AddDate(0, 0, -60).Format(time.DateOnly)}, "npm: 2 answers, 52 rows")
}

func TestFeedsThatDoNotRunSayWhy(t *testing.T) {
	path := polled(t, "  open_collective: {enabled: false}\n")
	if _, err := command(t, "--config", path, "poll", "--feed", "npm", "--answers"); err == nil || !strings.Contains(err.Error(), "no answers are kept") {
		t.Errorf("nothing was polled: %v", err)
	}
	for args, want := range map[string]string{
		"poll --feed open_collective --dry-run":             "open_collective is off: poller.open_collective.enabled is false",
		"poll --feed nothing --dry-run":                     `--feed "nothing": there are ["npm" "open_collective"`,
		"poll --feed nothing --answers":                     `--feed "nothing": there are`,
		"poll --feed nothing --once":                        `--feed "nothing": there are`,
		"backfill --feed npm --from soon":                   `--from: "soon" is no date such as 2025-01-31`,
		"backfill --feed npm":                               "--from is missing",
		"poll --feed gharchive --dry-run":                   "gharchive is off: poller.gharchive.enabled is not set",
		"backfill --feed open_collective --from 2025-01-01": "open_collective is off",
	} {
		if out, err := command(t, append([]string{"--config", path}, strings.Fields(args)...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s\n%s", args, err, want, out)
		}
	}
	path = file(t, "{}")
	c, err := loadConfig(path, true)
	if err != nil {
		t.Fatal(err)
	}
	if f, _, err := c.makeFeed(sourcesOf(t, "npm"), nil, nil); err != nil || !strings.Contains(f.state.Note, "poller.npm.url is not set") {
		t.Errorf("npm without a URL: %+v, %v", f.state, err)
	}
}

// TestGHArchiveOnRequest: the feed follows nothing unless it is told to; a backfill
// brings the hours that it is asked for, and its dry run says what that takes.
func TestGHArchiveOnRequest(t *testing.T) {
	archive := httptest.NewServer(&sources.GHArchive{Lines: func(at time.Time) ([]string, bool) {
		return []string{sources.Happening{ID: at.Format(time.DateTime), Type: "WatchEvent", Repo: "acme/x", Actor: "a", At: at, Payload: map[string]any{}}.Line()}, at.Hour() != 5
	}})
	t.Cleanup(archive.Close)
	path := polled(t, fmt.Sprintf("  gharchive: {url: %q, per_hour: 3600000}\n", archive.URL))
	if _, err := command(t, "--config", path, "poll", "--feed", "gharchive", "--once"); err == nil || !strings.Contains(err.Error(), "poller.gharchive.enabled is not set") {
		t.Errorf("not enabled, it says %v", err)
	}
	days := []string{"--config", path, "backfill", "--feed", "gharchive", "--from", "2024-01-15", "--to", "2024-01-17"}
	says(t, append(days, "--dry-run"), "hour", "48", "some 5.3 GB")
	says(t, days, "gharchive: 48 answers, 46 rows; 1 followed, 0 failing")
	says(t, days, "gharchive: 2 answers, 0 rows") // what is missing
	for args, want := range map[string]string{
		"--to 2024-01-15": "there is no day between them", "--to never": `--to: "never" is no date`,
	} {
		if _, err := command(t, append(days[:5:5], strings.Fields("--from 2024-01-15 "+args)...)...); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %s", args, err, want)
		}
	}
}

// TestACutBackfillSaysSo: the command is stopped amid its first request.
func TestACutBackfillSaysSo(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	archive := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		stop()
		<-r.Context().Done()
	}))
	t.Cleanup(archive.Close)
	root := newRoot()
	root.SetArgs([]string{
		"--config", polled(t, fmt.Sprintf("  gharchive: {url: %q, per_hour: 3600000}\n", archive.URL)),
		"backfill", "--feed", "gharchive", "--from", "2024-01-15", "--to", "2024-01-16",
	})
	root.SetOut(io.Discard)
	root.SetErr(io.Discard)
	if err := root.ExecuteContext(ctx); err == nil || err.Error() != "cut short: what came is kept; the same command brings the rest" {
		t.Error(err)
	}
}

func sourcesOf(t *testing.T, name string) poller.Source {
	t.Helper()
	for _, s := range feedSources() {
		if s.Name == name {
			return s
		}
	}
	t.Fatal("no source", name)
	return poller.Source{}
}

// TestFeedsInTheDaemon: the daemon polls beside its networks, and shows it.
func TestFeedsInTheDaemon(t *testing.T) {
	c, err := loadConfig(polled(t, "http: {listen: \"127.0.0.1:0\"}\n"), true)
	if err != nil {
		t.Fatal(err)
	}
	d, err := newDaemon(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.run(ctx) }()
	for deadline := time.Now().Add(2 * time.Minute); d.report().Feeds[0].Rows < 30 && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
	if f := d.report().Feeds[0]; f.Feed != "npm" || f.Rows != 30 || f.Resources != 1 || f.Failing != 0 || f.LastSuccess.IsZero() || f.Next.IsZero() {
		t.Errorf("the status says %+v", f)
	}
	want := map[string]bool{"superindex_feed_requests_total": false, "superindex_feed_last_success_timestamp_seconds": false, "superindex_coverage_ratio": false}
	families, err := d.metrics.Gather()
	for _, f := range families {
		if _, ours := want[f.GetName()]; ours {
			for _, m := range f.Metric {
				for _, l := range m.Label {
					want[f.GetName()] = want[f.GetName()] || l.GetValue() == "npm"
				}
			}
		}
	}
	documented, got := documentedMetrics(t), scraped(t, d.metrics)
	for name, shown := range want {
		if !shown {
			t.Errorf("no metric %s of npm, %v", name, err)
		}
		if got[name] != documented[name] {
			t.Errorf("%s has the labels %q, docs/status.md says %q", name, got[name], documented[name])
		}
	}
	stop()
	if err := errors.Join(<-done, d.Close()); err != nil {
		t.Error(err)
	}
}

// TestFeedsFollowTheRegistry: a package that is listed while the daemon runs is polled
// without a restart, and the metrics stay whole.
func TestFeedsFollowTheRegistry(t *testing.T) {
	c, err := loadConfig(polled(t, "http: {listen: \"127.0.0.1:0\"}\n"), true)
	if err != nil {
		t.Fatal(err)
	}
	c.Registry.Refresh = duration(100 * time.Millisecond)
	d, err := newDaemon(t.Context(), c, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.run(ctx) }()
	npm := func(resources int, rows uint64) (st poller.State) {
		for deadline := time.Now().Add(2 * time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
			feeds := d.report().Feeds
			st = feeds[slices.IndexFunc(feeds, func(f poller.State) bool { return f.Feed == "npm" })]
			if st.Resources == resources && st.Rows >= rows {
				break
			}
		}
		return st
	}
	npm(1, 30)
	folder := filepath.Join(t.TempDir(), "q") // it moves in as a whole: a refresh may read at any time
	if err := os.Mkdir(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	project := "version: 7\nname: q\ndisplay_name: Q\nnpm:\n  - url: https://www.npmjs.com/package/right-pad\n"
	if err := os.WriteFile(filepath.Join(folder, "q.yaml"), []byte(project), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(folder, filepath.Join(c.Registry.OSSDirectory, "data", "projects", "q")); err != nil {
		t.Fatal(err)
	}
	if st := npm(2, 30); st.Resources != 2 || st.Rows < 30 || st.Rows >= 60 { // the new poller's own: what was there is not asked for again
		t.Errorf("after another package was listed: %+v", st)
	}
	if _, err := d.metrics.Gather(); err != nil {
		t.Error(err)
	}
	stop()
	if err := errors.Join(<-done, d.Close()); err != nil {
		t.Error(err)
	}
}

// TestATokenThatIsEmptyIsNone: a variable may be set to nothing. Each token has the
// source's budget.
func TestATokenThatIsEmptyIsNone(t *testing.T) {
	for n, tokens := range map[int][]string{0: {""}, 1: {"", "a"}, 2: {"a", "b"}} {
		c := config{Poller: map[string]feedConfig{"github": {Tokens: tokens}}}
		s := c.settings(sourcesOf(t, "github"), nil, nil)
		if want := max(60, 5000*n); len(s.Tokens) != n || s.PerHour != want {
			t.Errorf("%q: %d tokens, %d requests an hour, not %d", tokens, len(s.Tokens), s.PerHour, want)
		}
	}
}
