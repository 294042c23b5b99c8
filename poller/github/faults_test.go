package github

import (
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"superindex/internal/sources"
)

// whole is what a sample of 30 comes to.
const whole = "commits 30, forks 3, issue_comments 15, issue_events 40, issues 30, listings 1, pull_requests 30, releases 3, repositories 1, review_comments 15, reviews 15, stars 30"

// times notes when requests came.
type times struct {
	at     []time.Duration // since the test began
	tokens []string
}

// watch notes every request, and lets f answer.
func (w *world) watch(f func(n int, rw http.ResponseWriter, r *http.Request) bool) *times {
	seen := &times{}
	w.wire.Fault = func(n int, rw http.ResponseWriter, r *http.Request) bool {
		seen.at = append(seen.at, time.Since(now))
		seen.tokens = append(seen.tokens, strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		return f != nil && f(n, rw, r)
	}
	return seen
}

// pause is the longest time without a request, and when it began.
func (s *times) pause() (began, long time.Duration) {
	for i := 1; i < len(s.at); i++ {
		if d := s.at[i] - s.at[i-1]; d > long {
			began, long = s.at[i-1], d
		}
	}
	return began, long
}

func refuse(rw http.ResponseWriter, code int, body string, headers ...string) bool {
	for i := 0; i+1 < len(headers); i += 2 {
		rw.Header().Set(headers[i], headers[i+1])
	}
	rw.WriteHeader(code)
	_, _ = io.WriteString(rw, body) // a recorder takes all
	return true
}

func TestATokenIsParkedUntilItsReset(t *testing.T) {
	for _, c := range []struct {
		name             string
		tokens           []string
		points, requests int
		rest             time.Duration // of the feed, about; 0 for none
	}{
		{"one token without points", []string{"a"}, 2, 100, time.Hour},
		{"one without requests", []string{"a"}, 100, 1, time.Hour},
		{"two of which one is spent", []string{"a", "b"}, 3, 100, 0},
		{"two that are both spent", []string{"a", "b"}, 1, 100, time.Hour},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, sources.Sample(1, "org/repo", now, 30))
			w.tokens, w.service.Points, w.service.Requests = c.tokens, c.points, c.requests
			w.perHour = 3600
			seen := w.watch(nil)
			w.follow(10 * time.Minute)
			if rests := !w.state.RestsUntil.IsZero(); rests != (c.rest > 0) || rests && w.state.RestsUntil.Sub(now) < c.rest {
				t.Errorf("%s: rests until %v: %s", c.name, w.state.RestsUntil, w.state.Fault)
			}
			w.follow(3*time.Hour - 10*time.Minute)
			w.want(whole)
			if _, long := seen.pause(); c.rest > 0 && (long < c.rest-time.Minute || long > c.rest+time.Minute) {
				t.Errorf("%s: the longest pause is %v", c.name, long)
			}
			if !slices.Contains(seen.tokens, c.tokens[len(c.tokens)-1]) {
				t.Errorf("%s: asked with %q", c.name, seen.tokens)
			}
		})
	}
}

func TestLimitsAreWaitedFor(t *testing.T) {
	reset := fmt.Sprint(now.Add(20 * time.Minute).Unix())
	for name, c := range map[string]struct {
		code    int
		body    string
		headers []string
		waits   time.Duration
	}{
		"a primary limit":                  {403, `{"message":"API rate limit exceeded"}`, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset}, 20 * time.Minute},
		"a primary limit as 429":           {429, `{}`, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset}, 20 * time.Minute},
		"a secondary one with a time":      {403, `{}`, []string{"Retry-After", "120"}, 2 * time.Minute},
		"a secondary one as 429":           {429, `{}`, []string{"Retry-After", "300"}, 5 * time.Minute},
		"a secondary one without a time":   {403, `{"message":"You have exceeded a secondary rate limit"}`, nil, time.Minute},
		"a secondary one of GraphQL":       {200, `{"message":"You have exceeded a secondary rate limit. Please wait a few minutes."}`, nil, time.Minute},
		"one of GraphQL with a time":       {200, `{"data":null,"errors":[{"type":"RATE_LIMITED","message":"You have exceeded a secondary rate limit"}]}`, []string{"Retry-After", "300"}, 5 * time.Minute},
		"a reset that is over":             {403, `{}`, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "1"}, time.Minute},
		"both, of which the longer counts": {403, `{}`, []string{"Retry-After", "1800", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", reset}, 30 * time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, sources.Sample(1, "org/repo", now, 30))
			seen := w.watch(func(n int, rw http.ResponseWriter, _ *http.Request) bool {
				return n == 2 && refuse(rw, c.code, c.body, c.headers...)
			})
			w.follow(time.Minute / 2)
			if n := len(seen.at); n != 2 || w.state.RestsUntil.IsZero() {
				t.Errorf("%s: %d requests, %+v", name, n, w.state)
			}
			w.follow(time.Hour) // a restart does not forget
			w.want(whole)
			if waited := seen.at[2] - seen.at[1]; waited < c.waits-time.Second || waited > c.waits+2*time.Second {
				t.Errorf("%s: waited %v, not %v", name, waited, c.waits)
			}
		})
	}
}

