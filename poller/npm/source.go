package npm

import (
	"cmp"
	"encoding/json"
	"time"

	"superindex/chain"
	"superindex/poller"
	"superindex/registry"
)

// Source makes the feed for every package that oss-directory lists. The service is
// said to bear about a hundred requests a minute, and to refuse after some forty in a
// row: one every second and a half is within both.
func Source() poller.Source {
	return poller.Source{Name: Name, Every: 6 * time.Hour, PerHour: 2400, Ends: true, Make: start, Artifact: artifact}
}

// registrySettings are npm's own names for the registry in the environment.
var registrySettings = [...]string{"npm_config_registry", "NPM_CONFIG_REGISTRY"}

func start(s poller.Settings) (poller.Feed, string, error) {
	if s.URL == "" {
		return nil, "", &poller.OffError{Why: "poller.npm.url is not set: give the URL of npm's service that counts downloads"}
	}
	o := Options{URL: s.URL, Packages: packagesOf(s.Registry), From: s.From, To: s.To, Every: s.Every, Client: s.Client(Name, nil)}
	note := "downloads only: releases and maintainers need npm_config_registry in the environment"
	for _, name := range registrySettings {
		if url, ok := s.Env(name); ok && url != "" {
			o.Registry, note = url, ""
		}
	}
	feed, err := New(o)
	return feed, note, err
}

// artifact is the package that a row is about: coverage names it too.
func artifact(row *chain.Row) (registry.Artifact, bool) {
	var about struct{ Package, Resource string }
	err := json.Unmarshal(row.Body, &about)
	name := cmp.Or(about.Package, about.Resource)
	return registry.Package(name), err == nil && name != ""
}
