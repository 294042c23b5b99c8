package registry

import (
	"slices"
	"strings"

	"superindex/chain"
)

// Finding is what a snapshot knows of an address or a name.
type Finding struct {
	Query       string            `json:"query"`
	Accounts    []FoundAccount    `json:"accounts,omitempty"`    // entries of the address
	Projects    []FoundProject    `json:"projects,omitempty"`    // of that name
	Collections []FoundCollection `json:"collections,omitempty"` // of that name
	Similar     []string          `json:"similar,omitempty"`     // names that hold the query, where nothing has it
}

// FoundAccount is one entry of an address: why it is watched.
type FoundAccount struct {
	Address  string   `json:"address"`
	Project  string   `json:"project"`
	Name     string   `json:"name,omitempty"`
	Networks []string `json:"networks"`
	Tags     []string `json:"tags"`
	Emits    bool     `json:"emits"` // false: it yields nothing without receipts mode
	File     string   `json:"file"`
	Line     int      `json:"line"`
}

// FoundProject is a project with what it is known by.
type FoundProject struct {
	ID          string         `json:"project_id"`
	Name        string         `json:"project_name"`
	DisplayName string         `json:"display_name"`
	Description string         `json:"description,omitempty"`
	Collections []string       `json:"collections"`
	Accounts    []FoundAccount `json:"accounts"`
	Links       []Count        `json:"links"`
	File        string         `json:"file"`
}

// FoundCollection is a collection with its projects.
type FoundCollection struct {
	ID          string   `json:"collection_id"`
	Name        string   `json:"collection_name"`
	DisplayName string   `json:"display_name"`
	Projects    []string `json:"projects"`
	File        string   `json:"file"`
}

// Empty reports whether nothing has the address or the name.
func (f Finding) Empty() bool {
	return len(f.Accounts)+len(f.Projects)+len(f.Collections) == 0
}

// Find looks an address up, in either case, or the name of a project or a
// collection; a display name does as well.
func (s *Snapshot) Find(query string) Finding {
	f := Finding{Query: query}
	if a, reason := parseAddress(strings.TrimSpace(query)); reason == "" {
		f.Accounts = s.accounts(a)
		return f
	}
	for i := range s.Projects {
		if p := &s.Projects[i]; p.Name == query || strings.EqualFold(p.DisplayName, query) {
			f.Projects = append(f.Projects, s.foundProject(p))
		}
	}
	for _, c := range s.Collections {
		if c.Name == query || strings.EqualFold(c.DisplayName, query) {
			f.Collections = append(f.Collections, FoundCollection{EntityID(c.Name), c.Name, c.DisplayName, c.Projects, c.File})
		}
	}
	if f.Empty() {
		f.Similar = s.similar(query, 20)
	}
	return f
}

// accounts are the entries of an address, in the projects' order.
func (s *Snapshot) accounts(address chain.Address) (all []FoundAccount) {
	for i := range s.Projects {
		p := &s.Projects[i]
		for j := range p.Accounts {
			if a := &p.Accounts[j]; a.Address == address {
				all = append(all, p.found(a))
			}
		}
	}
	return all
}

func (p *Project) found(a *Account) FoundAccount {
	return FoundAccount{a.Address.String(), p.Name, a.Name, a.Networks, a.Tags, a.Emits(), p.File, a.Line}
}

func (s *Snapshot) foundProject(p *Project) FoundProject {
	links := map[string]int{}
	for _, l := range p.Links {
		links[l.Kind]++
	}
	f := FoundProject{
		ID: EntityID(p.Name), Name: p.Name, DisplayName: p.DisplayName, Description: p.Description,
		Collections: []string{}, Accounts: []FoundAccount{}, Links: counts(links), File: p.File,
	}
	for _, c := range s.Collections {
		if slices.Contains(c.Projects, p.Name) {
			f.Collections = append(f.Collections, c.Name)
		}
	}
	for i := range p.Accounts {
		f.Accounts = append(f.Accounts, p.found(&p.Accounts[i]))
	}
	return f
}

// similar lists up to most names that hold the query.
func (s *Snapshot) similar(query string, most int) (out []string) {
	query = strings.ToLower(query)
	for i := range s.Projects {
		p := &s.Projects[i]
		if strings.Contains(p.Name, query) || strings.Contains(strings.ToLower(p.DisplayName), query) {
			out = append(out, p.Name)
		}
		if len(out) == most {
			break
		}
	}
	return out
}
