package registry

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"superindex/chain"
)

// Summary is a snapshot in figures. Addresses are counted once each, per network
// where it says so; accounts are entries, of which one address may have several.
type Summary struct {
	Snapshot string `json:"snapshot"`
	Version  string `json:"registry_commit"`
	Digest   string `json:"digest"`
	Source   string `json:"source"`
	Fetched  string `json:"fetched"`
	Note     string `json:"note,omitempty"`

	Projects    int `json:"projects"`
	Collections int `json:"collections"`
	Memberships int `json:"memberships"`
	Accounts    int `json:"accounts"`
	Addresses   int `json:"addresses"`
	Pairs       int `json:"network_address_pairs"`

	Networks []NetworkCount `json:"networks"`
	Tags     []Count        `json:"tags"`  // accounts, by tag
	Links    []Count        `json:"links"` // by the host's list: github, npm, ...

	Malformed []Problem `json:"malformed"`
	Warnings  []Problem `json:"warnings"`
}

// Count is how many there are of something.
type Count struct {
	Name  string `json:"name"`
	Count int    `json:"count"`
}

// NetworkCount is what a snapshot lists for one network.
type NetworkCount struct {
	Name      string         `json:"name"`
	ChainID   uint64         `json:"chain_id,omitempty"` // 0 for one that is not in the table
	Left      bool           `json:"left,omitempty"`     // not in superchain-registry any more
	Runs      bool           `json:"runs"`
	Addresses int            `json:"addresses"` // listed for this very network
	Silent    int            `json:"silent"`    // of them, those that yield nothing without receipts mode
	Watched   int            `json:"watched"`   // with any_evm; 0 where it does not run
	Projects  int            `json:"projects"`
	Tags      map[string]int `json:"tags"` // addresses, by tag; one may have several
}

// Summary counts. all says what is known of a network, running which ones run.
func (s *Snapshot) Summary(all, running Networks) Summary {
	sum := Summary{
		Snapshot: s.ID(), Version: s.Version(), Digest: s.Digest, Source: s.Source, Fetched: stamp(s.Fetched), Note: s.Note,
		Projects: len(s.Projects), Collections: len(s.Collections),
		Malformed: s.Malformed(), Warnings: s.Warnings(),
	}
	for _, c := range s.Collections {
		sum.Memberships += len(c.Projects)
	}
	addresses, tags, links, networks := map[chain.Address]bool{}, map[string]int{}, map[string]int{}, map[string]*tally{}
	for _, n := range running {
		networks[n.Directory] = newTally()
	}
	for i := range s.Projects {
		p := &s.Projects[i]
		sum.Accounts += len(p.Accounts)
		for j := range p.Accounts {
			addresses[p.Accounts[j].Address] = true
			p.Accounts[j].count(p.Name, tags, networks)
		}
		for _, l := range p.Links {
			links[l.Kind]++
		}
	}
	sum.Addresses = len(addresses)
	delete(networks, "")
	for name, t := range networks {
		n := t.row(name, all, running)
		if n.Runs {
			n.Watched = s.Watch(name).Len()
		}
		sum.Pairs, sum.Networks = sum.Pairs+n.Addresses, append(sum.Networks, n)
	}
	slices.SortFunc(sum.Networks, func(a, b NetworkCount) int {
		return cmp.Or(cmp.Compare(b.Addresses, a.Addresses), strings.Compare(a.Name, b.Name))
	})
	sum.Tags, sum.Links = counts(tags), counts(links)
	return sum
}

// tally is what is counted of one network.
type tally struct {
	emits    map[chain.Address]bool // every address, and whether some entry of it is a contract's
	projects map[string]bool
	tags     map[string]map[chain.Address]bool
}

func newTally() *tally {
	return &tally{map[chain.Address]bool{}, map[string]bool{}, map[string]map[chain.Address]bool{}}
}

func (a *Account) count(project string, tags map[string]int, networks map[string]*tally) {
	for _, tag := range a.Tags {
		tags[tag]++
	}
	for _, network := range a.Networks {
		t := networks[network]
		if t == nil {
			t = newTally()
			networks[network] = t
		}
		t.emits[a.Address] = t.emits[a.Address] || a.Emits()
		t.projects[project] = true
		for _, tag := range a.Tags {
			if t.tags[tag] == nil {
				t.tags[tag] = map[chain.Address]bool{}
			}
			t.tags[tag][a.Address] = true
		}
	}
}

func (t *tally) row(name string, all, running Networks) NetworkCount {
	known, _ := all.directory(name)
	_, runs := running.directory(name)
	n := NetworkCount{
		Name: name, ChainID: known.ChainID, Left: known.Left, Runs: runs,
		Addresses: len(t.emits), Projects: len(t.projects), Tags: map[string]int{},
	}
	for _, emits := range t.emits {
		if !emits {
			n.Silent++
		}
	}
	for tag, addresses := range t.tags {
		n.Tags[tag] = len(addresses)
	}
	return n
}

// counts are the most first.
func counts(of map[string]int) []Count {
	out := make([]Count, 0, len(of))
	for _, name := range slices.Sorted(maps.Keys(of)) {
		out = append(out, Count{name, of[name]})
	}
	slices.SortStableFunc(out, func(a, b Count) int { return cmp.Compare(b.Count, a.Count) })
	return out
}
