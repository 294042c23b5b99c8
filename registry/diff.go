package registry

import (
	"cmp"
	"slices"
	"strings"
)

// Difference is what one snapshot has and another has not.
type Difference struct {
	From    string `json:"from"` // the snapshots' ids
	To      string `json:"to"`
	Added   []Fact `json:"added"`
	Removed []Fact `json:"removed"`
}

// Fact is one thing that a snapshot says. A fact that changed is one removed and
// one added.
type Fact struct {
	Kind    string `json:"kind"` // project, collection, member, account, link
	Of      string `json:"of"`   // the project, or the collection of a member
	What    string `json:"what,omitempty"`
	Network string `json:"network,omitempty"` // of an account
	Tags    string `json:"tags,omitempty"`    // of an account, in order, a comma between them
}

// Diff compares two snapshots by what they say, not by their files.
func Diff(from, to *Snapshot) Difference {
	before, after := from.facts(), to.facts()
	return Difference{from.ID(), to.ID(), without(after, before), without(before, after)}
}

func (s *Snapshot) facts() map[Fact]bool {
	facts := map[Fact]bool{}
	for _, p := range s.Projects {
		facts[Fact{Kind: "project", Of: p.Name, What: p.DisplayName}] = true
		for _, a := range p.Accounts {
			tags := strings.Join(slices.Sorted(slices.Values(a.Tags)), ",")
			for _, n := range a.Networks {
				facts[Fact{"account", p.Name, a.Address.String(), n, tags}] = true
			}
		}
		for _, l := range p.Links {
			facts[Fact{Kind: "link", Of: p.Name, What: l.URL}] = true
		}
	}
	for _, c := range s.Collections {
		facts[Fact{Kind: "collection", Of: c.Name, What: c.DisplayName}] = true
		for _, p := range c.Projects {
			facts[Fact{Kind: "member", Of: c.Name, What: p}] = true
		}
	}
	return facts
}

func without(facts, other map[Fact]bool) []Fact {
	out := []Fact{}
	for f := range facts {
		if !other[f] {
			out = append(out, f)
		}
	}
	slices.SortFunc(out, func(a, b Fact) int {
		return cmp.Or(strings.Compare(a.Kind, b.Kind), strings.Compare(a.Of, b.Of), strings.Compare(a.Network, b.Network),
			strings.Compare(a.What, b.What), strings.Compare(a.Tags, b.Tags))
	})
	return out
}
