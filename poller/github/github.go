package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v92/github"

	"superindex/poller"
	"superindex/registry"
)

// Name is the feed's.
const Name = "github"

// Endpoint is the source's own.
const Endpoint = "https://api.github.com"

// Options of the feed.
type Options struct {
	URL    string    // "" is Endpoint
	Tokens int       // how many the client's wallet has; 0: no GraphQL
	Owners []string  // all of whose repositories are followed
	Named  []string  // owner/name
	From   time.Time // when what is wanted happened, or changed; zero is all
	Every  time.Duration
	Emails bool         // keep addresses as they are, beside their hashes
	Client *http.Client // through a poller.Gate
}

// begin is before GitHub's first repository.
var begin = time.Date(2007, 10, 1, 0, 0, 0, 0, time.UTC)

// Check names the field that cannot be. It shows no URL.
func (o *Options) Check() error {
	if err := poller.CheckURL(o.URL); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if o.Client == nil {
		return errors.New("client: there is none")
	}
	if o.Every < time.Second {
		return fmt.Errorf("every: %v is no time between two looks", o.Every)
	}
	return nil
}

// Feed implements poller.Feed.
type Feed struct {
	opts   Options
	base   string // ends with a slash
	first  time.Time
	tokens int
	rest   *gh.Client
}

// New makes the feed.
func New(o Options) (*Feed, error) {
	if o.URL == "" {
		o.URL = Endpoint
	}
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("poller.github.%w", err)
	}
	f := &Feed{opts: o, base: strings.TrimRight(o.URL, "/") + "/", first: begin, tokens: o.Tokens}
	if o.From.After(begin) {
		f.first = o.From
	}
	client, err := gh.NewClient(gh.WithHTTPClient(o.Client), gh.WithURLs(&f.base, nil), gh.WithUserAgent("superindex"), gh.WithDisableRateLimitCheck())
	if err != nil {
		return nil, errors.New("poller.github.url: not an http or https URL")
	}
	f.rest = client
	return f, nil
}

// The resources begin with one of these. An owner's and a name's lead to numbers.
const (
	ofOwner  = "owner/"
	ofName   = "name/"
	ofNumber = "id/"
)

// listedIn are the owners and the repositories that the registry lists, each once, in
// order.
func listedIn(s *registry.Snapshot) (owners, named []string) {
	for i := range s.Projects {
		for _, l := range s.Projects[i].Artifacts(nil) {
			switch {
			case l.Source != "GITHUB" || l.Namespace == "":
			case l.Name == "":
				owners = append(owners, l.Namespace)
			default:
				named = append(named, l.Namespace+"/"+l.Name)
			}
		}
	}
	slices.Sort(owners)
	slices.Sort(named)
	return slices.Compact(owners), slices.Compact(named)
}

// Name implements poller.Feed.
func (f *Feed) Name() string { return Name }

// Resources implements poller.Feed.
func (f *Feed) Resources() (ids []string) {
	for _, owner := range f.opts.Owners {
		ids = append(ids, ofOwner+owner)
	}
	for _, name := range f.opts.Named {
		ids = append(ids, ofName+name)
	}
	return ids
}

// The details of asks.
type (
	owner     struct{ login string }
	names     struct{ full []string }
	oneName   struct{ full string }
	oneNumber struct{ id int64 }
	look      struct{}
	read      struct{ kinds []string }
	listing   struct{ kind string }
)

// Fetch implements poller.Feed.
func (f *Feed) Fetch(ctx context.Context, ask poller.Ask) (poller.Result, error) {
	switch d := ask.Detail.(type) {
	case owner:
		return f.fetchOwner(ctx, ask.Of[0], d.login)
	case names:
		return f.fetchNames(ctx, ask.Of, d.full)
	case oneName:
		return f.fetchOne(ctx, ask.Of[0], "repos/"+d.full)
	case oneNumber:
		return f.fetchOne(ctx, ask.Of[0], "repositories/"+strconv.FormatInt(d.id, 10))
	case look:
		return f.fetchLook(ctx, ask.Of)
	case read:
		return f.fetchRead(ctx, ask.Of[0], d.kinds)
	case listing:
		return f.fetchList(ctx, ask.Of[0], d.kind)
	}
	return poller.Result{}, fmt.Errorf("an ask of kind %q is not this feed's", ask.Kind)
}

// Rewind implements poller.Rewinder: everything is read again, from the feed's first
// day on.
func (f *Feed) Rewind(r poller.Resource) poller.Resource {
	if !strings.HasPrefix(r.ID, ofNumber) {
		return r
	}
	s := stateOf(r)
	for _, p := range s.Passes {
		*p = pass{Open: true}
	}
	s.Covered = 0
	return r.With(s, time.Time{})
}

// numberOfID is a repository's number.
func numberOfID(r poller.Resource) int64 {
	n, err := strconv.ParseInt(strings.TrimPrefix(r.ID, ofNumber), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// again is when a repository that has nothing more at once is looked at next: all at the
// same moments, so that a hundred share a query.
func (f *Feed) again(s *state, now time.Time) time.Time {
	every := f.opts.Every
	if s.Dormant {
		every = max(every, dormantEvery)
	}
	due := now.Truncate(every).Add(every)
	if f.tokens == 0 {
		due = now.Add(every)
	}
	if s.Rest.After(due) {
		return s.Rest
	}
	return due
}
