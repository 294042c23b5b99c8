package github

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"superindex/chain"
	"superindex/internal/sources"
	"superindex/poller"
)

// spent is what was asked for since the last call, in requests and points.
func (w *world) spent() (cost int) {
	w.service.Change(func() {
		cost = w.service.Counts["core"] + w.service.Counts["graphql"]
		clear(w.service.Counts)
	})
	return cost
}

// TestASteadyRoundIsCheap: Shows 1, with a source that says what GitHub would count. 2 %
// of 200 repositories have changed in everything; a round is everything that is due.
func TestASteadyRoundIsCheap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var repos []*sources.Repo
		for i := range 200 {
			repos = append(repos, sources.Sample(int64(i+1), fmt.Sprintf("o%d/r%d", i%20, i), now, 2))
		}
		w := newWorld(t, repos...)
		w.opts.Named = w.opts.Named[:30] // the others are found by their owners
		for i := range 20 {
			w.opts.Owners = append(w.opts.Owners, fmt.Sprint("o", i))
		}
		w.follow(20 * time.Minute)
		before := w.count()
		w.spent()
		w.follow(15 * time.Minute)
		if cost := w.spent(); cost != 2*lookPoints {
			t.Errorf("a round in which nothing moves costs %d", cost)
		}
		w.service.Change(func() {
			for i := range 4 {
				r := repos[i*50]
				more := sources.Sample(r.ID, r.Name, time.Now().Add(3*time.Hour), 4)
				r.Commits, r.Issues, r.Comments, r.Stars, r.Forks = more.Commits, more.Issues, more.Comments, more.Stars, more.Forks
			}
		})
		w.asked()
		w.follow(15 * time.Minute)
		cost := w.spent()
		if w.count() == before || cost > 300*200/1000 {
			t.Errorf("a round in which 4 of 200 changed costs %d: %s", cost, w.asked())
		}
		t.Logf("a round in which 2 %% changed costs %d for 200 repositories", cost)
		w.opts.Every = 4 * time.Hour
		w.follow(24 * time.Hour)
		w.spent()
		w.asked()
		w.follow(24 * time.Hour) // owners are asked again, for nothing
		if cost := w.spent(); cost != 6*2*lookPoints {
			t.Errorf("a day in which nothing moves costs %d, not %d", cost, 6*2*lookPoints)
		}
		if n := strings.Count(w.asked(), "/repos "); n < 20 {
			t.Errorf("%d owners were asked for", n)
		}
	})
}

func TestAnEstimateKeepsItsPromise(t *testing.T) {
	o := Options{Client: http.DefaultClient, Every: 15 * time.Minute, Tokens: 1}
	for i := range 55 { // a hundredth of the directory
		o.Owners = append(o.Owners, fmt.Sprint("o", i))
	}
	for i := range 187 {
		o.Named = append(o.Named, fmt.Sprint("n/", i))
	}
	f, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	e := poller.Plan(f, nil, now, o.Every)
	repos := 55*ownerHas + 187
	if want := repos + 55 + 187; e.Resources != want || poller.Cost(e.First) < 10*float64(repos) {
		t.Errorf("%+v, not %d", e, want)
	}
	if per := poller.Cost(e.Steady) / float64(repos) * 1000; per > 300 || per < 50 {
		t.Errorf("a steady round costs %.0f for 1,000 repositories: %+v", per, e.Steady)
	}
}

func TestAMergeOfAnOldBranchIsNoticed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		repo := sources.Sample(1, "org/repo", now, 30)
		w := newWorld(t, repo)
		w.follow(time.Minute)
		w.service.Change(func() {
			for i := range 7 {
				at := now.AddDate(0, -5, i)
				repo.Commits = append(repo.Commits, sources.Commit{SHA: fmt.Sprintf("old%037d", i), At: at, Name: "U", Email: "u@example.com"})
			}
			repo.Commits = append(repo.Commits, sources.Commit{SHA: fmt.Sprintf("merge%035d", 0), At: now, Name: "U", Email: "u@example.com"})
		})
		w.follow(time.Hour)
		w.want(strings.Replace(whole, "commits 30", "commits 38", 1))
		w.asked()
		w.follow(time.Hour)
		if got := w.asked(); got != "/graphql x4" {
			t.Errorf("then it asks for %s", got)
		}
	})
}

