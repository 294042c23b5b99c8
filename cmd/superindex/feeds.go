package main

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"superindex/indexer"
	"superindex/poller"
	"superindex/poller/gharchive"
	"superindex/poller/github"
	"superindex/poller/npm"
	"superindex/poller/opencollective"
	"superindex/registry"
)

// feedSources are all feeds: a line each.
func feedSources() []poller.Source {
	return []poller.Source{
		npm.Source(),
		opencollective.Source(),
		gharchive.Source(),
		github.Source(),
	}
}

// feedConfig is what can be said of a feed.
type feedConfig struct {
	Enabled *bool    `yaml:"enabled"` // not set: as the feed's Source says
	URL     string   `yaml:"url"`     // of the source; may hold secrets, is never shown
	Token   string   `yaml:"token"`   // is never shown
	Tokens  []string `yaml:"tokens"`  // several, which share the work
	Every   duration `yaml:"every"`
	From    date     `yaml:"from"`     // the first day wanted, of feeds that have a history
	PerHour int      `yaml:"per_hour"` // requests; 0: as the feed's source bears
	Emails  bool     `yaml:"emails"`   // keep e-mail addresses as they are, not only their hashes

	to time.Time // a command's, for the end of the history that it asks for
}

// checkFeeds takes down what of the feeds cannot be.
func (c *config) checkFeeds(f *faults) {
	sources := map[string]poller.Source{}
	for _, s := range feedSources() {
		sources[s.Name] = s
	}
	for _, name := range slices.Sorted(maps.Keys(c.Poller)) {
		field, one := "poller."+name, c.Poller[name]
		s, known := sources[name]
		if !known {
			f.oneOf(field, name, slices.Sorted(maps.Keys(sources))...)
			continue
		}
		if err := s.Check(one.URL, one.tokens()); err != nil {
			key, text, _ := strings.Cut(err.Error(), ": ")
			if key == "tokens" && len(one.Tokens) == 0 {
				key = "token"
			}
			f.add(field+"."+key, "%s", text)
		}
		if one.Every != 0 && time.Duration(one.Every) < time.Minute {
			f.add(field+".every", "%v is too often: a minute at least", time.Duration(one.Every))
		}
	}
}

// tokens are all that are given, but for one of a variable that is set to nothing.
func (c *feedConfig) tokens() []string {
	return slices.DeleteFunc(append(slices.Clone(c.Tokens), c.Token), func(token string) bool { return token == "" })
}

// settings are the config's word on a feed, over its defaults.
func (c *config) settings(s poller.Source, snapshot *registry.Snapshot, metrics *poller.Metrics) poller.Settings {
	one := c.Poller[s.Name]
	tokens := one.tokens()
	return poller.Settings{
		URL: one.URL, Tokens: tokens, Emails: one.Emails, From: one.From.Time, To: one.to, Every: cmp.Or(time.Duration(one.Every), s.Every),
		PerHour: cmp.Or(one.PerHour, s.PerToken*len(tokens), s.PerHour), PerToken: s.PerToken, Registry: snapshot, Env: os.LookupEnv, Metrics: metrics,
	}
}

// feed is one that is polled, or the reason why it is not.
type feed struct {
	settings poller.Settings
	source   poller.Feed    // nil where it is off
	poller   *poller.Poller // nil where it is off
	state    poller.State   // where it is off
}

// off is a feed that does not run, and why.
func off(name, why string) feed { return feed{state: poller.State{Feed: name, Note: "off: " + why}} }

// makeFeed makes a feed, without a poller.
func (c *config) makeFeed(s poller.Source, snapshot *registry.Snapshot, metrics *poller.Metrics) (one feed, note string, err error) {
	switch enabled := c.Poller[s.Name].Enabled; {
	case enabled != nil && !*enabled:
		return off(s.Name, "poller."+s.Name+".enabled is false"), "", nil
	case enabled == nil && s.OnRequest && c.Poller[s.Name].to.IsZero():
		return off(s.Name, fmt.Sprintf("poller.%s.enabled is not set; `backfill --feed %[1]s --from DATE --to DATE` brings history without it", s.Name)), "", nil
	}
	settings := c.settings(s, snapshot, metrics)
	source, note, err := s.Make(settings)
	var why *poller.OffError
	if errors.As(err, &why) {
		return off(s.Name, why.Why), "", nil
	}
	return feed{settings: settings, source: source}, note, err
}

// openPayloads opens the folder of answers that the feeds share.
func (d *daemon) openPayloads() error {
	payloads, err := poller.OpenPayloads(filepath.Join(d.config.DataDir, "poller"), nil)
	if err != nil {
		return err
	}
	d.payloads, d.closers = payloads, append(d.closers, payloads.Close)
	return nil
}

// makeFeeds makes the pollers of the feeds that run.
func (d *daemon) makeFeeds(snapshot *registry.Snapshot) (all []feed, err error) {
	journal := indexer.FeedJournal{Journal: d.journal, Status: d.status}
	for _, s := range feedSources() {
		one, note, err := d.config.makeFeed(s, snapshot, d.polled)
		if err == nil && one.source != nil {
			o := poller.Options{Every: one.settings.Every, Parallel: len(one.settings.Tokens), Emails: one.settings.Emails, Note: note, Log: d.log, Metrics: d.polled}
			one.poller, err = poller.New(one.source, journal, d.payloads, o)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	return all, nil
}

// pollers are those of the feeds that run.
func (s *selection) pollers() (all []indexer.Poller) {
	for _, f := range s.feeds {
		if f.poller != nil {
			all = append(all, f.poller)
		}
	}
	return all
}

// feedStates are all feeds, those too that do not run.
func (s *selection) feedStates() (all []poller.State) {
	for _, f := range s.feeds {
		if f.poller != nil {
			f.state = f.poller.State()
		}
		all = append(all, f.state)
	}
	return all
}

// feed finds the feed of a command's --feed, which must run.
func (s *selection) feed(name string) (feed, error) {
	for i, source := range feedSources() {
		if source.Name != name {
			continue
		}
		if f := s.feeds[i]; f.poller != nil {
			return f, nil
		}
		return feed{}, fmt.Errorf("%s is %s", name, s.feeds[i].state.Note)
	}
	return feed{}, noFeed(name)
}

// noFeed is the error of a --feed that there is none of.
func noFeed(name string) error {
	var names []string
	for _, source := range feedSources() {
		names = append(names, source.Name)
	}
	return &usageError{fmt.Errorf("--feed %q: there are %q", name, names)}
}
