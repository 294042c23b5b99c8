package main

import (
	"slices"
	"testing"

	"superindex/chain"
	"superindex/registry"
)

// TestWhoseARowIs: every feed says what its rows are about.
func TestWhoseARowIs(t *testing.T) {
	snapshot := &registry.Snapshot{Projects: []registry.Project{{Name: "p", Links: []registry.Link{
		{Kind: "github", URL: "https://github.com/Acme"},
		{Kind: "npm", URL: "https://www.npmjs.com/package/@x/y"},
		{Kind: "open_collective", URL: "https://opencollective.com/babel"},
	}}}}
	s := &selection{listers: snapshot.Listers()}
	for _, c := range []struct {
		feed, kind, body string
		want             []string // nil: it is about nothing
	}{
		{"npm", "downloads", `{"package":"@x/y","day":"2026-01-01","downloads":7}`, []string{"p"}},
		{"npm", "downloads", `{"package":"y","day":"2026-01-01","downloads":7}`, []string{}},
		{"npm", "coverage", `{"dataset":"downloads","resource":"@x/y"}`, []string{"p"}},
		{"open_collective", "transactions", `{"id":"a","account":"babel","to_account":"x"}`, []string{"p"}},
		{"open_collective", "coverage", `{"dataset":"transactions","resource":"babel"}`, []string{"p"}},
		{"gharchive", "events", `{"id":"1","repo":"ACME/tool"}`, []string{"p"}},
		{"gharchive", "hours", `{"hour":"2026-01-01T00:00:00Z"}`, nil},
		{"gharchive", "coverage", `{"dataset":"events","resource":""}`, nil},
		{"registry", "projects", `{"project_name":"p"}`, nil},
	} {
		got := s.rowOwners(c.feed, &chain.Row{Kind: c.kind, Body: []byte(c.body)})
		if !slices.Equal(got, c.want) || (got == nil) != (c.want == nil) {
			t.Errorf("%s %s: %q, want %q", c.feed, c.body, got, c.want)
		}
	}
}