func TestARestartWithinAPassGoesOn(t *testing.T) {
	for _, tokens := range [][]string{{"a"}, nil} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, sources.Sample(1, "org/repo", now, 330))
			w.tokens, w.perHour, w.service.Requests = tokens, 3600, 5000
			for range 60 {
				w.follow(1700 * time.Millisecond) // one or two answers, and one that nobody reads
			}
			w.opts.Every = time.Hour
			w.follow(30 * time.Minute)
			if got := w.count(); !strings.HasPrefix(got, "commits 330, forks 33, issue_comments 165, issue_events 440, issues 330, listings 1, pull_requests 330, releases 33,") || len(w.repeated) > 0 {
				t.Errorf("%s, twice %q", got, w.repeated)
			}
		})
	}
}

func TestWhatChangesIsBroughtAgain(t *testing.T) {
	for _, tokens := range [][]string{{"a"}, nil} {
		synctest.Test(t, func(t *testing.T) {
			repo := sources.Sample(1, "org/repo", now, 30)
			w := newWorld(t, repo)
			w.tokens = tokens
			w.follow(2 * time.Hour)
			before := len(w.rows)
			w.service.Change(func() {
				n := &repo.Issues[0]
				n.Events = append(n.Events, sources.Event{Event: "closed", At: time.Now()}, sources.Event{Event: "reopened", At: time.Now().Add(time.Second), By: sources.User{Login: "al", ID: 5}})
				n.Updated, n.Closed = time.Now().Add(time.Second), time.Time{}
				repo.Stars = append(repo.Stars, sources.Star{By: sources.User{Login: "al", ID: 5}, At: time.Now()})
			})
			w.follow(26 * time.Hour)
			n := repo.Issues[0].Number
			w.row(fmt.Sprintf("issue_events 1/%d/closed/%d", n, now.Add(2*time.Hour).Unix()), `"actor_login":"ghost"`)
			w.row(fmt.Sprintf("issue_events 1/%d/reopened/%d", n, now.Add(2*time.Hour).Unix()+1), `"actor_login":"al"`)
			w.row(fmt.Sprintf("stars 1/5/%d", now.Add(2*time.Hour).Unix()), `"login":"al"`)
			if got := len(w.rows); got < before+3 || len(w.repeated) > 0 {
				t.Errorf("%d rows more, twice %q", got-before, w.repeated)
			}
		})
	}
}

// However much happened to one pull request, or to one issue, all of it is brought, and
// what comes later once.
func TestLongThreadsAreReadWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		repo := sources.Sample(1, "org/repo", now, 2)
		w := newWorld(t, repo)
		issue, pull := &repo.Issues[0], &repo.Issues[1]
		begin := now.Add(-100 * time.Hour)
		for i := range 250 {
			pull.Reviews = append(pull.Reviews, sources.Review{ID: int64(5000 + i), State: "COMMENTED", At: begin.Add(time.Duration(i) * time.Minute)})
		}
		for i := range 170 {
			event := sources.Event{Event: []string{"closed", "reopened"}[i%2], At: begin.Add(time.Duration(i) * time.Second)}
			issue.Events, pull.Events = append(issue.Events, event), append(pull.Events, event)
		}
		before := len(issue.Events) + len(pull.Events)
		issue.Updated, pull.Updated = now, now
		w.follow(time.Minute)
		if got := w.count(); !strings.Contains(got, fmt.Sprintf("issue_events %d,", before)) || !strings.Contains(got, fmt.Sprintf("reviews %d,", len(pull.Reviews))) || len(w.repeated) > 0 {
			t.Errorf("%d events, %d reviews: %s; twice: %q; %+v", before, len(pull.Reviews), got, w.repeated, w.state)
		}
		rows := len(w.rows)
		w.service.Change(func() {
			pull.Reviews = append(pull.Reviews, sources.Review{ID: 9000, State: "APPROVED", At: time.Now()})
			pull.Updated = time.Now()
		})
		w.follow(time.Hour)
		w.row("reviews 9000", `"state":"APPROVED"`)
		if got := len(w.rows) - rows; got > 1 || len(w.repeated) > 0 {
			t.Errorf("%d rows more, twice: %q", got, w.repeated)
		}
	})
}

