package github

import (
	"hash/fnv"
	"slices"
	"strconv"
	"strings"
	"time"

	"superindex/poller"
)

// How often what leads to repositories is asked for, and what is archived looked at.
const (
	ownersEvery  = 24 * time.Hour
	namesEvery   = 7 * 24 * time.Hour
	dormantEvery = 24 * time.Hour
	lostFirst    = time.Hour // it may be a fault
	lostEvery    = 24 * time.Hour
)

// What an estimate assumes. The cost of a query in points is GitHub's own rule: the
// requests that its connections come to, by 100.
const (
	ownerHas   = 20 // repositories
	changedOf  = 50 // one of so many changes a day: 2 %
	firstReads = 5  // queries that the history of a repository takes, by half a hundred issues, a hundred commits
	lookPoints = 3  // three connections for each of a hundred
	readPoints = 3  // authors of 100 commits, timelines of 50 issues, of 25 pull requests with reviews
	firstPages = 2  // of comments
	perQuery   = 100
)

// The kinds that one query reads, and those that are listed by REST; and what is listed
// where there is no GraphQL, without reviews.
func byGraph() []string { return []string{commits, issues, pulls, releases, stars, forks} }
func byREST() []string  { return []string{issueComments, reviewComments} }
func withoutToken() []string {
	return []string{commits, issues, pulls, issueEvents, releases, stars, forks, issueComments, reviewComments}
}

// Plan implements poller.Feed.
func (f *Feed) Plan(now time.Time, due []poller.Resource) (asks []poller.Ask) {
	var named, looked []poller.Resource
	states := map[string]*state{}
	for _, r := range due {
		if login, ok := strings.CutPrefix(r.ID, ofOwner); ok {
			asks = append(asks, f.askOwner(now, r, login))
		} else if full, ok := strings.CutPrefix(r.ID, ofName); ok && f.tokens == 0 {
			asks = append(asks, poller.Ask{Kind: "repositories by name", Of: []poller.Resource{r}, Cost: 1, Detail: oneName{full}, Expect: expectName(now, r)})
		} else if ok {
			named = append(named, r)
		} else {
			s := stateOf(r)
			if ask, ok := f.askOne(now, r, s); ok {
				asks = append(asks, ask)
				continue
			}
			looked, states[r.ID] = append(looked, r), s
		}
	}
	return slices.Concat(f.askNames(now, named), f.askLooks(now, looked, states), asks)
}

// askOwner asks for a page of an owner's repositories.
func (f *Feed) askOwner(now time.Time, r poller.Resource, login string) poller.Ask {
	a := poller.Ask{Kind: "repositories of an owner", Of: []poller.Resource{r}, Cost: 1, Detail: owner{login}}
	a.Expect = []poller.Resource{r.Expecting(listed{}, now.Add(ownersEvery))}
	for i := range ownerHas {
		what := login + "#" + strconv.Itoa(i)
		a.Expect = append(a.Expect, poller.Resource{ID: ofNumber + what, Parent: r.ID}.Expecting(state{Node: what}, time.Time{}))
	}
	return a
}

// expectName finds a repository.
func expectName(now time.Time, r poller.Resource) []poller.Resource {
	found := poller.Resource{ID: ofNumber + strings.TrimPrefix(r.ID, ofName), Parent: r.ID}.Expecting(state{Node: r.ID}, time.Time{})
	return []poller.Resource{r.Expecting(listed{}, now.Add(namesEvery)), found}
}

// askNames asks for a hundred names in one query; for fewer where that failed.
func (f *Feed) askNames(now time.Time, due []poller.Resource) (asks []poller.Ask) {
	for part := range groups(due) {
		a, d := poller.Ask{Kind: "repositories by name, 100 a query", Of: part, Cost: lookPoints}, names{}
		for _, r := range part {
			d.full = append(d.full, strings.TrimPrefix(r.ID, ofName))
			a.Expect = append(a.Expect, expectName(now, r)...)
		}
		a.Detail = d
		asks = append(asks, a)
	}
	return asks
}

// groups are what one query asks for: a hundred, and a quarter of that each time that
// they failed.
func groups(due []poller.Resource) func(func([]poller.Resource) bool) {
	return func(yield func([]poller.Resource) bool) {
		for from := 0; from < len(due); {
			size := max(1, perQuery>>(2*min(due[from].Tries, 4)))
			to := min(len(due), from+size)
			if !yield(due[from:to:to]) {
				return
			}
			from = to
		}
	}
}

// askLooks asks for a look at a hundred repositories in one query.
func (f *Feed) askLooks(now time.Time, due []poller.Resource, states map[string]*state) (asks []poller.Ask) {
	for part := range groups(due) {
		a := poller.Ask{Kind: "look, 100 a query", Of: part, Cost: lookPoints, Detail: look{}}
		for _, r := range part {
			a.Expect = append(a.Expect, f.expectLook(now, r, states[r.ID]))
		}
		asks = append(asks, a)
	}
	return asks
}

// expectLook opens everything of a repository that was never read, and of one that was
// for 2 % of them.
func (f *Feed) expectLook(now time.Time, r poller.Resource, s *state) poller.Resource {
	h := fnv.New32a()
	h.Write([]byte(r.ID))
	if s.Marks != nil && h.Sum32()%changedOf != 0 {
		r.Due = f.again(s, now)
		return r
	}
	for _, kind := range f.kinds() {
		s.begin(kind).Open = true
	}
	return r.Expecting(s, now)
}

// kinds are those that are read here.
func (f *Feed) kinds() []string {
	if f.tokens == 0 {
		return withoutToken()
	}
	return slices.Concat(byGraph(), byREST())
}

// askOne asks for one repository, if it is not looked at with others.
func (f *Feed) askOne(now time.Time, r poller.Resource, s *state) (a poller.Ask, ok bool) {
	a = poller.Ask{Of: []poller.Resource{r}, Cost: 1}
	lists, first := s.open(f.kinds()), s.Marks == nil
	if s.Lost || s.Node == "" || f.tokens == 0 && len(lists) == 0 {
		a.Kind, a.Detail = "repositories by number", oneNumber{numberOfID(r)}
		a.Expect = []poller.Resource{f.expectLook(now, r, s)}
		return a, true
	}
	var wanted []string
	if f.tokens > 0 {
		wanted = s.open(byGraph())
	}
	switch {
	case len(lists) == 0:
		return a, false
	case len(wanted) > 0:
		a.Kind, a.Detail, a.Cost = "read", read{wanted}, readPoints
		if first {
			a.Cost *= firstReads
		}
		a.Expect = []poller.Resource{f.expectRead(now, r, s, wanted)}
	default:
		a.Kind, a.Detail = strings.ReplaceAll(lists[0], "_", " "), listing{lists[0]}
		if first {
			a.Cost *= firstPages
		}
		a.Expect = []poller.Resource{f.expectRead(now, r, s, lists[:1])}
	}
	return a, true
}

// expectRead closes what was read.
func (f *Feed) expectRead(now time.Time, r poller.Resource, s *state, kinds []string) poller.Resource {
	for _, kind := range kinds {
		s.begin(kind).Open = false
	}
	if len(s.open(f.kinds())) > 0 {
		return r.Expecting(s, now)
	}
	s.Marks = map[string]string{commits: ""} // it was looked at
	return r.Expecting(s, f.again(s, now))
}
