package github

import (
	"strconv"
	"time"
)

// repository is one as a look sees it, by GraphQL.
type repository struct {
	ID        string    `json:"id"`
	Number    int64     `json:"databaseId"`
	Name      string    `json:"nameWithOwner"`
	CreatedAt time.Time `json:"createdAt"`
	UpdatedAt time.Time `json:"updatedAt"`
	PushedAt  time.Time `json:"pushedAt"`
	Fork      bool      `json:"isFork"`
	Archived  bool      `json:"isArchived"`
	Disabled  bool      `json:"isDisabled"`
	Stars     int       `json:"stargazerCount"`
	Forks     int       `json:"forkCount"`
	Language  struct {
		Name string `json:"name"`
	} `json:"primaryLanguage"`
	License struct {
		SPDX string `json:"spdxId"`
	} `json:"licenseInfo"`
	Branch struct { // empty of an empty repository
		Name   string `json:"name"`
		Target struct {
			OID string `json:"oid"`
		} `json:"target"`
	} `json:"defaultBranchRef"`
	Issues   newest `json:"issues"`
	Pulls    newest `json:"pullRequests"`
	Releases newest `json:"releases"`
}

// newest is how many of a thing there are, and which has changed last.
type newest struct {
	Total int       `json:"totalCount"`
	Nodes []changed `json:"nodes"`
}

type changed struct {
	ID        int64     `json:"databaseId"`
	UpdatedAt time.Time `json:"updatedAt"`
}

// mark tells one state of a list from another.
func (n newest) mark() string {
	text := strconv.Itoa(n.Total)
	for _, one := range n.Nodes {
		text += "/" + strconv.FormatInt(one.ID, 10) + "/" + one.UpdatedAt.UTC().Format(time.RFC3339)
	}
	return text
}

// row is the repository's own.
func (r *repository) row() repositoryRow {
	return repositoryRow{
		ID: r.Number, Node: r.ID, Name: r.Name, Branch: r.Branch.Name, Language: r.Language.Name, License: r.License.SPDX,
		CreatedAt: r.CreatedAt.UTC(), PushedAt: r.PushedAt.UTC(), Stars: r.Stars, Forks: r.Forks,
		IsFork: r.Fork, Archived: r.Archived, Disabled: r.Disabled,
	}
}

// seen takes over what a look saw, and opens what has moved since.
func (s *state) seen(r *repository) {
	s.Node, s.Name, s.Created, s.Fork, s.Dormant, s.Lost = r.ID, r.Name, r.CreatedAt, r.Fork, r.Archived || r.Disabled, false
	s.mark(commits, r.Branch.Target.OID, commits)
	s.mark(issues, r.Issues.mark(), issues, issueEvents, issueComments)
	s.mark(pulls, r.Pulls.mark(), pulls, issueEvents, issueComments, reviewComments)
	s.mark(releases, r.Releases.mark(), releases)
	s.mark(stars, strconv.Itoa(r.Stars), stars)
	s.mark(forks, strconv.Itoa(r.Forks), forks)
}