// Without a token the newest stars of a repository with many are not given: they are
// missing until there is one.
func TestStarsThatNeedAToken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		repo := sources.Sample(1, "org/repo", now, 0)
		repo.Created = now.AddDate(0, 0, -40)
		const most = lastOfStars*perPage + 30
		for i := range most {
			repo.Stars = append(repo.Stars, sources.Star{By: sources.User{Login: fmt.Sprint("u", i), ID: int64(i)}, At: now.Add(-time.Duration(most-i) * time.Minute)})
		}
		w := newWorld(t, repo)
		w.tokens, w.opts.From, w.opts.Every = nil, now.Add(-3*time.Hour), 2*time.Hour
		w.follow(time.Hour)
		stars := func() int { return strings.Count(strings.Join(slices.Collect(maps.Keys(w.rows)), "\n"), "stars 1/") }
		if got := stars(); got != 150 {
			t.Errorf("%d stars of the 180 of 3 hours", got)
		}
		w.follow(12 * time.Hour) // until the day has ended
		if got := strings.Join(w.coverage("1"), ", "); !strings.Contains(got, "stars missing 2026-11-20 to 2026-11-20: more than the first 40000 stars need a token") {
			t.Error(got)
		}
		w.tokens = []string{"a"}
		w.follow(24 * time.Hour)
		if got := stars(); got != 180 {
			t.Errorf("with a token %d stars of the 180 of 3 hours", got)
		}
		if got := strings.Join(w.coverage("1"), ", "); strings.Contains(got, "stars missing") || !strings.Contains(got, "stars complete 2026-11-20 to 2026-11-21") {
			t.Error(got)
		}
	})
}

// row says that a row holds a text.
func (w *world) row(key, want string) {
	w.Helper()
	if body := string(w.rows[key].Body); !strings.Contains(body, want) {
		w.Errorf("%s: %s, not %s", key, body, want)
	}
}

func TestPeople(t *testing.T) {
	for _, tokens := range [][]string{{"a"}, nil} {
		for _, raw := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				r := sources.Sample(1, "org/repo", now, 0)
				at := now.Add(-time.Hour)
				commit := func(sha string, c sources.Commit) {
					c.SHA, c.At = sha, at
					r.Commits = append(r.Commits, c)
				}
				commit("a", sources.Commit{Name: "Al", Email: "Al@Example.com", Headline: "from Al@Example.com"})
				commit("b", sources.Commit{Name: "Bo", Email: "77+bo@users.noreply.github.com"})
				commit("c", sources.Commit{Name: "dependabot[bot]", Email: "x@y.io", User: &sources.User{Login: "dependabot[bot]", ID: 9, Kind: "Bot"}, CoAuthor: "Zoe <Zoe@example.com>"})
				r.Issues = []sources.Issue{{ID: 1, Number: 1, Created: at, Updated: at}, {ID: 2, Number: 2, By: sources.User{Login: "renovate[bot]", ID: 8, Kind: "Bot"}, Created: at, Updated: at}}
				w := newWorld(t, r)
				w.tokens, w.opts.Emails = tokens, raw
				w.follow(time.Hour)
				w.row("commits 1/a", `"author_login":"","author_id":0,"author_name":"Al","author_email_hash":"`+poller.AddressHash("al@example.com")+`"`)
				w.row("commits 1/b", `"author_login":"bo","author_id":77`)
				w.row("commits 1/c", `"is_bot":true`)
				w.row("commits 1/c", `"co_authors":[{"login":"","id":0,"name":"Zoe","email_hash":"`+poller.AddressHash("zoe@example.com"))
				w.row("issues 1", `"author_login":"ghost"`)
				w.row("issues 2", `"author_login":"renovate[bot]","author_id":8,"is_bot":true`)
				if shown := strings.Contains(string(w.rows["commits 1/a"].Body), "Example.com"); shown != raw {
					t.Errorf("wanted %v: the address is shown: %v", raw, shown)
				}
			})
		}
	}
}

func TestASourceThatWantsToBeAskedSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sources.Sample(1, "org/repo", now, 0))
		w.tokens = nil
		seen := w.watch(func(_ int, rw http.ResponseWriter, _ *http.Request) bool {
			rw.Header().Set("X-Poll-Interval", "7200")
			return false
		})
		w.follow(9 * time.Hour) // looks at 2, 4, 6 and 8 h; none just when it ends
		var looks int
		for i := 1; i < len(seen.at); i++ {
			if seen.at[i]-seen.at[i-1] >= 2*time.Hour {
				looks++
			}
		}
		if looks < 4 || len(seen.at) > 4+2+len(withoutToken()) {
			t.Errorf("asked at %v", seen.at)
		}
	})
}

func TestWhatIsArchivedIsLookedAtOnceADay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := sources.Sample(1, "org/repo", now, 30)
		r.Archived = true
		w := newWorld(t, r)
		w.follow(time.Hour)
		w.want(whole)
		w.asked()
		w.follow(3 * 24 * time.Hour)
		if got := w.asked(); got != "/graphql x3" {
			t.Errorf("in three days: %s", got)
		}
	})
}

func TestHistoryIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sources.Sample(1, "org/repo", now, 30))
		w.opts.From = now.Add(-10 * time.Hour)
		w.follow(time.Hour)
		if got := w.count(); !strings.HasPrefix(got, "commits 10, ") {
			t.Error(got)
		}
		w.opts.From = time.Time{}
		f, err := New(w.opts)
		if err != nil {
			t.Fatal(err)
		}
		notes, err := w.journal.Notes(t.Context(), "poll/github/id/1")
		if err != nil {
			t.Fatal(err)
		}
		r := poller.Resource{ID: "id/1"}
		if err := json.Unmarshal(notes["poll/github/id/1"], &r); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(f.Rewind(r))
		if err == nil {
			err = w.journal.Keep(t.Context(), map[string][]byte{"poll/github/id/1": text})
		}
		if err != nil {
			t.Fatal(err)
		}
		w.follow(time.Hour)
		if got := w.count(); got != whole {
			t.Error(got)
		}
	})
}

func TestBadOptions(t *testing.T) {
	for want, s := range map[string]poller.Settings{
		"poller.github.url: not an http": {URL: "ftp://x", Every: time.Hour},
		"poller.github.every":            {},
	} {
		o := Options{URL: s.URL, Every: s.Every, Client: http.DefaultClient}
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	note := note(Options{Named: make([]string, 120), Owners: make([]string, 3)}, freely)
	if !strings.Contains(note, "one look at each of about 180 repositories takes 3h0m0s; set poller.github.tokens") {
		t.Error(note)
	}
	if a, ok := artifact(&chain.Row{Kind: stars, Body: []byte(`{"repository":"Org/Repo"}`)}); !ok || a.Namespace != "org" || a.Name != "repo" {
		t.Errorf("%+v, %v", a, ok)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`[{"id":1,"sha":"a","starred_at":"2026-01-01T00:00:00Z","user":{"login":"al","id":1}}]`), `{"node":{"issues":{"nodes":[{"fullDatabaseId":"1"}]}}}`)
	f.Fuzz(func(t *testing.T, list []byte, graph string) {
		for _, kind := range withoutToken() {
			got, err := listOfKind(kind).read(&Feed{}, of{1, "o/r"}, &answer{body: list}, kind)
			if err == nil {
				_, err = (&state{Passes: map[string]*pass{}}).take(kind, page{items: got}, begin)
			}
			if err != nil && strings.Contains(err.Error(), "json: error calling") {
				t.Log(err) // a year beyond 9999: the answer fails
			}
		}
		var d readData
		if json.Unmarshal([]byte(graph), &d) != nil || d.Node == nil {
			return
		}
		for _, kind := range byGraph() {
			if _, err := (&state{Passes: map[string]*pass{}}).take(kind, d.page(kind, of{1, "o/r"}, false), begin); err != nil {
				t.Log(err)
			}
		}
	})
}
