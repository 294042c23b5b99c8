package main

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
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
	says(t, []string{"--config", path, "backfill", "--feed", "npm", "--from", time.Now().AddDate(0, 0, -60).Format(time.DateOnly)}, "npm: 2 answers, 52 rows")
}

func TestFeedsThatDoNotRunSayWhy(t *testing.T) {
	path := polled(t, "  open_collective: {enabled: false}\n")
	for args, want := range map[string]string{
		"poll --feed open_collective --dry-run":             "open_collective is off: poller.open_collective.enabled is false",
		"poll --feed nothing --dry-run":                     `--feed "nothing": there is none of that name`,
		"poll --feed nothing --once":                        `--feed "nothing": there are`,
		"backfill --feed npm --from soon":                   `--from: "soon" is no date such as 2025-01-31`,
		"backfill --feed npm":                               "--from is missing",
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