// What was asked for may speak of limits without being one.
func TestTalkOfLimitsIsNoLimit(t *testing.T) {
	for body, want := range map[string]bool{
		`{"data":{"node":{"title":"You have exceeded a secondary rate limit"}}}`:                            false,
		`{"data":{"node":null},"errors":[{"message":"secondary rate limit"}]}`:                              false,
		`{"errors":[{"type":"RATE_LIMITED","message":"API rate limit exceeded"}]}`:                          false, // the headers say so
		`{"data":{"x":"` + strings.Repeat("rate limit ", 10_000) + `"}}`:                                    false,
		`{"errors":[{"type":"RATE_LIMITED","message":"You have exceeded a secondary rate limit"}]}`:         true,
		`{"data":null,"message":"You have triggered an abuse detection mechanism","documentation_url":"x"}`: true,
	} {
		resp := &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(body))}
		if got, err := saysLimit(resp); err != nil || got != want {
			t.Errorf("%.80s: %v, %v", body, got, err)
		}
		if left, err := io.ReadAll(resp.Body); err != nil || string(left) != body {
			t.Errorf("%d of %d bytes are left of %.80s: %v", len(left), len(body), body, err)
		}
	}
}

func TestSecondaryLimitsInARowDouble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sources.Sample(1, "org/repo", now, 30))
		seen := w.watch(func(n int, rw http.ResponseWriter, _ *http.Request) bool {
			return n < 4 && refuse(rw, 403, `{"message":"You have exceeded a secondary rate limit"}`)
		})
		w.follow(time.Hour)
		w.want(whole)
		want := []time.Duration{0, time.Minute, 3 * time.Minute, 7 * time.Minute}
		for i, at := range want {
			if d := seen.at[i] - at; d < 0 || d > 5*time.Second {
				t.Errorf("request %d came at %v, not %v", i, seen.at[i], at)
			}
		}
	})
}

func TestATokenThatIsRefused(t *testing.T) {
	for _, tokens := range [][]string{{"bad"}, {"bad", "good"}} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, sources.Sample(1, "org/repo", now, 30))
			w.tokens = tokens
			seen := w.watch(func(_ int, rw http.ResponseWriter, r *http.Request) bool {
				return r.Header.Get("Authorization") == "Bearer bad" && refuse(rw, 401, `{"message":"Bad credentials"}`)
			})
			w.follow(50 * time.Minute)
			if len(tokens) == 2 {
				w.want(whole)
				return
			}
			w.want("")
			if len(seen.at) != 1 || !strings.Contains(w.state.Fault, "poller.github.tokens") {
				t.Errorf("asked %d times, %+v", len(seen.at), w.state)
			}
		})
	}
}

func TestATokenGoesToItsHostAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, sources.Sample(1, "org/repo", now, 30))
		w.opts.Named, w.opts.Owners = nil, []string{"org"}
		w.watch(func(n int, rw http.ResponseWriter, r *http.Request) bool {
			if r.URL.Host == "elsewhere.example" && r.Header.Get("Authorization") != "" {
				t.Error("the token goes elsewhere")
			}
			return n == 1 && refuse(rw, http.StatusMovedPermanently, `{}`, "Location", "http://elsewhere.example/users/org/repos")
		})
		w.follow(time.Minute)
		w.want(whole)
	})
}

func TestFaultsMoveNothing(t *testing.T) {
	for name, c := range map[string]struct {
		code int
		body string
	}{
		"an error of GraphQL":      {200, `{"errors":[{"message":"Something went wrong while executing your query."}]}`},
		"a part that is not there": {200, `{"data":{"r0":null,"nodes":[null],"node":null},"errors":[{"type":"FORBIDDEN","path":["r0"]},{"message":"timeout","path":["nodes",0]},{"message":"timeout","path":["node"]}]}`},
		"half an answer":           {200, `{"data":{"r0":{"id":"R_1","databaseId":1,"nameW`},
		"nothing":                  {200, `{}`},
		"a page for people":        {200, `<html>`},
		"no such page":             {404, `{"message":"Not Found"}`},
		"a gateway's error":        {502, `<html>`},
		"a refusal":                {403, `{"message":"Resource not accessible"}`},
	} {
		for _, at := range []int{1, 2, 3, 5} { // names, look, read, the second list of comments
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(t, sources.Sample(1, "org/repo", now, 30))
				until := now.Add(20 * time.Second)
				w.watch(func(n int, rw http.ResponseWriter, _ *http.Request) bool {
					return n >= at && time.Now().Before(until) && refuse(rw, c.code, c.body)
				})
				w.follow(30 * time.Second)
				if w.count() == whole {
					t.Errorf("%s: nothing failed", name)
				}
				w.follow(2 * time.Hour)
				w.want(whole)
				if w.state.Failing > 0 {
					t.Errorf("%s at %d: %+v", name, at, w.state)
				}
			})
		}
	}
}

func TestWhatFailsIsAskedForInSmallerParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var repos []*sources.Repo
		for i := range 120 {
			repos = append(repos, sources.Sample(int64(i+1), fmt.Sprint("org/r", i), now, 2))
		}
		w := newWorld(t, repos...)
		var sizes []int
		w.watch(func(_ int, rw http.ResponseWriter, r *http.Request) bool {
			if r.GetBody == nil {
				return false
			}
			body, err := r.GetBody()
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(body)
			if err != nil || !strings.Contains(string(text), "query Look") {
				return false
			}
			size := strings.Count(string(text), `"R_`)
			sizes = append(sizes, size)
			return size > 30 && refuse(rw, 504, "{}")
		})
		w.opts.Named, w.opts.Owners = nil, []string{"org"}
		w.follow(15 * time.Minute)
		if !strings.Contains(w.count(), "commits 240, ") || slices.Max(sizes) != 100 || !slices.Contains(sizes, 25) {
			t.Errorf("%s, looks at %v", w.count(), sizes)
		}
	})
}

func TestARenameAndATransferAreFollowed(t *testing.T) {
	for _, tokens := range [][]string{{"a"}, nil} {
		synctest.Test(t, func(t *testing.T) {
			repo := sources.Sample(1, "org/repo", now, 30)
			w := newWorld(t, repo)
			w.tokens, w.opts.Every = tokens, 2*time.Hour
			w.follow(2 * time.Hour)
			before := w.count()
			w.service.Change(func() {
				repo.Name, repo.Before = "other/Renamed", []string{"org/repo"}
				repo.Commits = append(repo.Commits, sources.Commit{SHA: strings.Repeat("f", 40), At: time.Now(), Name: "U", Email: "u@example.com"})
				repo.Pushed = time.Now()
			})
			w.follow(8 * 24 * time.Hour) // the name is looked up again too
			w.want(strings.Replace(before, "commits 30", "commits 31", 1))
			if body := string(w.rows["repositories 1"].Body); !strings.Contains(body, `"repository":"other/Renamed"`) {
				t.Error(body)
			}
			if body := string(w.rows["listings org/repo"].Body); body != `{"owner":"org","name":"repo","repository_ids":[1]}` {
				t.Error(body)
			}
			if body := string(w.rows["commits 1/"+strings.Repeat("f", 40)].Body); !strings.Contains(body, `"repository":"other/Renamed"`) {
				t.Error(body)
			}
		})
	}
}

func TestWhatIsGoneIsMissing(t *testing.T) {
	for code, why := range map[int]string{404: "404: GitHub does not have it, or it is private", 410: "410: GitHub has it no more", 451: "451: GitHub may not show it"} {
		for _, tokens := range [][]string{{"a"}, nil} {
			synctest.Test(t, func(t *testing.T) {
				repo := sources.Sample(1, "org/repo", now, 30)
				w := newWorld(t, repo)
				w.tokens, w.opts.Every = tokens, time.Hour
				w.follow(2 * time.Hour)
				before := w.count()
				w.service.Change(func() { repo.Gone = code })
				w.follow(75 * time.Hour)
				if got := w.coverage("1"); !slices.Contains(got, "activity missing 2026-11-20 to 2026-11-22: "+why) || !slices.Contains(got, "activity complete 2026-11-15 to 2026-11-19") {
					t.Errorf("%d, %d tokens: %q", code, len(tokens), got)
				}
				w.service.Change(func() { repo.Gone = 0 })
				w.follow(2 * 24 * time.Hour)
				w.want(before)
				if got := strings.Join(w.coverage("1"), ", "); strings.Contains(got, "activity missing") || !strings.Contains(got, "activity complete 2026-11-15 to 2026-11-24") {
					t.Errorf("%d, %d tokens, when it is back: %q", code, len(tokens), got)
				}
			})
		}
	}
}

func TestAListedNameThatIsNotThereIsMissing(t *testing.T) {
	for _, tokens := range [][]string{{"a"}, nil} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.tokens, w.opts.Named, w.opts.Owners = tokens, []string{"no/body"}, []string{"nobody"}
			w.service.Add()
			w.follow(time.Hour)
			w.want("")
			const why = " missing 2007-10-01 to 2026-11-19: 404: GitHub does not have it, or it is private"
			w.coverages("no/body", "listings"+why)
			w.coverages("nobody", "listings"+why)
			w.asked()
			w.follow(6 * 24 * time.Hour)
			if got := w.asked(); got != "" {
				t.Errorf("asked again: %s", got)
			}
			w.service.Add(sources.Sample(1, "no/body", now, 30))
			w.follow(2 * 24 * time.Hour)
			if want := whole; tokens == nil {
				w.want(strings.Replace(want, ", reviews 15", "", 1))
			} else {
				w.want(want)
			}
		})
	}
}
