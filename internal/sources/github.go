package sources

import (
	"cmp"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"
)

// GitHub is the service, REST and GraphQL, as far as repositories and what happens in
// them go. Every token has its own limits and its own ETags.
type GitHub struct {
	Schema *ast.Schema               // queries must fit it; nil takes what parses
	Check  func(*http.Request) error // what it refuses is answered with 400; nil takes all
	Now    func() time.Time

	Requests int // that a token has an hour; 0 is 5,000, or 60 without a token
	Points   int // that a token has an hour; 0 is 5,000

	mu      sync.Mutex
	repos   map[int64]*Repo
	spent   map[string]*window
	queries map[string]*ast.QueryDocument // that fit
	Counts  map[string]int                // requests and points that were spent, by "rest" and "graphql"
}

// window is what a token has spent of an hour.
type window struct {
	reset time.Time
	used  int
}

// Repo is a repository and all that happened in it.
type Repo struct {
	ID       int64
	Name     string   // owner/name
	Before   []string // names that it had
	Created  time.Time
	Pushed   time.Time
	Gone     int // the code of what it answers instead of itself
	Fork     bool
	Archived bool

	Commits  []Commit
	Issues   []Issue // pull requests too
	Comments []Comment
	Releases []Release
	Stars    []Star
	Forks    []Fork
}

// User is an account. One without a login was deleted.
type User struct {
	Login string
	ID    int64
	Kind  string // "" is User
}

// Commit is one on the default branch. Its author may have no account.
type Commit struct {
	SHA      string
	At       time.Time
	Name     string
	Email    string
	User     *User
	Headline string
	CoAuthor string // "Name <address>"; empty for none
}

// Issue is an issue or a pull request.
type Issue struct {
	ID, Pull    int64 // Pull is its id as a pull request; 0 for an issue
	Number      int
	By          User
	Association string
	Created     time.Time
	Updated     time.Time
	Closed      time.Time // zero while it is open
	Merged      time.Time
	Events      []Event
	Reviews     []Review
}

// Event is that an issue was closed, reopened or merged.
type Event struct {
	Event string
	At    time.Time
	By    User
}

// Review is one of a pull request.
type Review struct {
	ID    int64
	State string
	At    time.Time
	By    User
}

// Comment is one of an issue, or of a review.
type Comment struct {
	ID      int64
	Number  int
	Review  bool
	By      User
	Created time.Time
	Updated time.Time
}

// Release is one that is published.
type Release struct {
	ID  int64
	Tag string
	At  time.Time
	By  User
}

// Star is one.
type Star struct {
	By User
	At time.Time
}

// Fork is one.
type Fork struct {
	ID   int64
	Name string
	By   User
	At   time.Time
}

// Add adds repositories.
func (s *GitHub) Add(all ...*Repo) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.repos == nil {
		s.repos, s.spent, s.Counts = map[int64]*Repo{}, map[string]*window{}, map[string]int{}
		s.queries = map[string]*ast.QueryDocument{}
	}
	for _, r := range all {
		s.repos[r.ID] = r
	}
}

// Change calls f while nobody asks.
func (s *GitHub) Change(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// ServeHTTP implements http.Handler.
func (s *GitHub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Check != nil {
		if err := s.Check(r); err != nil {
			refuse(w, http.StatusBadRequest, err.Error())
			return
		}
	}
	token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	if r.URL.Path == "/graphql" {
		s.graphql(w, r, token)
		return
	}
	s.rest(w, r, token)
}

// spend takes a cost from a token's hour, and says in the headers how it stands; false
// where the hour does not have it.
func (s *GitHub) spend(w http.ResponseWriter, token, resource string, cost int) bool {
	limit := cmp.Or(s.Requests, 5000)
	if resource == "graphql" {
		limit = cmp.Or(s.Points, 5000)
	} else if token == "" {
		limit = cmp.Or(s.Requests, 60)
	}
	key := token + "/" + resource
	now := s.Now()
	if s.spent[key] == nil || !now.Before(s.spent[key].reset) {
		s.spent[key] = &window{reset: now.Add(time.Hour)}
	}
	hour := s.spent[key]
	ok := hour.used < limit
	if ok {
		hour.used += cost
		s.Counts[resource] += cost
	}
	w.Header().Set("X-RateLimit-Limit", strconv.Itoa(limit))
	w.Header().Set("X-RateLimit-Remaining", strconv.Itoa(max(0, limit-hour.used)))
	w.Header().Set("X-RateLimit-Reset", strconv.FormatInt(hour.reset.Unix(), 10))
	w.Header().Set("X-RateLimit-Resource", resource)
	return ok
}

// find is a repository by its name; moved is true where that is an old one.
func (s *GitHub) find(name string) (r *Repo, moved bool) {
	for _, one := range s.repos {
		if strings.EqualFold(one.Name, name) {
			return one, false
		}
		if slices.ContainsFunc(one.Before, func(old string) bool { return strings.EqualFold(old, name) }) {
			r, moved = one, true
		}
	}
	return r, moved
}

// of are an owner's repositories, the newest first.
func (s *GitHub) of(owner string) (all []*Repo) {
	for _, r := range s.repos {
		if o, _, _ := strings.Cut(r.Name, "/"); strings.EqualFold(o, owner) && r.Gone == 0 {
			all = append(all, r)
		}
	}
	slices.SortFunc(all, func(a, b *Repo) int { return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(b.ID, a.ID)) })
	return all
}

func (r *Repo) node() string { return fmt.Sprintf("R_%d", r.ID) }

func (r *Repo) head() string {
	newest := Commit{}
	for _, c := range r.Commits {
		if c.SHA > newest.SHA && !c.At.Before(newest.At) || c.At.After(newest.At) {
			newest = c
		}
	}
	return fmt.Sprint(newest.SHA, len(r.Commits))
}
