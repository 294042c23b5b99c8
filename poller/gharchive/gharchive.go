package gharchive

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"superindex/poller"
)

// Name is the feed's.
const Name = "gharchive"

// Endpoint is the source's own.
const Endpoint = "https://data.gharchive.org"

// firstHour is the first whose events have the form that is read here.
var firstHour = time.Date(2015, 1, 1, 0, 0, 0, 0, time.UTC)

// Options of the feed.
type Options struct {
	URL    string       // "" is Endpoint
	Watch  Watch        // whose events are kept
	From   time.Time    // of the first hour wanted; zero is the one that has just ended
	To     time.Time    // of the first hour not wanted; zero goes on with each hour that ends
	Client *http.Client // through a poller.Gate that lets in a whole file
	Rows   int          // of an hour, in one step; 0 is 20,000
}

// Check names the field that cannot be. It shows no URL.
func (o *Options) Check() error {
	if err := poller.CheckURL(o.URL); err != nil {
		return fmt.Errorf("url: %w", err)
	}
	if o.Client == nil {
		return errors.New("client: there is none")
	}
	if !o.To.IsZero() && !o.To.After(o.From) {
		return fmt.Errorf("from: there is no hour between %s and %s", o.From.Format(time.DateOnly), o.To.Format(time.DateOnly))
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
	if (!o.From.IsZero() || !o.To.IsZero()) && o.From.Before(firstHour) {
		o.From = firstHour
	}
	if o.Rows == 0 {
		o.Rows = stepRows
	}
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("poller.%s.%w", Name, err)
	}
	o.URL = strings.TrimRight(o.URL, "/")
	return &Feed{o}, nil
}

// The resources: the root, which finds the hours that have ended, and the hours.
const (
	root   = "hours"
	hourID = "2006-01-02T15" // sorts as time does
)

// Name implements poller.Feed.
func (f *Feed) Name() string { return Name }

// Resources implements poller.Feed: without an end only the root, which finds the
// others.
func (f *Feed) Resources() []string {
	ids := []string{root}
	if f.opts.To.IsZero() {
		return ids
	}
	for at := f.opts.From.UTC().Truncate(time.Hour); at.Before(f.opts.To); at = at.Add(time.Hour) {
		ids = append(ids, at.Format(hourID))
	}
	return ids
}

// found is the root's state.
type found struct {
	Through time.Time `json:"through"` // the hours before this moment were found
}

// settles is how long after an hour's end its file is expected: the source closes
// and moves it then.
const settles = 15 * time.Minute

// Plan implements poller.Feed: a request an hour.
func (f *Feed) Plan(now time.Time, due []poller.Resource) (asks []poller.Ask) {
	for _, r := range due {
		at, ok := hourOf(r)
		switch {
		case ok && at.Add(time.Hour).After(now): // of a range that reaches into the future
		case ok:
			done := r
			done.Done = true
			asks = append(asks, poller.Ask{Kind: "hour", Of: []poller.Resource{r}, Cost: 1, Bytes: bytesAssumed(at), Expect: []poller.Resource{done}})
		case f.opts.To.IsZero():
			asks = append(asks, poller.Ask{Kind: "hours that have ended", Of: []poller.Resource{r}, Expect: f.find(r, now)})
		}
	}
	return asks
}

// bytesAssumed is what an hour's file has, for an estimate: some 15 MB in 2015, and
// 10 MB more each year since.
func bytesAssumed(at time.Time) int64 { return int64(15+10*(at.Year()-2015)) << 20 }

// hourOf is the hour of a resource; false for the root.
func hourOf(r poller.Resource) (at time.Time, ok bool) {
	at, err := time.Parse(hourID, r.ID)
	return at, err == nil
}

// Fetch implements poller.Feed.
func (f *Feed) Fetch(ctx context.Context, ask poller.Ask) (poller.Result, error) {
	r := ask.Of[0]
	at, ok := hourOf(r)
	if !ok {
		return poller.Result{After: f.find(r, time.Now())}, nil
	}
	s := stateOf(r)
	result, err := f.hour(ctx, r, at, &s)
	if err != nil && r.Tries == 0 && !s.Here { // the first of its failures: the hour was asked for, and did not come
		result = poller.Result{Coverage: []poller.Coverage{cover(at, poller.Missing, err.Error())}}
	}
	return result, err
}

// foundAtOnce is how many hours are found in one step.
const foundAtOnce = 5_000

// find is the root and the hours that have ended since the last time.
func (f *Feed) find(r poller.Resource, now time.Time) (after []poller.Resource) {
	var s found
	if r.Into(&s) != nil || s.Through.IsZero() {
		s.Through = now.Add(-settles - time.Hour)
		if !f.opts.From.IsZero() {
			s.Through = f.opts.From
		}
	}
	at := s.Through.UTC().Truncate(time.Hour)
	for len(after) < foundAtOnce && !at.Add(time.Hour+settles).After(now) {
		after = append(after, poller.Resource{ID: at.Format(hourID), Parent: root})
		at = at.Add(time.Hour)
	}
	due := at.Add(time.Hour + settles)
	return append(after, r.With(found{at}, due))
}

// Rewind implements poller.Rewinder: an hour of the range is asked for, unless it was
// brought for the same repositories; so a backfill that was cut goes on. What is late
// is the root's to follow afterwards.
func (f *Feed) Rewind(r poller.Resource) poller.Resource {
	at, ok := hourOf(r)
	if !ok || at.Before(f.opts.From.Truncate(time.Hour)) || !at.Before(f.opts.To) {
		return r
	}
	s := stateOf(r)
	if r.Done && s.Here && s.Watch == f.opts.Watch.id {
		return r
	}
	s.Late = 0
	again := r.With(s, time.Time{})
	again.Parent, again.Done = root, false
	return again
}
