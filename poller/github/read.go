package github

import (
	"fmt"
	"strconv"
	"time"
)

// readData is the answer to readQuery.
type readData struct {
	Node *struct {
		ID     string `json:"id"`
		Branch *struct {
			Target struct {
				All struct {
					Total int `json:"totalCount"`
				} `json:"all"`
				History listOf[commitNode] `json:"history"`
			} `json:"target"`
		} `json:"defaultBranchRef"`
		Issues   listOf[issueNode]   `json:"issues"`
		Pulls    listOf[pullNode]    `json:"pullRequests"`
		Releases listOf[releaseNode] `json:"releases"`
		Stars    struct {
			pageInfo
			Edges []starEdge `json:"edges"`
		} `json:"stargazers"`
		Forks listOf[forkNode] `json:"forks"`
	} `json:"node"`
}

// page is the part of the answer that is about a kind.
func (d *readData) page(kind string, o of, raw bool) (pg page) {
	n := d.Node
	switch kind {
	case commits:
		if n.Branch == nil {
			return page{} // an empty repository
		}
		pg = page{next: n.Branch.Target.History.next(), total: n.Branch.Target.All.Total}
		pg.items = each(n.Branch.Target.History.Nodes, func(c *commitNode) []item { return []item{c.item(o, raw)} })
	case issues:
		pg = page{next: n.Issues.next(), items: each(n.Issues.Nodes, func(c *issueNode) []item { return c.items(o) })}
	case pulls:
		pg = page{next: n.Pulls.next(), items: each(n.Pulls.Nodes, func(c *pullNode) []item { return c.items(o) })}
	case releases:
		pg = page{next: n.Releases.next(), items: each(n.Releases.Nodes, func(c *releaseNode) []item { return []item{c.item(o)} })}
	case stars:
		pg = page{next: n.Stars.next(), items: each(n.Stars.Edges, func(c *starEdge) []item { return []item{c.item(o)} })}
	case forks:
		pg = page{next: n.Forks.next(), items: each(n.Forks.Nodes, func(c *forkNode) []item { return []item{c.item(o)} })}
	}
	return pg
}

func each[T any](nodes []T, read func(*T) []item) (all []item) {
	for i := range nodes {
		all = append(all, read(&nodes[i])...)
	}
	return all
}

type pageInfo struct {
	Info struct {
		More   bool   `json:"hasNextPage"`
		End    string `json:"endCursor"`
		Before bool   `json:"hasPreviousPage"`
		Start  string `json:"startCursor"`
	} `json:"pageInfo"`
}

// next is where the list goes on.
func (p *pageInfo) next() string {
	if p.Info.More {
		return p.Info.End
	}
	return ""
}

type listOf[T any] struct {
	pageInfo
	Nodes []T `json:"nodes"`
}

type actor struct {
	Kind  string `json:"__typename"`
	Login string `json:"login"`
	ID    int64  `json:"databaseId"`
}

// person is the actor; nil is a deleted account.
func (a *actor) person() person {
	if a == nil {
		return personOf("", 0, "")
	}
	return personOf(a.Login, a.ID, a.Kind)
}

func (a *actor) by(association string) by {
	p := a.person()
	return by{p.Login, p.ID, p.Bot, association}
}

type gitActor struct {
	Name  string `json:"name"`
	Email string `json:"email"`
	User  *actor `json:"user"`
}

// author is who git names; nil is nobody.
func (g *gitActor) author(raw bool) author {
	if g == nil {
		return author{}
	}
	if g.User == nil {
		return authorOf(g.Name, g.Email, "", 0, raw)
	}
	return authorOf(g.Name, g.Email, g.User.Login, g.User.ID, raw)
}

type commitNode struct {
	OID       string            `json:"oid"`
	Committed time.Time         `json:"committedDate"`
	Authored  time.Time         `json:"authoredDate"`
	Headline  string            `json:"messageHeadline"`
	Author    *gitActor         `json:"author"`
	Committer *gitActor         `json:"committer"`
	Authors   listOf[*gitActor] `json:"authors"` // the author first, then those of trailers
}

