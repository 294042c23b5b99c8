package github

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"strings"
	"time"

	"superindex/chain"
	"superindex/poller"
)

// The kinds of what is read of a repository. Each is listed by itself; issues and pull
// requests bring their events and reviews.
const (
	commits        = "commits"
	issues         = "issues"
	pulls          = "pull_requests"
	releases       = "releases"
	stars          = "stars"
	forks          = "forks"
	issueComments  = "issue_comments"
	reviewComments = "review_comments"
	issueEvents    = "issue_events" // a list of its own without a token
	reviews        = "reviews"
	repositories   = "repositories"
	listings       = "listings"
)

// overlapOf is how far below its cursor a pass goes: for answers from a copy that
// lagged, and, of commits, for branches that are merged late. Releases are few, and
// change: all are read.
func overlapOf(kind string) time.Duration {
	switch kind {
	case commits:
		return 45 * 24 * time.Hour
	case releases:
		return 100 * 365 * 24 * time.Hour
	}
	return 24 * time.Hour
}

// state is what is known of a repository.
type state struct {
	Node    string            `json:"node"` // its id in GraphQL
	Name    string            `json:"name"` // owner/name, as of the last look
	Created time.Time         `json:"created"`
	Fork    bool              `json:"fork,omitempty"`
	Dormant bool              `json:"dormant,omitempty"` // archived or disabled
	Marks   map[string]string `json:"marks,omitempty"`   // what the last look saw, by kind; nil before it
	Row     string            `json:"row,omitempty"`     // digest of the repository's own row
	Passes  map[string]*pass  `json:"passes,omitempty"`  // by kind
	Total   int               `json:"total,omitempty"`   // commits on the default branch, after the last pass
	Lost    bool              `json:"lost,omitempty"`    // GraphQL does not have it: REST says why
	Absent  int               `json:"absent,omitempty"`  // how often in a row a list was not there
	Tag     tag               `json:"tag,omitzero"`
	Rest    time.Time         `json:"rest,omitzero"` // REST asks not to be asked for it before

	Covered uint64 `json:"covered,omitempty"` // the last day of which all is here, counted since 1970
	Gap     uint64 `json:"gap,omitempty"`     // the first day of those that are missing since
	Cut     bool   `json:"cut,omitempty"`     // it has more stars than were given
}

// tag is an ETag, and the token that it was given to: another one does not know it.
type tag struct {
	ETag  string `json:"etag"`
	Token string `json:"token"`
}

// pass is where the reading of one kind stands.
type pass struct {
	Cursor time.Time       `json:"cursor,omitzero"` // the newest that whole passes brought
	Open   bool            `json:"open,omitempty"`  // there is something to read
	After  string          `json:"after,omitempty"` // where the pass under way goes on; "" begins one
	Top    time.Time       `json:"top,omitzero"`    // the newest of the pass under way
	Whole  bool            `json:"whole,omitempty"` // the pass goes down to the beginning
	New    int             `json:"new,omitempty"`   // that the pass under way brought
	Seen   json.RawMessage `json:"seen,omitempty"`  // what may come again: map[string]seen, by digest of its id; read only where the pass goes on
}

// seen is an observation that was brought.
type seen struct {
	At   int64  `json:"a"` // by what the list is ordered, seconds since 1970
	Body string `json:"b"`
}

// stateOf reads a resource's state; one that cannot be read is the first.
func stateOf(r poller.Resource) *state {
	s := &state{}
	if r.Into(s) != nil {
		s = &state{}
	}
	if s.Passes == nil {
		s.Passes = map[string]*pass{}
	}
	return s
}

// open are the kinds that there is something to read of, in the order of all.
func (s *state) open(all []string) (kinds []string) {
	for _, kind := range all {
		if p := s.Passes[kind]; p != nil && p.Open {
			kinds = append(kinds, kind)
		}
	}
	return kinds
}

// mark takes down what a look saw of a kind, and opens what it is read by where that
// is news.
func (s *state) mark(kind, now string, reads ...string) {
	if s.Marks == nil {
		s.Marks = map[string]string{}
	}
	if was, known := s.Marks[kind]; known && was == now {
		return
	}
	s.Marks[kind] = now
	for _, k := range reads {
		s.begin(k).Open = true
	}
}

