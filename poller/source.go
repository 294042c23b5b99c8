package poller

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"superindex/chain"
	"superindex/registry"
)

// Source makes a feed from what the user says. A feed's package has one; the list of
// all sources is the only place that knows them.
type Source struct {
	Name     string        // the feed's
	Every    time.Duration // between two polls of a resource, unless the user says otherwise
	PerHour  int           // requests, unless the user says otherwise; 0 without limit
	PerToken int           // the same with tokens, for each of them; 0 where they change nothing
	Tokens   int           // the most that it takes
	Ends     bool          // its history may be asked for up to a day

	// OnRequest is a feed that runs only where the user enables it, or asks for its
	// history.
	OnRequest bool
	Make      func(Settings) (Feed, string, error)

	// Artifact is what an observation is about; false where it is about none. It is
	// pure. Nil: the feed's observations are about none.
	Artifact func(row *chain.Row) (registry.Artifact, bool)
}

// Check says which key of the feed's cannot be, before anything is made. It is pure, and
// shows neither URL nor token. "" is the feed's own URL.
func (s *Source) Check(source string, tokens []string) error {
	if source != "" {
		if err := CheckURL(source); err != nil {
			return fmt.Errorf("url: %w", err)
		}
	}
	switch {
	case len(tokens) > 0 && s.Tokens == 0:
		return errors.New("tokens: the feed uses none")
	case len(tokens) > s.Tokens:
		return fmt.Errorf("tokens: %d are given, and %d is used", len(tokens), s.Tokens)
	}
	return nil
}

// CheckURL says whether a source can be asked there. The error does not show the URL.
func CheckURL(text string) error {
	if u, err := url.Parse(text); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return errors.New("not an http or https URL")
	}
	return nil
}

// Settings are what the user says of a feed, with defaults filled in, and what it may
// use. Make returns the feed and what users should know of how it runs here; an *OffError
// where it does not; another error names the key, never its value.
type Settings struct {
	URL      string    // of the source; "" is the feed's own, where that has one
	Tokens   []string  // may be none
	Emails   bool      // keep e-mail addresses as they are
	From     time.Time // zero is as far back as the feed goes
	To       time.Time // the end of the history that is asked for; zero goes on with what comes
	Every    time.Duration
	PerHour  int
	PerToken int // the source's, for an estimate

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
	return s.Through(GateOptions{Feed: feed, Next: next})
}

// Through is Client for a feed whose gate is no usual one: with o's bounds, and the
// user's budget.
func (s *Settings) Through(o GateOptions) *http.Client {
	o.PerHour, o.Metrics = s.PerHour, s.Metrics
	return NewGate(o).Client()
}