func (c *commitNode) item(o of, raw bool) item {
	a := c.Author.author(raw)
	row := commitRow{
		of: o, SHA: c.OID, Committed: c.Committed.UTC(), Authored: c.Authored.UTC(), Headline: c.Headline,
		Login: a.Login, ID: a.ID, Author: a.Name, EmailHash: a.EmailHash, Email: a.Email, Bot: a.Bot,
		Committer: c.Committer.author(raw).Login, CoAuthors: []author{},
	}
	for i, other := range c.Authors.Nodes {
		if i > 0 {
			row.CoAuthors = append(row.CoAuthors, other.author(raw))
		}
	}
	return row.item()
}

type happened struct {
	Kind  string    `json:"__typename"`
	At    time.Time `json:"createdAt"`
	Actor *actor    `json:"actor"`
}

// event is what happened to an issue or a pull request that changed last at.
func (h *happened) event(o of, number int, pull bool, at time.Time) (item, bool) {
	event, ok := map[string]string{"ClosedEvent": "closed", "ReopenedEvent": "reopened", "MergedEvent": "merged"}[h.Kind]
	p := h.Actor.person()
	row := eventRow{of: o, Event: event, At: h.At.UTC(), Issue: number, Pull: pull, Login: p.Login, ID: p.ID, Bot: p.Bot}
	return row.item(at), ok
}

type issueNode struct {
	ID          int64     `json:"fullDatabaseId,string"`
	Number      int       `json:"number"`
	Title       string    `json:"title"`
	State       string    `json:"state"`
	Reason      string    `json:"stateReason"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
	ClosedAt    time.Time `json:"closedAt"`
	Association string    `json:"authorAssociation"`
	Author      *actor    `json:"author"`
	thread
}

func (n *issueNode) items(o of) []item {
	row := issueRow{
		of: o, ID: n.ID, Number: n.Number, Title: n.Title, State: n.State, Reason: n.Reason,
		CreatedAt: n.CreatedAt.UTC(), UpdatedAt: n.UpdatedAt.UTC(), ClosedAt: n.ClosedAt.UTC(), by: n.Author.by(n.Association),
	}
	return append([]item{row.item()}, eventsOf(n.Timeline.Nodes, o, n.Number, false, n.UpdatedAt)...)
}

func eventsOf(all []happened, o of, number int, pull bool, at time.Time) (items []item) {
	for i := range all {
		if it, ok := all[i].event(o, number, pull, at); ok {
			items = append(items, it)
		}
	}
	return items
}

type pullNode struct {
	ID          int64     `json:"fullDatabaseId,string"`
	Number      int       `json:"number"`
	Title       string    `json:"title"`
	State       string    `json:"state"`
	Draft       bool      `json:"isDraft"`
	CreatedAt   time.Time `json:"createdAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
	ClosedAt    time.Time `json:"closedAt"`
	MergedAt    time.Time `json:"mergedAt"`
	Association string    `json:"authorAssociation"`
	Base        string    `json:"baseRefName"`
	Author      *actor    `json:"author"`
	MergedBy    *actor    `json:"mergedBy"`
	Merge       *struct {
		OID string `json:"oid"`
	} `json:"mergeCommit"`
	thread
}

type reviewNode struct {
	ID          int64     `json:"fullDatabaseId,string"`
	State       string    `json:"state"`
	Submitted   time.Time `json:"submittedAt"`
	UpdatedAt   time.Time `json:"updatedAt"`
	Association string    `json:"authorAssociation"`
	Author      *actor    `json:"author"`
}

