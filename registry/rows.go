package registry

import (
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"time"

	"superindex/chain"
)

// Feed is the feed of a snapshot's rows.
const Feed = "registry"

// A step holds at most so much: see design.md, the data path.
const (
	maxStepRows  = 50_000
	maxStepBytes = 8 << 20
	rowOverhead  = 64 // what a row costs beside its texts, at most
)

// Listing is an artifact of one project.
type Listing struct {
	Artifact
	Tags     []string // of an account: as listed, those of several entries together
	ListedAs string   // the network or list that names it: "optimism", "any_evm", "github"
	key      string   // which of the project's it is, whatever networks run
}

// Artifacts are a project's artifacts, each once, in its file's order. An account
// of any EVM chain is one on that word, and one on each network that runs.
func (p *Project) Artifacts(running []string) []Listing {
	var out []Listing
	at := map[Artifact]int{}
	add := func(a Artifact, tags []string, listedAs, key string) {
		same := a
		same.Type = "" // several entries of one artifact may differ in it
		if i, twice := at[same]; twice {
			out[i].merge(tags)
			return
		}
		at[same], out = len(out), append(out, Listing{a, slices.Clip(tags), listedAs, key})
	}
	for i := range p.Accounts {
		for _, network := range p.Accounts[i].Networks {
			add(p.Accounts[i].artifact(network), p.Accounts[i].Tags, network, strconv.Itoa(len(out)))
		}
	}
	for _, l := range p.Links {
		if artifact, ok := l.artifact(); ok {
			add(artifact, []string{}, l.Kind, strconv.Itoa(len(out)))
		}
	}
	for i := range p.Accounts {
		for _, network := range p.Accounts[i].spread(running) {
			add(p.Accounts[i].artifact(network), p.Accounts[i].Tags, AnyEVM, strconv.Itoa(i)+"@"+network)
		}
	}
	return out
}

// spread are the networks that an account counts on without being listed there.
func (a *Account) spread(running []string) []string {
	if !slices.Contains(a.Networks, AnyEVM) {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(running), func(n string) bool { return slices.Contains(a.Networks, n) })
}

func (l *Listing) merge(tags []string) {
	for _, tag := range tags {
		if !slices.Contains(l.Tags, tag) {
			l.Tags = append(l.Tags, tag)
		}
	}
	if len(l.Tags) > 0 {
		both := Account{Tags: l.Tags}
		l.Type = both.kind()
	}
}

// Rows are the snapshot for the warehouse, in steps. Every row's id begins with
// the snapshot's, so that earlier snapshots stay as they are; the last row, of
// kind snapshots, closes it: views show the snapshot that was closed last, so
// never half of one. running are the networks that run, by oss-directory's names.
//
// Artifacts have no rows of their own: each is some project's.
func (s *Snapshot) Rows(running []string) iter.Seq[*chain.Rows] {
	return func(yield func(*chain.Rows) bool) {
		step, size := &chain.Rows{Feed: Feed}, 0
		for row := range s.rows(running) {
			cost := len(row.Kind) + len(row.ID) + len(row.Body) + rowOverhead
			if len(step.Rows) == maxStepRows || size+cost > maxStepBytes {
				if !yield(step) {
					return
				}
				step, size = &chain.Rows{Feed: Feed}, 0
			}
			step.Rows, size = append(step.Rows, row), size+cost
		}
		yield(step)
	}
}

func (s *Snapshot) rows(running []string) iter.Seq[chain.Row] {
	return func(yield func(chain.Row) bool) {
		row := func(kind, key string, body any) bool { return yield(s.row(kind, "/"+key, body)) }
		_ = s.projectRows(row, running) && s.collectionRows(row) && yield(s.row("snapshots", "", s.closing(running)))
	}
}

func (s *Snapshot) row(kind, key string, body any) chain.Row {
	text, err := json.Marshal(body)
	if err != nil {
		panic(err) // the bodies are texts and numbers: nothing in them can fail
	}
	return chain.Row{Kind: kind, ID: s.ID() + key, Time: uint64(s.Fetched.Unix()), Body: text}
}

type (
	projectRow struct {
		ID          string `json:"project_id"`
		Name        string `json:"project_name"`
		DisplayName string `json:"display_name"`
		Description string `json:"description"`
	}
	collectionRow struct {
		ID          string `json:"collection_id"`
		Name        string `json:"collection_name"`
		DisplayName string `json:"display_name"`
		Description string `json:"description"`
	}
	membershipRow struct {
		CollectionID   string `json:"collection_id"`
		CollectionName string `json:"collection_name"`
		ProjectID      string `json:"project_id"`
		ProjectName    string `json:"project_name"`
	}
	artifactRow struct {
		ProjectID   string   `json:"project_id"`
		ProjectName string   `json:"project_name"`
		ID          string   `json:"artifact_id"`
		Source      string   `json:"artifact_source"`
		Namespace   string   `json:"artifact_namespace"`
		Name        string   `json:"artifact_name"`
		Type        string   `json:"artifact_type"`
		Tags        []string `json:"tags"`
		ListedAs    string   `json:"listed_as"`
	}
	snapshotRow struct {
		Version     string   `json:"registry_commit"`
		Digest      string   `json:"digest"`
		Source      string   `json:"source"`
		Fetched     string   `json:"fetched"` // RFC 3339
		Networks    []string `json:"networks"`
		Projects    int      `json:"projects"`
		Collections int      `json:"collections"`
		Malformed   int      `json:"malformed"`
	}
)

func (s *Snapshot) projectRows(row func(kind, key string, body any) bool, running []string) bool {
	for i := range s.Projects {
		p := &s.Projects[i]
		id := EntityID(p.Name)
		if !row("projects", p.Name, projectRow{id, p.Name, p.DisplayName, p.Description}) {
			return false
		}
		for _, l := range p.Artifacts(running) {
			body := artifactRow{id, p.Name, l.ID(), l.Source, l.Namespace, l.Name, l.Type, l.Tags, l.ListedAs}
			if !row("artifacts_by_project", p.Name+"/"+l.key, body) {
				return false
			}
		}
	}
	return true
}

func (s *Snapshot) collectionRows(row func(kind, key string, body any) bool) bool {
	for _, c := range s.Collections {
		id := EntityID(c.Name)
		if !row("collections", c.Name, collectionRow{id, c.Name, c.DisplayName, c.Description}) {
			return false
		}
		for _, p := range c.Projects {
			if !row("projects_by_collection", c.Name+"/"+p, membershipRow{id, c.Name, EntityID(p), p}) {
				return false
			}
		}
	}
	return true
}

func (s *Snapshot) closing(running []string) snapshotRow {
	return snapshotRow{
		s.Version(), s.Digest, s.Source, s.Fetched.Format(time.RFC3339), append([]string{}, running...),
		len(s.Projects), len(s.Collections), len(s.Malformed()),
	}
}
