package opencollective

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"time"

	"superindex/chain"
	"superindex/poller"
	"superindex/registry"
)

// Name is the feed's.
const Name = "open_collective"

// Endpoint is the source's own.
const Endpoint = "https://api.opencollective.com/graphql/v2"

// Source makes the feed for every account that oss-directory lists. Without a token
// the source takes ten requests a minute.
func Source() poller.Source {
	return poller.Source{Name: Name, Every: time.Hour, PerHour: 500, Tokens: 1, Make: start, Artifact: artifact}
}

func start(s poller.Settings) (poller.Feed, string, error) {
	o := Options{URL: s.URL, Accounts: accountsOf(s.Registry), From: s.From, Client: s.Client(Name, nil)}
	note := ""
	if len(s.Tokens) > 0 {
		o.Token = s.Tokens[0]
	} else {
		note = "without a token the source takes ten requests a minute"
	}
	feed, err := New(o)
	return feed, note, err
}

// artifact is the account that a row is about: coverage names it too.
func artifact(row *chain.Row) (registry.Artifact, bool) {
	var about struct{ Account, Resource string }
	err := json.Unmarshal(row.Body, &about)
	slug := cmp.Or(about.Account, about.Resource)
	return registry.Collective(slug), err == nil && slug != ""
}

// Options of the feed.
type Options struct {
	URL      string       // "" is Endpoint
	Token    string       // a personal one; "" for none
	Accounts []string     // slugs
	From     time.Time    // when the first transaction wanted was created; zero is the first that there is
	Client   *http.Client // through a poller.Gate
	Page     int          // transactions of one answer; 0 is 1,000, the most that the source gives
}

// begin is before the source's first transaction.
var begin = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// Check names the field that cannot be. It shows no URL.
func (o *Options) Check() error {
	if err := poller.CheckURL(o.URL); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if o.Client == nil {
		return errors.New("client: there is none")
	}
	return nil
}

// Feed implements poller.Feed.
type Feed struct{ opts Options }

// New makes the feed.
func New(o Options) (*Feed, error) {
	if o.URL == "" {
		o.URL = Endpoint
	}
	if o.Page == 0 {
		o.Page = 1000
	}
	if o.From.Before(begin) {
		o.From = begin
	}
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("poller.open_collective.%w", err)
	}
	return &Feed{o}, nil
}

// slug is what can be an account's name.
var slug = regexp.MustCompile(`^[a-z0-9][a-z0-9-]*$`)

// accountsOf are the slugs of the accounts that the registry lists, each once, in
// order.
func accountsOf(s *registry.Snapshot) (slugs []string) {
	for i := range s.Projects {
		for _, l := range s.Projects[i].Artifacts(nil) {
			if l.Source == "OPEN_COLLECTIVE" && slug.MatchString(l.Name) {
				slugs = append(slugs, l.Name)
			}
		}
	}
	slices.Sort(slugs)
	return slices.Compact(slugs)
}

// Name implements poller.Feed.
func (f *Feed) Name() string { return Name }

// Resources implements poller.Feed: an account's slug is its id.
func (f *Feed) Resources() []string { return f.opts.Accounts }

// pagesAssumed is how many pages of a thousand an account has, for an estimate: the
// accounts that oss-directory lists have some thousands of transactions each.
const pagesAssumed = 10

// Plan implements poller.Feed: a page of each account.
func (f *Feed) Plan(_ time.Time, due []poller.Resource) (asks []poller.Ask) {
	for _, r := range due {
		s := stateOf(r)
		a := poller.Ask{Kind: "transactions", Of: []poller.Resource{r}, Cost: 1}
		if s.Cursor.IsZero() {
			a.Cost = pagesAssumed
		}
		s.Cursor = f.opts.From
		a.Expect = []poller.Resource{r.With(s, time.Time{})}
		asks = append(asks, a)
	}
	return asks
}

// unknownFor is when to ask again for an account that the source does not have.
const unknownFor = 7 * 24 * time.Hour

// Fetch implements poller.Feed.
func (f *Feed) Fetch(ctx context.Context, ask poller.Ask) (result poller.Result, err error) {
	r, now := ask.Of[0], time.Now()
	s := stateOf(r)
	s.open(f.opts.From)
	answer, body, err := f.page(ctx, r.ID, s)
	if err != nil {
		return result, err
	}
	result.Payloads = []poller.Payload{{What: fmt.Sprintf("transactions/%s/%s", r.ID, s.From.Format(time.RFC3339)), Body: body}}
	if answer.Account == nil {
		from := poller.HourOf(f.opts.From)
		result.Coverage = []poller.Coverage{cover(r.ID, from, max(from, poller.HourOf(now)-1), poller.Missing, "the source does not know the account")}
		result.After = []poller.Resource{r.With(stateOf(r), now.Add(unknownFor))}
		return result, nil
	}
	if result.Rows, err = s.read(answer.Account.Transactions.Nodes); err != nil {
		return result, err
	}
	due := time.Time{}
	to := poller.HourOf(now)
	if s.next(answer.Account.Transactions.Nodes, f.opts.Page) {
		due, to = now, poller.HourOf(s.From)
	}
	if from := poller.HourOf(f.opts.From); to > from && to-1 > s.Covered {
		s.Covered = to - 1
		result.Coverage = []poller.Coverage{cover(r.ID, from, to-1, poller.Complete, "")}
	}
	result.After = []poller.Resource{r.With(s, due)}
	return result, nil
}

func cover(account string, from, to uint64, status, why string) poller.Coverage {
	return poller.Coverage{Dataset: kind, Resource: account, From: from, To: to, Unit: poller.Hour, Status: status, Reason: why}
}

// Rewind implements poller.Rewinder: what was created from the feed's first day on is
// asked for again.
func (f *Feed) Rewind(r poller.Resource) poller.Resource { return r.With(state{}, time.Time{}) }
