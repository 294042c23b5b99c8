package github

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	gh "github.com/google/go-github/v92/github"

	"superindex/chain"
	"superindex/poller"
)

// listed is what is known of an owner, or of a name.
type listed struct {
	Tag  tag     `json:"tag,omitzero"`  // of the first page
	IDs  []int64 `json:"ids,omitempty"` // repositories, in order
	Page string  `json:"page,omitempty"`
	Part []int64 `json:"part,omitempty"` // of the pages so far
	Row  string  `json:"row,omitempty"`
}

func listedOf(r poller.Resource) (l listed) {
	if r.Into(&l) != nil {
		return listed{}
	}
	return l
}

// fetchOwner asks for a page of an owner's repositories, the newest first: where the
// first page is as it was, nothing was added.
func (f *Feed) fetchOwner(ctx context.Context, r poller.Resource, login string) (result poller.Result, err error) {
	l, now, what := listedOf(r), time.Now(), "the repositories of "+login
	query := url.Values{"type": {"owner"}, "sort": {"created"}, "direction": {"desc"}, "per_page": {"100"}}
	t := l.Tag
	if l.Page != "" {
		query.Set("page", l.Page)
		t = tag{}
	}
	a, err := f.get(ctx, what, "users/"+login+"/repos", query, t)
	switch {
	case err != nil:
		return result, err
	case a.code == http.StatusNotModified:
		result.After = []poller.Resource{r.With(l, now.Add(max(ownersEvery, a.wait)))}
		return result, nil
	case a.code != http.StatusOK:
		return f.unknown(r, l, login, a.code, now), nil
	}
	all, err := readAll[gh.Repository](&a, what)
	if err != nil {
		return result, err
	}
	result.Payloads = []poller.Payload{{What: "owner/" + login + "/" + l.Page, Body: a.body}}
	if l.Page == "" {
		l.Part, l.Tag = nil, a.tag
	}
	for _, n := range all {
		if n.GetPrivate() {
			continue
		}
		l.Part = append(l.Part, n.GetID())
		found := state{Node: n.GetNodeID(), Name: n.GetFullName(), Created: n.GetCreatedAt().UTC(), Fork: n.GetFork()}
		result.After = append(result.After, poller.Resource{ID: idOf(n.GetID()), Parent: r.ID}.With(found, time.Time{}))
	}
	due := now
	if l.Page = a.next; l.Page == "" {
		due = now.Add(max(ownersEvery, a.wait))
		result.Rows, err = l.whole(login, "")
	}
	result.After = append(result.After, r.With(l, due))
	return result, err
}

// whole ends a listing; its row is there if it changed.
func (l *listed) whole(owner, name string) ([]chain.Row, error) {
	slices.Sort(l.Part)
	l.IDs, l.Part = slices.Compact(l.Part), nil
	body, err := json.Marshal(listingRow{owner, name, l.IDs})
	if err != nil {
		return nil, fmt.Errorf("the listing of %s/%s: %w", owner, name, err)
	}
	if l.Row == digest(body) {
		return nil, nil
	}
	l.Row = digest(body)
	return []chain.Row{{Kind: listings, ID: owner + "/" + name, Time: uint64(time.Now().Unix()), Body: body}}, nil
}

// unknown is the result where GitHub does not have, or does not show, what is listed.
func (f *Feed) unknown(r poller.Resource, l listed, what string, code int, now time.Time) (result poller.Result) {
	first, yesterday := poller.DayOf(f.first), poller.DayOf(now)-1
	result.Coverage = []poller.Coverage{{
		Dataset: listings, Resource: what, From: first, To: max(first, yesterday), Unit: poller.Day, Status: poller.Missing, Reason: whyGone(code),
	}}
	l.Page, l.Part = "", nil
	result.After = []poller.Resource{r.With(l, now.Add(namesEvery))}
	return result
}

func whyGone(code int) string {
	switch code {
	case http.StatusGone:
		return "410: GitHub has it no more"
	case http.StatusUnavailableForLegalReasons:
		return "451: GitHub may not show it"
	}
	return "404: GitHub does not have it, or it is private"
}

