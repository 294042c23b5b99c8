package poller

import (
	"net/http"
	"time"

	"superindex/registry"
)

// Source makes a feed from what the user says. A feed's package has one; the list of
// all sources is the only place that knows them.
type Source struct {
	Name    string        // the feed's
	Every   time.Duration // between two polls of a resource, unless the user says otherwise
	PerHour int           // requests, unless the user says otherwise; 0 without limit
	Make    func(Settings) (Feed, string, error)
}

// Settings are what the user says of a feed, with defaults filled in, and what it may
// use. Make returns the feed and what users should know of how it runs here; an *OffError
// where it does not; another error names the key, never its value.
type Settings struct {
	URL     string   // of the source; "" is the feed's own, where that has one
	Tokens  []string // may be none
	From    time.Time
	Every   time.Duration
	PerHour int

	Registry *registry.Snapshot
	Env      func(name string) (string, bool)
	Metrics  *Metrics
}

// OffError says why a feed does not run, and what would make it run.
type OffError struct{ Why string }

// Error implements error.
func (o *OffError) Error() string { return o.Why }

// Client is the way of the feed's requests: a Gate with the user's budget. next may
// be nil.
func (s *Settings) Client(feed string, next http.RoundTripper) *http.Client {
	return NewGate(GateOptions{Feed: feed, PerHour: s.PerHour, Next: next, Metrics: s.Metrics}).Client()
}