func (n *pullNode) items(o of) []item {
	row := pullRow{
		of: o, ID: n.ID, Number: n.Number, Title: n.Title, State: n.State, Draft: n.Draft, Base: n.Base, by: n.Author.by(n.Association),
		CreatedAt: n.CreatedAt.UTC(), UpdatedAt: n.UpdatedAt.UTC(), ClosedAt: n.ClosedAt.UTC(), MergedAt: n.MergedAt.UTC(),
	}
	if n.State == "MERGED" {
		row.MergedBy = n.MergedBy.person().Login
	}
	if n.Merge != nil {
		row.Merge = n.Merge.OID
	}
	all := append([]item{row.item()}, eventsOf(n.Timeline.Nodes, o, n.Number, true, n.UpdatedAt)...)
	for i := range n.Reviews.Nodes {
		v := &n.Reviews.Nodes[i]
		if v.Submitted.IsZero() {
			continue // not shown to others yet
		}
		r := reviewRow{of: o, ID: v.ID, Pull: n.Number, State: v.State, Submitted: v.Submitted.UTC(), UpdatedAt: v.UpdatedAt.UTC(), by: v.Author.by(v.Association)}
		all = append(all, item{reviews, strconv.FormatInt(v.ID, 10), n.UpdatedAt, v.Submitted, r, v.UpdatedAt})
	}
	return all
}

type releaseNode struct {
	ID         int64     `json:"databaseId"`
	Tag        string    `json:"tagName"`
	Name       string    `json:"name"`
	Prerelease bool      `json:"isPrerelease"`
	CreatedAt  time.Time `json:"createdAt"`
	Published  time.Time `json:"publishedAt"`
	UpdatedAt  time.Time `json:"updatedAt"`
	Author     *actor    `json:"author"`
}

func (n *releaseNode) item(o of) item {
	p := n.Author.person()
	row := releaseRow{
		of: o, ID: n.ID, Tag: n.Tag, Title: n.Name, Prerelease: n.Prerelease, CreatedAt: n.CreatedAt.UTC(), Published: n.Published.UTC(),
		Login: p.Login, Author: p.ID, Bot: p.Bot,
	}
	return row.item()
}

type starEdge struct {
	At   time.Time `json:"starredAt"`
	Node *actor    `json:"node"`
}

func (e *starEdge) item(o of) item {
	p := e.Node.person()
	row := starRow{o, p.Login, p.ID, e.At.UTC()}
	return row.item()
}

type forkNode struct {
	ID        int64     `json:"databaseId"`
	Name      string    `json:"nameWithOwner"`
	CreatedAt time.Time `json:"createdAt"`
	Owner     *actor    `json:"owner"`
}

func (n *forkNode) item(o of) item {
	p := n.Owner.person()
	row := forkRow{o, n.ID, n.Name, p.Login, p.ID, n.CreatedAt.UTC()}
	return row.item()
}

// The rows as items, by what their lists are ordered. Their ids are what GraphQL and REST
// both know.

func (r *commitRow) item() item {
	return item{commits, fmt.Sprintf("%d/%s", r.Repository, r.SHA), r.Committed, r.Committed, r, time.Time{}}
}

func (r *issueRow) item() item {
	return item{issues, strconv.FormatInt(r.ID, 10), r.UpdatedAt, r.CreatedAt, r, time.Time{}}
}

func (r *pullRow) item() item {
	return item{pulls, strconv.FormatInt(r.ID, 10), r.UpdatedAt, r.CreatedAt, r, time.Time{}}
}

func (r *eventRow) item(at time.Time) item {
	return item{issueEvents, fmt.Sprintf("%d/%d/%s/%d", r.Repository, r.Issue, r.Event, r.At.Unix()), at, r.At, r, r.At}
}

func (r *releaseRow) item() item {
	return item{releases, strconv.FormatInt(r.ID, 10), r.CreatedAt, r.CreatedAt, r, time.Time{}}
}

func (r *starRow) item() item {
	return item{stars, fmt.Sprintf("%d/%d/%d", r.Repository, r.ID, r.At.Unix()), r.At, r.At, r, time.Time{}}
}

func (r *forkRow) item() item {
	return item{forks, strconv.FormatInt(r.ID, 10), r.At, r.At, r, time.Time{}}
}
