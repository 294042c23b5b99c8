package registry

import (
	"slices"
	"strings"
	"time"

	"superindex/chain"
)

// AnyEVM is the network of an account that counts on every network that runs.
const AnyEVM = "any_evm"

// Snapshot is oss-directory at one moment. It is immutable.
type Snapshot struct {
	Commit  string    // of oss-directory's repository, 40 hex digits; empty where it is not known
	Digest  string    // SHA-256 of what was read, 64 hex digits: the same for a folder, a tarball and a clone
	Source  string    // where it was read, without secrets
	Fetched time.Time // when it was read there, UTC
	Note    string    // why this is not the newest one; empty when it is

	Projects    []Project    // by name
	Collections []Collection // by name
	Problems    []Problem    // by file and line

	etag string // of the tarball it was downloaded as
}

// Project is one project as its file lists it.
type Project struct {
	Name, DisplayName, Description string

	Accounts []Account // one address may come in several
	Links    []Link
	File     string // "data/projects/u/uniswap.yaml"
}

// Account is one entry of a project's blockchain list.
type Account struct {
	Address  chain.Address
	Networks []string // in oss-directory's words, AnyEVM among them
	Tags     []string
	Name     string // may be empty
	Line     int
}

// Link is one URL of a project: its repositories, packages, sites.
type Link struct {
	Kind string // the list's name in the file: github, npm, websites, twitter, ...
	URL  string
	Line int
}

// Collection is a named set of projects.
type Collection struct {
	Name, DisplayName, Description string

	Projects []string // names, each once, all of them in the snapshot
	File     string
}

// Problem is something in a file that its author should see.
type Problem struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Field   string `json:"field"`
	Value   string `json:"value"`
	Reason  string `json:"reason"`
	Skipped bool   `json:"skipped"` // malformed and left out; otherwise kept, and only doubtful
}

// ID names the snapshot: the first digits of its commit, where that is known,
// and of its digest, so that a changed working copy never passes for the commit.
func (s *Snapshot) ID() string {
	if s.Commit == "" {
		return s.Digest[:12]
	}
	return s.Commit[:12] + "-" + s.Digest[:12]
}

// Version is what the views show as registry_commit: the commit where it is
// known, else "sha256:" and the digest.
func (s *Snapshot) Version() string {
	if s.Commit == "" {
		return "sha256:" + s.Digest
	}
	return s.Commit
}

// Stale reports whether the source could not be read and this is the last good
// snapshot of it; Note says why.
func (s *Snapshot) Stale() bool { return s.Note != "" }

// Malformed lists what was skipped.
func (s *Snapshot) Malformed() []Problem { return s.problems(true) }

// Warnings lists what was kept and is doubtful.
func (s *Snapshot) Warnings() []Problem { return s.problems(false) }

func (s *Snapshot) problems(skipped bool) []Problem {
	return slices.DeleteFunc(slices.Clone(s.Problems), func(p Problem) bool { return p.Skipped != skipped })
}

// Project finds a project by its name.
func (s *Snapshot) Project(name string) (*Project, bool) {
	i, ok := slices.BinarySearchFunc(s.Projects, name, func(p Project, name string) int {
		return strings.Compare(p.Name, name)
	})
	if !ok {
		return nil, false
	}
	return &s.Projects[i], true
}

// On reports whether the account is watched on a network that runs.
func (a *Account) On(network string) bool {
	return slices.Contains(a.Networks, network) || slices.Contains(a.Networks, AnyEVM)
}

// Emits reports whether the account can be expected to emit logs: it is tagged
// as some contract. The others yield nothing without receipts mode.
func (a *Account) Emits() bool {
	return slices.ContainsFunc(a.Tags, func(tag string) bool {
		return slices.Contains([]string{"contract", "factory", "proxy", "bridge", "safe"}, tag)
	})
}
