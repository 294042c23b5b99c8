package npm

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"

	"superindex/poller"
	"superindex/registry"
)

// Name is the feed's.
const Name = "npm"

// Options of the feed.
type Options struct {
	URL      string        // of the service that counts downloads; its /downloads/range/... is asked
	Registry string        // of the packages' documents; "" leaves out releases and maintainers
	Packages []string      // names, "left-pad" or "@scope/name"
	From     time.Time     // the first day wanted; zero is the first that there is, 2015-01-10
	To       time.Time     // the first day that is not to be asked for again; zero for the newest
	Every    time.Duration // between two looks at days that are not settled, and at documents
	Client   *http.Client  // through a poller.Gate
}

// firstDay is the first that the source counts.
var firstDay = poller.DayOf(time.Date(2015, 1, 10, 0, 0, 0, 0, time.UTC))

// Check names the field that cannot be. It shows no URL.
func (o *Options) Check() error {
	for field, text := range map[string]string{"url": o.URL, "registry": o.Registry} {
		if text == "" && field == "registry" {
			continue
		}
		if err := poller.CheckURL(text); err != nil {
			return fmt.Errorf("%s: %w", field, err)
		}
	}
	if o.Client == nil {
		return errors.New("client: there is none")
	}
	return nil
}

// Feed implements poller.Feed.
type Feed struct {
	opts  Options
	since uint64 // the first day wanted
}

// New makes the feed.
func New(o Options) (*Feed, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("poller.npm.%w", err)
	}
	o.URL, o.Registry = strings.TrimRight(o.URL, "/"), strings.TrimRight(o.Registry, "/")
	f := &Feed{opts: o, since: firstDay}
	if !o.From.IsZero() {
		f.since = max(firstDay, poller.DayOf(o.From))
	}
	return f, nil
}

// packageName is what can be a package's name, and stand in a path.
var packageName = regexp.MustCompile(`^(@[a-z0-9~-][a-z0-9._~-]*/)?[a-z0-9~-][a-z0-9._~-]*$`)

// packagesOf are the packages that the registry lists, each once, in order.
func packagesOf(s *registry.Snapshot) (names []string) {
	for i := range s.Projects {
		for _, l := range s.Projects[i].Artifacts(nil) {
			if l.Source == "NPM" && packageName.MatchString(l.Name) {
				names = append(names, l.Name)
			}
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// The resources of a package begin with one of these.
const (
	ofDownloads = "downloads/"
	ofDocument  = "document/"
)

// Name implements poller.Feed.
func (f *Feed) Name() string { return Name }

// Resources implements poller.Feed.
func (f *Feed) Resources() (ids []string) {
	for _, name := range f.opts.Packages {
		ids = append(ids, ofDownloads+name)
		if f.opts.Registry != "" {
			ids = append(ids, ofDocument+name)
		}
	}
	return ids
}

// Plan implements poller.Feed.
func (f *Feed) Plan(now time.Time, due []poller.Resource) (asks []poller.Ask) {
	var counted []poller.Resource
	for _, r := range due {
		if name, ok := strings.CutPrefix(r.ID, ofDocument); ok {
			asks = append(asks, poller.Ask{Kind: "package document", Of: []poller.Resource{r}, Cost: 1, Detail: document{name}, Expect: []poller.Resource{r.With(released{}, time.Time{})}})
			continue
		}
		counted = append(counted, r)
	}
	return append(f.planDownloads(now, counted), asks...)
}

// Fetch implements poller.Feed.
func (f *Feed) Fetch(ctx context.Context, ask poller.Ask) (poller.Result, error) {
	switch detail := ask.Detail.(type) {
	case slice:
		return f.fetchDownloads(ctx, ask, detail)
	case document:
		return f.fetchDocument(ctx, ask, detail)
	}
	return poller.Result{}, fmt.Errorf("an ask of kind %q is not this feed's", ask.Kind)
}
