package gharchive

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"superindex/registry"
)

// Watch says whose events are kept. It is immutable.
type Watch struct {
	id     string
	owners map[string]bool // all that they have; names are lower case
	repos  map[string]bool // "owner/name"
}

// watchOf are the repositories that the registry lists, and the owners of whom it
// lists all.
func watchOf(s *registry.Snapshot) Watch {
	w := Watch{owners: map[string]bool{}, repos: map[string]bool{}}
	for i := range s.Projects {
		for _, l := range s.Projects[i].Artifacts(nil) {
			switch {
			case l.Source != "GITHUB":
			case l.Name == "":
				w.owners[l.Namespace] = true
			default:
				w.repos[l.Namespace+"/"+l.Name] = true
			}
		}
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(w.owners)), maps.Keys(w.repos))
	slices.Sort(names)
	sum := sha256.Sum256([]byte(strings.Join(names, " ")))
	w.id = hex.EncodeToString(sum[:8])
	return w
}

func (w *Watch) has(repo string) bool {
	name := strings.ToLower(repo)
	owner, _, _ := strings.Cut(name, "/")
	return w.owners[owner] || w.repos[name]
}

// event is a line of a file, as far as it is read.
type event struct {
	ID    string `json:"id"`
	Type  string `json:"type"`
	Actor struct {
		ID    uint64 `json:"id"`
		Login string `json:"login"`
	} `json:"actor"`
	Repo struct {
		ID   uint64 `json:"id"`
		Name string `json:"name"`
	} `json:"repo"`
	Payload   json.RawMessage `json:"payload"`
	CreatedAt time.Time       `json:"created_at"`
}

var errEvent = errors.New("not an event")

func parse(line []byte) (e event, err error) {
	if err := json.Unmarshal(line, &e); err != nil {
		return e, errEvent
	}
	if e.ID == "" || e.Type == "" || e.CreatedAt.IsZero() || !strings.Contains(e.Repo.Name, "/") {
		return e, errEvent
	}
	e.CreatedAt = e.CreatedAt.UTC()
	return e, nil
}

// payload is what is read of an event's. Which parts are there is its type's to say.
type payload struct {
	Action      string   `json:"action"`
	Ref         string   `json:"ref"`
	Size        *uint64  `json:"size"` // commits of a push, of which at most 20 are listed
	Commits     []commit `json:"commits"`
	Number      uint64   `json:"number"`
	Issue       numbered `json:"issue"`
	PullRequest struct {
		numbered
		Merged *bool `json:"merged"`
	} `json:"pull_request"`
	Release struct {
		Tag string `json:"tag_name"`
	} `json:"release"`
}

type numbered struct {
	Number      uint64 `json:"number"`
	Association string `json:"author_association"`
}

type commit struct {
	SHA      string `json:"sha"`
	Distinct *bool  `json:"distinct"` // nil is true
}

// commitsEnd is when GitHub's push events stopped carrying commits.
var commitsEnd = time.Date(2025, 10, 7, 0, 0, 0, 0, time.UTC)

// eventRow is an event as the view shows it. What the source does not say is null.
type eventRow struct {
	ID          string   `json:"id"`
	Type        string   `json:"type"`   // GitHub's: PushEvent, WatchEvent, ...
	Action      string   `json:"action"` // opened, closed, ...
	CreatedAt   string   `json:"created_at"`
	RepoID      uint64   `json:"repo_id"`
	Repo        string   `json:"repo"` // as it was named then
	ActorID     uint64   `json:"actor_id"`
	Actor       string   `json:"actor"`
	Number      uint64   `json:"number"` // of the issue or pull request; 0 for none
	Merged      *bool    `json:"merged"` // of a pull request
	Association string   `json:"author_association"`
	Ref         string   `json:"ref"` // of a push; a release's tag
	Size        *uint64  `json:"size"`
	Commits     []string `json:"commits"` // the push's own, by hash
}

func (e *event) row() ([]byte, error) {
	var p payload
	if err := json.Unmarshal(e.Payload, &p); err != nil {
		return nil, errEvent
	}
	row := eventRow{
		ID: e.ID, Type: e.Type, Action: p.Action, CreatedAt: e.CreatedAt.Format(time.RFC3339), RepoID: e.Repo.ID, Repo: e.Repo.Name,
		ActorID: e.Actor.ID, Actor: e.Actor.Login, Merged: p.PullRequest.Merged, Ref: p.Ref + p.Release.Tag,
	}
	for _, n := range []numbered{p.PullRequest.numbered, p.Issue, {Number: p.Number}} {
		if row.Number == 0 {
			row.Number, row.Association = n.Number, n.Association
		}
	}
	if e.Type == "PushEvent" && e.CreatedAt.Before(commitsEnd) && p.Commits != nil {
		row.Size, row.Commits = p.Size, []string{}
		for _, c := range p.Commits {
			if c.SHA != "" && (c.Distinct == nil || *c.Distinct) {
				row.Commits = append(row.Commits, c.SHA)
			}
		}
	}
	return json.Marshal(row)
}
