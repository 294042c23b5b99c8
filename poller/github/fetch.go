package github

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"superindex/chain"
	"superindex/poller"
)

// activity is the dataset of the coverage of a repository as a whole.
const activity = "activity"

// fetchLook looks at up to a hundred repositories.
func (f *Feed) fetchLook(ctx context.Context, of []poller.Resource) (result poller.Result, err error) {
	now, ids := time.Now(), make([]string, len(of))
	states := make([]*state, len(of))
	for i := range of {
		states[i] = stateOf(of[i])
		ids[i] = states[i].Node
	}
	r, body, err := post[struct {
		Nodes []*repository `json:"nodes"`
	}](ctx, f, fmt.Sprintf("a look at %d repositories", len(of)), lookQuery, map[string]any{"ids": ids})
	if err != nil {
		return result, err
	}
	if len(r.Data.Nodes) != len(of) {
		return result, fmt.Errorf("a look at %d repositories: the answer is about %d", len(of), len(r.Data.Nodes))
	}
	result.Payloads = []poller.Payload{{What: "look/" + of[0].ID, Body: body}}
	for i, one := range r.Data.Nodes {
		switch {
		case one != nil && one.ID != "":
			if err := f.looked(&result, of[i], states[i], one, now); err != nil {
				return result, err
			}
		case r.gone("nodes", i):
			result.After = append(result.After, f.absent(of[i], states[i], now).After...)
		}
	}
	return result, nil
}

// looked takes over what a look saw.
func (f *Feed) looked(result *poller.Result, r poller.Resource, s *state, one *repository, now time.Time) error {
	s.seen(one)
	if s.Cut && f.tokens > 0 && f.owes(s, now) {
		s.begin(stars).Open = true // the others are given now
	}
	body, err := json.Marshal(one.row())
	if err != nil {
		return fmt.Errorf("the repository %s: %w", one.Name, err)
	}
	if row := digest(body); row != s.Row {
		s.Row = row
		id := strings.TrimPrefix(r.ID, ofNumber)
		result.Rows = append(result.Rows, chain.Row{Kind: repositories, ID: id, Time: uint64(max(0, one.UpdatedAt.Unix())), Body: body})
	}
	after := f.settled(r, s, now)
	result.Coverage = append(result.Coverage, after.Coverage...)
	result.After = append(result.After, after.After...)
	return nil
}

// settled is due at once while there is something to read. Else what happened up to
// yesterday is here, which is said once a day.
func (f *Feed) settled(r poller.Resource, s *state, now time.Time) (result poller.Result) {
	if len(s.open(f.kinds())) > 0 {
		result.After = []poller.Resource{r.With(s, s.retry(now))}
		return result
	}
	s.Absent = 0
	if first, yesterday := f.firstDay(s), poller.DayOf(now)-1; f.owes(s, now) {
		s.Covered = yesterday
		result.Coverage = append(result.Coverage, f.covers(r, activity, first, yesterday, poller.Complete, ""))
		if s.Gap > 0 && s.Gap != first {
			result.Coverage = append(result.Coverage, f.covers(r, activity, s.Gap, yesterday, poller.Complete, ""))
		}
		s.Gap = 0
		result.Coverage = append(result.Coverage, f.lacks(r, s, first, yesterday)...)
	}
	result.After = []poller.Resource{r.With(s, f.again(s, now))}
	return result
}

// owes: a day has ended of which it was not said that it is here.
func (f *Feed) owes(s *state, now time.Time) bool {
	yesterday := poller.DayOf(now) - 1
	return yesterday > s.Covered && yesterday >= f.firstDay(s)
}

// lacks is what GitHub does not give without a token.
func (f *Feed) lacks(r poller.Resource, s *state, first, last uint64) (all []poller.Coverage) {
	had := s.Cut
	s.Cut = f.tokens == 0 && s.starred() > lastOfStars*perPage
	if f.tokens == 0 {
		all = append(all, f.covers(r, reviews, first, last, poller.Missing, "reviews need a token"))
	}
	switch {
	case s.Cut:
		all = append(all, f.covers(r, stars, first, last, poller.Missing, fmt.Sprintf("more than the first %d stars need a token", lastOfStars*perPage)))
	case had:
		all = append(all, f.covers(r, stars, first, last, poller.Complete, ""))
	}
	return all
}

// retry is when there is another try: at once, unless it was absent.
func (s *state) retry(now time.Time) time.Time {
	if s.Absent == 0 {
		return now
	}
	return now.Add(min(time.Minute<<min(s.Absent, 10), 6*time.Hour))
}