// begin is the pass of a kind.
func (s *state) begin(kind string) *pass {
	if s.Passes[kind] == nil {
		s.Passes[kind] = &pass{}
	}
	return s.Passes[kind]
}

// since is where a pass ends: older things are not wanted, or are here.
func (s *state) since(kind string, first time.Time) time.Time {
	if s.Fork && kind == commits && s.Created.After(first) {
		first = s.Created // what lies before is the other repository's
	}
	p := s.Passes[kind]
	if p == nil || p.Cursor.IsZero() || p.Whole {
		return first
	}
	if at := p.Cursor.Add(-overlapOf(kind)); at.After(first) {
		return at
	}
	return first
}

// page is one answer about a kind.
type page struct {
	items []item
	next  string // where the list goes on; "" where it ends
	total int    // commits on the branch
}

// item is one observation.
type item struct {
	kind, id string
	at       time.Time // by what the list is ordered: of an issue's event the issue's
	time     time.Time // when it happened
	body     any
	own      time.Time // when it changed last, of what comes with another thing; zero of that
}

// take makes rows of what is new or has changed on a page, and moves the pass.
func (s *state) take(kind string, pg page, first time.Time) (rows []chain.Row, err error) {
	p, since, reached := s.begin(kind), s.since(kind, first), false
	known := p.known()
	for _, it := range pg.items {
		// Commits come parents last, whatever their clocks said: GitHub bounds them itself.
		if it.at.Before(since) && kind != commits {
			reached = true
			continue
		}
		if !it.own.IsZero() && it.own.Before(since) {
			continue // the pass before brought it
		}
		body, err := json.Marshal(it.body)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", it.kind, it.id, err)
		}
		key, one := digest([]byte(it.kind+"/"+it.id)), seen{it.at.Unix(), digest(body)}
		if at := earlier(it.at, time.Now()); at.After(p.Top) { // a commit may be of the future
			p.Top = at
		}
		was, again := known[key]
		if known[key] = one; again && was.Body == one.Body {
			continue
		}
		p.New++
		rows = append(rows, chain.Row{Kind: it.kind, ID: it.id, Time: uint64(max(0, it.time.Unix())), Body: body})
	}
	if p.After = pg.next; pg.next == "" || reached {
		s.arrive(kind, pg.total)
	}
	return rows, p.keep(known, overlapOf(kind))
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// arrive ends a pass. Where the branch has gained more commits than the pass brought,
// old ones were merged, and the next pass goes down to the beginning.
func (s *state) arrive(kind string, total int) {
	p := s.Passes[kind]
	missed := kind == commits && !p.Whole && s.Total > 0 && total > s.Total+p.New
	p.Open, p.Whole = missed, missed
	if kind == commits && !missed {
		s.Total = total
	}
	if p.Top.After(p.Cursor) {
		p.Cursor = p.Top
	}
	p.After, p.Top, p.New = "", time.Time{}, 0
}

// known is what may come again.
func (p *pass) known() map[string]seen {
	known := map[string]seen{}
	if len(p.Seen) > 0 && json.Unmarshal(p.Seen, &known) != nil {
		return map[string]seen{} // nothing of ours: it comes again
	}
	return known
}

// keep drops what cannot come again, and keeps the others.
func (p *pass) keep(known map[string]seen, overlap time.Duration) (err error) {
	newest := p.Cursor
	if p.Top.After(newest) {
		newest = p.Top
	}
	for key, one := range known {
		if one.At < newest.Add(-overlap).Unix() {
			delete(known, key)
		}
	}
	if p.Seen, err = json.Marshal(known); err != nil {
		return fmt.Errorf("keep what may come again: %w", err)
	}
	return nil
}

func digest(body []byte) string {
	h := fnv.New64a()
	h.Write(body)
	return hex.EncodeToString(h.Sum(nil))
}

// ownerAndName splits owner/name.
func ownerAndName(full string) (owner, name string) {
	owner, name, _ = strings.Cut(full, "/")
	return owner, name
}
