package registry

import (
	"slices"
	"strings"
)

// Listers says which projects list an artifact. It never changes.
type Listers struct{ names map[Artifact][]string }

// Listers indexes the snapshot's artifacts, but for those on chains.
func (s *Snapshot) Listers() Listers {
	l := Listers{map[Artifact][]string{}}
	for i := range s.Projects {
		p := &s.Projects[i]
		for _, link := range p.Links {
			a, ok := link.artifact()
			if a.Type = ""; ok && !slices.Contains(l.names[a], p.Name) {
				l.names[a] = append(l.names[a], p.Name)
			}
		}
	}
	return l
}

// Of names the projects that list the artifact, in order: for a repository also those
// that list all that its owner has. None is empty, not nil.
func (l Listers) Of(a Artifact) []string {
	a.Type = ""
	names := append([]string{}, l.names[a]...)
	if a.Source == "GITHUB" && a.Name != "" {
		a.Name = ""
		names = append(names, l.names[a]...)
	}
	slices.SortFunc(names, strings.Compare)
	return slices.Compact(names)
}