// firstDay is the first of which a repository can say anything.
func (f *Feed) firstDay(s *state) uint64 {
	if s.Created.After(f.first) {
		return poller.DayOf(s.Created)
	}
	return poller.DayOf(f.first)
}

func (f *Feed) covers(r poller.Resource, dataset string, from, to uint64, status, why string) poller.Coverage {
	return poller.Coverage{Dataset: dataset, Resource: strings.TrimPrefix(r.ID, ofNumber), From: from, To: to, Unit: poller.Day, Status: status, Reason: why}
}

// lost is the result where GitHub does not have, or does not show, a repository: from
// the last day that is here on its days are missing.
func (f *Feed) lost(r poller.Resource, s *state, code int, now time.Time) (result poller.Result) {
	due := now.Add(lostEvery)
	if s.Gap == 0 {
		s.Gap, due = max(f.firstDay(s), s.Covered+1), now.Add(lostFirst)
	}
	if yesterday := poller.DayOf(now) - 1; yesterday >= s.Gap {
		result.Coverage = []poller.Coverage{f.covers(r, activity, s.Gap, yesterday, poller.Missing, whyGone(code))}
	}
	s.Lost = true
	result.After = []poller.Resource{r.With(s, due)}
	return result
}

// fetchRead reads a page of each of some kinds.
func (f *Feed) fetchRead(ctx context.Context, r poller.Resource, kinds []string) (result poller.Result, err error) {
	s, now := stateOf(r), time.Now()
	what := "what is new in " + s.Name
	answer, body, err := post[readData](ctx, f, what, readQuery, f.variables(s, kinds, r.Tries))
	switch {
	case err != nil:
		return result, err
	case answer.Data.Node == nil && answer.gone("node"):
		return f.absent(r, s, now), nil
	case len(answer.Errors) > 0 || answer.Data.Node == nil:
		return result, fmt.Errorf("%s: GitHub says: %.200s", what, answer.Errors[0].Message)
	}
	older, err := f.beginnings(ctx, what, answer.Data.threads())
	if err != nil {
		return result, err
	}
	result.Payloads = append(older, poller.Payload{What: "read/" + s.Node + "/" + strings.Join(kinds, "+"), Body: body})
	o := of{numberOfID(r), s.Name}
	for _, kind := range kinds {
		rows, err := s.take(kind, answer.Data.page(kind, o, f.opts.Emails), f.first)
		if err != nil {
			return result, err
		}
		result.Rows = append(result.Rows, rows...)
	}
	s.Absent = 0
	after := f.settled(r, s, now)
	result.Coverage, result.After = after.Coverage, after.After
	return result, nil
}

// absent is the result where GraphQL has no such repository, or REST none of its lists:
// its number is asked for next, which says why, then there is another try, later each
// time.
func (f *Feed) absent(r poller.Resource, s *state, now time.Time) (result poller.Result) {
	s.Lost = true
	s.Absent++
	result.After = []poller.Resource{r.With(s, now)}
	return result
}

// variables are those of readQuery. What failed is asked for in smaller pages.
func (f *Feed) variables(s *state, kinds []string, tries int) map[string]any {
	less := 2 * min(tries, 3)
	v := map[string]any{"id": s.Node, "n": max(5, perPage>>less), "few": max(2, 25>>less)}
	for kind, name := range map[string]string{commits: "commits", issues: "issues", pulls: "pulls", releases: "releases", stars: "stars", forks: "forks"} {
		v[name] = false
		for _, k := range kinds {
			if k == kind {
				v[name] = true
				if p := s.begin(kind); p.After != "" && !strings.HasPrefix(p.After, ofPage) {
					v[name+"After"] = p.After
				}
			}
		}
	}
	if since := s.since(commits, f.first); since.After(begin) {
		v["commitsSince"] = since.UTC().Format(time.RFC3339)
	}
	return v
}

// fetchList reads a page of a kind that REST lists.
func (f *Feed) fetchList(ctx context.Context, r poller.Resource, kind string) (result poller.Result, err error) {
	s, now := stateOf(r), time.Now()
	pg, body, gone, err := f.list(ctx, numberOfID(r), s, kind)
	switch {
	case err != nil:
		return result, err
	case gone:
		return f.absent(r, s, now), nil
	}
	if body != nil {
		result.Payloads = []poller.Payload{{What: fmt.Sprintf("%s/%d/%d", kind, numberOfID(r), s.pageOf(kind)), Body: body}}
	}
	rows, err := s.take(kind, pg, f.first)
	if err != nil {
		return result, err
	}
	s.Absent = 0
	after := f.settled(r, s, now)
	result.Rows, result.Coverage, result.After = rows, after.Coverage, after.After
	return result, nil
}