// fetchNames looks up to a hundred repositories up by their names.
func (f *Feed) fetchNames(ctx context.Context, of []poller.Resource, full []string) (result poller.Result, err error) {
	now, vars := time.Now(), map[string]string{}
	for i, name := range full {
		vars[fmt.Sprint("o", i)], vars[fmt.Sprint("n", i)] = ownerAndName(name)
	}
	r, body, err := post[map[string]*repository](ctx, f, fmt.Sprintf("%d repositories by name", len(full)), namesQuery(len(full)), vars)
	if err != nil {
		return result, err
	}
	result.Payloads = []poller.Payload{{What: "names/" + full[0], Body: body}}
	for i := range of {
		alias := fmt.Sprint("r", i)
		switch one := (*r.Data)[alias]; {
		case one != nil && one.Number > 0:
			err = f.named(&result, of[i], full[i], one, now)
		case r.gone(alias):
			gone := f.unknown(of[i], listedOf(of[i]), full[i], http.StatusNotFound, now)
			result.Coverage = append(result.Coverage, gone.Coverage...)
			result.After = append(result.After, gone.After...)
		}
		if err != nil {
			return result, err
		}
	}
	return result, nil
}

// named takes over that a name stands for a repository. One that is followed already
// keeps its state.
func (f *Feed) named(result *poller.Result, r poller.Resource, full string, one *repository, now time.Time) error {
	l := listedOf(r)
	l.Part = []int64{one.Number}
	owner, name := ownerAndName(full)
	rows, err := l.whole(owner, name)
	if err != nil {
		return err
	}
	s := &state{Node: one.ID, Name: one.Name, Created: one.CreatedAt, Fork: one.Fork}
	result.Rows = append(result.Rows, rows...)
	result.After = append(result.After, r.With(l, now.Add(namesEvery)), poller.Resource{ID: idOf(one.Number), Parent: r.ID}.With(s, time.Time{}))
	return nil
}

func idOf(number int64) string { return fmt.Sprint(ofNumber, number) }

// fetchOne asks REST for one repository, by its name or its number.
func (f *Feed) fetchOne(ctx context.Context, r poller.Resource, path string) (result poller.Result, err error) {
	full, byName := strings.CutPrefix(r.ID, ofName)
	s, l, now := stateOf(r), listedOf(r), time.Now()
	t := s.Tag
	if byName {
		t = l.Tag
	}
	a, err := f.get(ctx, "the repository "+path, path, nil, t)
	if a.wait > 0 {
		s.Rest = now.Add(a.wait)
	}
	switch {
	case err != nil:
		return result, err
	case a.code == http.StatusNotModified && byName:
		result.After = []poller.Resource{r.With(l, now.Add(max(namesEvery, a.wait)))}
		return result, nil
	case a.code == http.StatusNotModified && f.tokens > 0:
		return f.there(r, s, now), nil
	case a.code == http.StatusNotModified:
		s.Lost = false
		return f.settled(r, s, now), nil
	case a.code != http.StatusOK && byName:
		return f.unknown(r, l, full, a.code, now), nil
	case a.code != http.StatusOK:
		return f.lost(r, s, a.code, now), nil
	}
	var n gh.Repository
	if err := json.Unmarshal(a.body, &n); err != nil || n.GetID() == 0 {
		return result, fmt.Errorf("the repository %s: the answer is not in the form expected", path)
	}
	result.Payloads = []poller.Payload{{What: path, Body: a.body}}
	one := fromREST(&n, poller.DayOf(now))
	if byName {
		r = r.With(listed{Tag: a.tag, IDs: l.IDs, Row: l.Row}, r.Due)
		return result, f.named(&result, r, full, &one, now)
	}
	s.Tag = a.tag
	if f.tokens > 0 {
		s.Node, s.Name = one.ID, one.Name
		result.After = f.there(r, s, now).After
		return result, nil
	}
	err = f.looked(&result, r, s, &one, now)
	return result, err
}

// there is the result where REST has what GraphQL had not: that is asked again, for it
// sees more.
func (f *Feed) there(r poller.Resource, s *state, now time.Time) (result poller.Result) {
	s.Lost = false
	result.After = []poller.Resource{r.With(s, s.retry(now))}
	return result
}
