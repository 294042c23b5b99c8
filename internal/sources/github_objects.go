package sources

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// moment is a time as GraphQL and REST write it; nil for none.
func moment(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UTC().Format(time.RFC3339)
}

// object is an account in GraphQL. A deleted one is null; an app's login has no [bot].
func (u User) object() any {
	if u.Login == "" {
		return nil
	}
	kind := u.Kind
	if kind == "" {
		kind = "User"
	}
	return object{"__typename": kind, "login": strings.TrimSuffix(u.Login, "[bot]"), "databaseId": u.ID}
}

// object is a repository in GraphQL.
func (r *Repo) object() object {
	o := object{
		"__typename": "Repository", "id": r.node(), "databaseId": r.ID, "nameWithOwner": r.Name, "createdAt": moment(r.Created),
		"updatedAt": moment(r.Pushed), "pushedAt": moment(r.Pushed), "isFork": r.Fork, "isArchived": r.Archived, "isDisabled": false,
		"stargazerCount": len(r.Stars), "forkCount": len(r.Forks), "primaryLanguage": object{"name": "Go"}, "licenseInfo": nil,
		"issues": r.issues(false), "pullRequests": r.issues(true), "releases": r.releases(), "stargazers": r.stargazers(), "forks": r.forks(),
		"defaultBranchRef": nil,
	}
	if len(r.Commits) > 0 {
		o["defaultBranchRef"] = object{"name": "main", "target": object{"__typename": "Commit", "oid": r.head(), "history": r.history()}}
	}
	return o
}

func (c *Commit) git(name, email string, user *User) object {
	o := object{"name": name, "email": email, "user": nil}
	if user != nil {
		o["user"] = user.object()
	}
	return o
}

func (r *Repo) history() connection {
	return paged(func() (all []sorted) {
		for _, c := range r.Commits {
			author := c.git(c.Name, c.Email, c.User)
			authors := []sorted{{at: c.At.Add(time.Second), id: "0", node: author}}
			if name, email, ok := strings.Cut(strings.TrimSuffix(c.CoAuthor, ">"), " <"); ok {
				authors = append(authors, sorted{at: c.At, id: "1", node: c.git(name, email, nil)})
			}
			all = append(all, sorted{c.At, c.SHA, object{
				"oid": c.SHA, "committedDate": moment(c.At), "authoredDate": moment(c.At), "messageHeadline": c.Headline,
				"author": author, "committer": c.git("GitHub", "noreply@github.com", &User{Login: "web-flow", ID: 19}), "authors": paged(func() []sorted { return authors }),
			}, nil})
		}
		return all
	})
}

func (r *Repo) issues(pulls bool) connection {
	return paged(func() (all []sorted) {
		for _, n := range r.Issues {
			if n.Pull > 0 == pulls {
				all = append(all, sorted{n.Updated, fmt.Sprintf("%09d", n.Number), n.object(), nil})
			}
		}
		return all
	})
}

func (n *Issue) state() string {
	switch {
	case !n.Merged.IsZero():
		return "MERGED"
	case !n.Closed.IsZero():
		return "CLOSED"
	}
	return "OPEN"
}

func (n *Issue) node() string { return fmt.Sprintf("I_%d", n.ID) }

func (n *Issue) object() object {
	id, kind := n.ID, "Issue"
	if n.Pull > 0 {
		id, kind = n.Pull, "PullRequest"
	}
	o := object{
		"__typename": kind, "id": n.node(), "fullDatabaseId": strconv.FormatInt(id, 10), "number": n.Number, "title": fmt.Sprint("title ", n.Number), "state": n.state(), "stateReason": nil, "isDraft": false,
		"createdAt": moment(n.Created), "updatedAt": moment(n.Updated), "closedAt": moment(n.Closed), "mergedAt": moment(n.Merged),
		"authorAssociation": n.Association, "author": n.By.object(), "baseRefName": "main", "mergedBy": nil, "mergeCommit": nil,
	}
	var events, reviews []sorted
	for i, e := range n.Events {
		kind := map[string]string{"closed": "ClosedEvent", "reopened": "ReopenedEvent", "merged": "MergedEvent"}[e.Event]
		events = append(events, sorted{e.At, fmt.Sprintf("%06d", i), object{"__typename": kind, "createdAt": moment(e.At), "actor": e.By.object()}, nil})
		if e.Event == "merged" {
			o["mergedBy"], o["mergeCommit"] = e.By.object(), object{"oid": fmt.Sprintf("%040d", n.Number)}
		}
	}
	for _, v := range n.Reviews {
		reviews = append(reviews, sorted{v.At, strconv.FormatInt(v.ID, 10), object{
			"fullDatabaseId": strconv.FormatInt(v.ID, 10), "state": v.State, "submittedAt": moment(v.At), "updatedAt": moment(v.At),
			"authorAssociation": "MEMBER", "author": v.By.object(),
		}, nil})
	}
	o["timelineItems"], o["reviews"] = paged(func() []sorted { return events }), paged(func() []sorted { return reviews })
	return o
}

func (r *Repo) releases() connection {
	return paged(func() (all []sorted) {
		for _, n := range r.Releases {
			all = append(all, sorted{n.At, n.Tag, object{
				"databaseId": n.ID, "tagName": n.Tag, "name": n.Tag, "isPrerelease": false, "createdAt": moment(n.At), "publishedAt": moment(n.At),
				"updatedAt": moment(n.At), "author": n.By.object(),
			}, nil})
		}
		return all
	})
}

func (r *Repo) stargazers() connection {
	return paged(func() (all []sorted) {
		for _, n := range r.Stars {
			if node, ok := n.By.object().(object); ok {
				all = append(all, sorted{n.At, fmt.Sprintf("%09d", n.By.ID), node, object{"starredAt": moment(n.At)}})
			}
		}
		return all
	})
}

func (r *Repo) forks() connection {
	return paged(func() (all []sorted) {
		for _, n := range r.Forks {
			all = append(all, sorted{n.At, fmt.Sprintf("%09d", n.ID), object{
				"databaseId": n.ID, "nameWithOwner": n.Name, "createdAt": moment(n.At), "owner": n.By.object(),
			}, nil})
		}
		return all
	})
}
