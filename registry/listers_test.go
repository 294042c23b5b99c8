package registry

import (
	"slices"
	"testing"
)

func TestListersNameWhoListsAnArtifact(t *testing.T) {
	link := func(kind, url string) Link { return Link{Kind: kind, URL: url} }
	l := (&Snapshot{Projects: []Project{
		{Name: "b", Links: []Link{link("github", "https://github.com/Acme"), link("npm", "https://www.npmjs.com/package/@acme/kit")}},
		{Name: "a", Links: []Link{link("github", "https://github.com/acme/Tool"), link("github", "https://github.com/acme/tool.git"), link("open_collective", "https://opencollective.com/acme")}},
		{Name: "c", Links: []Link{link("npm", "https://www.npmjs.com/package/@acme/kit"), link("github", "https://github.com/acme")}},
	}}).Listers()
	for artifact, want := range map[Artifact][]string{
		Repository("ACME/tool"):  {"a", "b", "c"},
		Repository("acme/other"): {"b", "c"},
		Repository("acme"):       {"b", "c"},
		Repository("acm/e"):      {},
		Package("@acme/kit"):     {"b", "c"},
		Package("kit"):           {},
		Collective("acme"):       {"a"},
	} {
		if got := l.Of(artifact); got == nil || !slices.Equal(got, want) {
			t.Errorf("%+v: %q, want %q", artifact, got, want)
		}
	}
	if got := (Listers{}).Of(Repository("acme/tool")); got == nil || len(got) > 0 {
		t.Errorf("without a snapshot: %q", got)
	}
}
