package github

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2/ast"

	"superindex/chain"
	"superindex/internal/sources"
	"superindex/poller"
)

// octokit is where GitHub's own description, schema and answers are installed.
func octokit(t testing.TB, path ...string) string {
	t.Helper()
	full := filepath.Join(append([]string{"..", "..", "tools", "npm", "node_modules", "@octokit"}, path...)...)
	if _, err := os.Stat(full); err != nil {
		t.Skip("needs GitHub's own description, which make deps installs:", err)
	}
	return full
}

// schema is GitHub's; read once.
var schema = sync.OnceValues(func() (*ast.Schema, error) {
	return sources.LoadGraphQL(filepath.Join("..", "..", "tools", "npm", "node_modules", "@octokit", "graphql-schema", "schema.graphql"))
})

// now is when a test begins.
var now = time.Date(2026, 11, 20, 12, 30, 0, 0, time.UTC)

// world is the service, and what a poller made of it.
type world struct {
	testing.TB
	wire    *sources.Wire
	service *sources.GitHub
	journal *sources.Paper
	opts    Options
	tokens  []string
	perHour int
	state   poller.State

	rows     map[string]chain.Row
	repeated []string
}

func newWorld(t *testing.T, repos ...*sources.Repo) *world {
	time.Sleep(time.Until(now))
	w := &world{TB: t, service: &sources.GitHub{Now: time.Now}, journal: &sources.Paper{}, rows: map[string]chain.Row{}, tokens: []string{"t1"}}
	if s, err := schema(); err == nil {
		w.service.Schema = s
	}
	w.service.Add(repos...)
	w.wire = &sources.Wire{Handler: w.service}
	w.opts = Options{URL: "http://github.example", Every: 15 * time.Minute}
	for _, r := range repos {
		w.opts.Named = append(w.opts.Named, strings.ToLower(r.Name))
	}
	return w
}

// follow runs a fresh poller for so long, and takes its rows.
func (w *world) follow(d time.Duration) {
	w.Helper()
	metrics := poller.NewMetrics(prometheus.NewRegistry())
	w.opts.Tokens = len(w.tokens)
	wallet := newWallet(w.tokens, "github.example", w.wire)
	w.opts.Client = poller.NewGate(poller.GateOptions{Feed: Name, PerHour: w.perHour, Next: wallet, Metrics: metrics}).Client()
	feed, err := New(w.opts)
	if err != nil {
		w.Fatal(err)
	}
	p, err := poller.New(feed, w.journal, nil, poller.Options{Every: w.opts.Every, Emails: w.opts.Emails, Log: slog.New(slog.DiscardHandler), Metrics: metrics})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.Context(), d)
	defer cancel()
	p.Run(ctx)
	w.state = p.State()
	for _, r := range w.journal.Take() {
		key := r.Kind + " " + r.ID
		if bytes.Equal(w.rows[key].Body, r.Body) {
			w.repeated = append(w.repeated, key)
		}
		w.rows[key] = r
	}
}

// count says how many rows of each kind there are.
func (w *world) count() string {
	n := map[string]int{}
	for _, r := range w.rows {
		n[r.Kind]++
	}
	var out []string
	for kind, n := range n {
		if kind != "coverage" {
			out = append(out, fmt.Sprint(kind, " ", n))
		}
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// want says how many rows there are, and that none came twice.
func (w *world) want(want string) {
	w.Helper()
	if got := w.count(); got != want || len(w.repeated) > 0 {
		w.Errorf("rows:\n%s\nwant\n%s\ntwice: %q; %+v", got, want, w.repeated, w.state)
	}
}

func (w *world) coverage(resource string) (all []string) {
	for _, r := range w.rows {
		var c poller.Coverage
		if r.Kind == "coverage" && json.Unmarshal(r.Body, &c) == nil && c.Resource == resource {
			all = append(all, fmt.Sprintf("%s %s %s to %s%s", c.Dataset, c.Status, poller.OfDay(c.From).Format(time.DateOnly), poller.OfDay(c.To).Format(time.DateOnly), strings.TrimRight(": "+c.Reason, ": ")))
		}
	}
	slices.Sort(all)
	return all
}

func (w *world) coverages(resource string, want ...string) {
	w.Helper()
	if got := w.coverage(resource); !slices.Equal(got, want) {
		w.Errorf("coverage of %s:\n%s\nwant\n%s", resource, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// asked are the paths that were asked for since the last call, with how often.
func (w *world) asked() string {
	var out []string
	for _, path := range w.wire.Asked() {
		if n := len(out); n > 0 && strings.HasPrefix(out[n-1], path+" x") {
			var times int
			fmt.Sscanf(out[n-1][len(path):], " x%d", &times)
			out[n-1] = fmt.Sprintf("%s x%d", path, times+1)
			continue
		}
		out = append(out, path+" x1")
	}
	return strings.Join(out, ", ")
}

func TestARepositoryIsBroughtWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sources.Sample(1, "Org/Repo", now, 120))
		w.follow(10 * time.Minute)
		w.want("commits 120, forks 12, issue_comments 60, issue_events 160, issues 120, listings 1, pull_requests 120, releases 12, repositories 1, review_comments 60, reviews 60, stars 120")
		w.coverages("1", "activity complete 2026-11-04 to 2026-11-19")
	})
}

func TestWithoutATokenTheSameButReviews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sources.Sample(1, "Org/Repo", now, 120))
		w.follow(10 * time.Minute)
		with := w.rows
		w = newWorld(t, sources.Sample(1, "Org/Repo", now, 120))
		w.tokens, w.perHour = nil, 60
		w.follow(45 * time.Minute)
		w.want("commits 120, forks 12, issue_comments 60, issue_events 160, issues 120, listings 1, pull_requests 120, releases 12, repositories 1, review_comments 60, stars 120")
		w.coverages("1", "activity complete 2026-11-04 to 2026-11-19", "reviews missing 2026-11-04 to 2026-11-19: reviews need a token")
		for key, row := range w.rows {
			if other := with[key]; !strings.HasPrefix(key, "coverage") && !strings.HasPrefix(key, pulls) && !bytes.Equal(row.Body, other.Body) {
				t.Fatalf("%s: without a token\n%s, with one\n%s", key, row.Body, other.Body)
			}
		}
	})
}
