package gharchive

import (
	"encoding/json"
	"time"

	"superindex/chain"
	"superindex/poller"
	"superindex/registry"
)

// maxFile is the largest that is read, in bytes. Files of 2024 have about 100 MB.
const maxFile = 2 << 30

// Source makes the feed for every repository that oss-directory lists. It follows
// nothing unless it is told to: what it brings GitHub itself says better, from the
// day on which it is asked.
func Source() poller.Source {
	return poller.Source{Name: Name, Every: time.Hour, PerHour: 600, OnRequest: true, Ends: true, Make: start, Artifact: artifact}
}

func start(s poller.Settings) (poller.Feed, string, error) {
	client := s.Through(poller.GateOptions{Feed: Name, MaxBytes: maxFile, Timeout: time.Hour})
	feed, err := New(Options{URL: s.URL, Watch: watchOf(s.Registry), From: s.From, To: s.To, Client: client})
	return feed, "a hint for history: hours may be missing, and coverage says which", err
}

// artifact is the repository of an event. Hours and coverage are about none.
func artifact(row *chain.Row) (registry.Artifact, bool) {
	var about struct{ Repo string }
	err := json.Unmarshal(row.Body, &about)
	return registry.Repository(about.Repo), err == nil && row.Kind == eventsKind
}
