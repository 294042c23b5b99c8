package github

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	gh "github.com/google/go-github/v92/github"

	"superindex/poller"
)

// list is how REST lists one kind of a repository, the newest first.
type list struct {
	path  string
	order map[string]string // how it is asked to be ordered
	since bool              // it takes the time from which on things are wanted
	read  func(f *Feed, o of, a *answer, what string) ([]item, error)
}

// listOfKind is the list of a kind.
func listOfKind(kind string) list {
	updated := map[string]string{"sort": "updated", "direction": "desc"}
	all := map[string]string{"state": "all", "sort": "updated", "direction": "desc"}
	switch kind {
	case commits:
		return list{"commits", nil, true, items(commitItem)}
	case issues:
		return list{"issues", all, true, items(issueItem)}
	case pulls:
		return list{"pulls", all, false, items(pullItem)}
	case issueEvents:
		return list{"issues/events", nil, false, items(eventItem)}
	case issueComments:
		return list{"issues/comments", updated, true, items(issueCommentItem)}
	case reviewComments:
		return list{"pulls/comments", updated, true, items(reviewCommentItem)}
	case releases:
		return list{"releases", nil, false, items(releaseItem)}
	case stars:
		return list{"stargazers", nil, false, items(starItem)}
	}
	return list{"forks", map[string]string{"sort": "newest"}, false, items(forkItem)}
}

// perPage is the most that GitHub gives at once.
const perPage = 100

// ofPage marks that a pass goes on by the numbers of pages.
const ofPage = "p:"

// lastOfStars is the furthest page of stars that REST gives, with the oldest first: the
// newest of a repository that has more are not there without a token.
const lastOfStars = 400

// list asks for a page of one kind. gone is true where there is no such repository: a
// look says why.
func (f *Feed) list(ctx context.Context, id int64, s *state, kind string) (pg page, body []byte, gone bool, err error) {
	l, what := listOfKind(kind), strings.ReplaceAll(kind, "_", " ")+" of "+s.Name
	number := s.pageOf(kind)
	query := url.Values{"per_page": {strconv.Itoa(perPage)}, "page": {strconv.Itoa(number)}}
	for name, value := range l.order {
		query.Set(name, value)
	}
	if since := s.since(kind, f.first); l.since && since.After(begin) {
		query.Set("since", since.UTC().Format(time.RFC3339))
	}
	a, err := f.get(ctx, what, "repos/"+s.Name+"/"+l.path, query, tag{})
	switch {
	case err != nil && kind == commits && isStatus(err, http.StatusConflict):
		return page{}, nil, false, nil // an empty repository
	case err != nil:
		return pg, nil, false, err
	case a.code == http.StatusGone:
		return page{}, nil, false, nil // it has no issues
	case a.code != http.StatusOK:
		return pg, nil, true, nil
	}
	if pg.items, err = l.read(f, of{id, s.Name}, &a, what); err != nil {
		return pg, nil, false, err
	}
	if kind == stars { // they come with the oldest first
		slices.Reverse(pg.items)
		a.next = ""
		if number > 1 {
			a.next = strconv.Itoa(number - 1)
		}
	}
	if a.next != "" {
		pg.next = ofPage + a.next
	}
	return pg, a.body, false, nil
}

// pageOf is the number of the page that is next.
func (s *state) pageOf(kind string) int {
	if text, ok := strings.CutPrefix(s.begin(kind).After, ofPage); ok {
		if n, err := strconv.Atoi(text); err == nil {
			return n
		}
	}
	if kind == stars {
		return min(max(1, (s.starred()+perPage-1)/perPage), lastOfStars)
	}
	return 1
}

// starred is how many stars the last look saw.
func (s *state) starred() int {
	n, err := strconv.Atoi(s.Marks[stars])
	if err != nil {
		return 0
	}
	return n
}

func isStatus(err error, code int) bool {
	var said *poller.StatusError
	return errors.As(err, &said) && said.Code == code
}

// items reads a list with one of the functions below, which leave out what is not wanted.
func items[T any](read func(f *Feed, o of, one *T) (item, bool)) func(*Feed, of, *answer, string) ([]item, error) {
	return func(f *Feed, o of, a *answer, what string) (out []item, err error) {
		all, err := readAll[T](a, what)
		for _, one := range all {
			if it, ok := read(f, o, one); ok {
				out = append(out, it)
			}
		}
		return out, err
	}
}

// userOf is a person as REST gives it; nil is a deleted account.
func userOf(u *gh.User) person { return personOf(u.GetLogin(), u.GetID(), u.GetType()) }

func byOf(u *gh.User, association string) by {
	p := userOf(u)
	return by{p.Login, p.ID, p.Bot, association}
}

func commitItem(f *Feed, o of, c *gh.RepositoryCommit) (item, bool) {
	git, by := c.GetCommit(), c.GetCommit().GetAuthor()
	a := authorOf(by.GetName(), by.GetEmail(), c.GetAuthor().GetLogin(), c.GetAuthor().GetID(), f.opts.Emails)
	committer := authorOf("", git.GetCommitter().GetEmail(), c.GetCommitter().GetLogin(), 0, false)
	headline, message, _ := strings.Cut(git.GetMessage(), "\n")
	row := commitRow{
		of: o, SHA: c.GetSHA(), Committed: git.GetCommitter().GetDate().UTC(), Authored: by.GetDate().UTC(), Headline: headline,
		Login: a.Login, ID: a.ID, Author: a.Name, EmailHash: a.EmailHash, Email: a.Email, Bot: a.Bot, Committer: committer.Login,
		CoAuthors: append([]author{}, coAuthors(message, f.opts.Emails)...),
	}
	return row.item(), row.SHA != ""
}

func issueItem(_ *Feed, o of, n *gh.Issue) (item, bool) {
	row := issueRow{
		of: o, ID: n.GetID(), Number: n.GetNumber(), Title: n.GetTitle(), State: strings.ToUpper(n.GetState()), Reason: strings.ToUpper(n.GetStateReason()),
		CreatedAt: n.GetCreatedAt().UTC(), UpdatedAt: n.GetUpdatedAt().UTC(), ClosedAt: n.GetClosedAt().UTC(), by: byOf(n.User, n.GetAuthorAssociation()),
	}
	return row.item(), !n.IsPullRequest()
}

func pullItem(_ *Feed, o of, n *gh.PullRequest) (item, bool) {
	row := pullRow{
		of: o, ID: n.GetID(), Number: n.GetNumber(), Title: n.GetTitle(), State: strings.ToUpper(n.GetState()), Draft: n.GetDraft(),
		CreatedAt: n.GetCreatedAt().UTC(), UpdatedAt: n.GetUpdatedAt().UTC(), ClosedAt: n.GetClosedAt().UTC(), MergedAt: n.GetMergedAt().UTC(),
		Base: n.GetBase().GetRef(), by: byOf(n.User, n.GetAuthorAssociation()),
	}
	if !row.MergedAt.IsZero() {
		row.State, row.Merge = "MERGED", n.GetMergeCommitSHA()
	}
	return row.item(), true
}

func eventItem(_ *Feed, o of, n *gh.IssueEvent) (item, bool) {
	event, p := n.GetEvent(), userOf(n.Actor)
	if n.Issue == nil {
		return item{}, false
	}
	row := eventRow{
		of: o, Event: event, At: n.GetCreatedAt().UTC(), Issue: n.GetIssue().GetNumber(), Pull: n.GetIssue().IsPullRequest(),
		Login: p.Login, ID: p.ID, Bot: p.Bot,
	}
	return row.item(row.At), event == "closed" || event == "reopened" || event == "merged"
}

func issueCommentItem(_ *Feed, o of, n *gh.IssueComment) (item, bool) {
	row := commentRow{
		of: o, ID: n.GetID(), Number: numberOf(n.GetIssueURL()), Pull: strings.Contains(n.GetHTMLURL(), "/pull/"),
		CreatedAt: n.GetCreatedAt().UTC(), UpdatedAt: n.GetUpdatedAt().UTC(), by: byOf(n.User, n.GetAuthorAssociation()),
	}
	return item{issueComments, strconv.FormatInt(row.ID, 10), row.UpdatedAt, row.CreatedAt, row, time.Time{}}, true
}

func reviewCommentItem(_ *Feed, o of, n *gh.PullRequestComment) (item, bool) {
	row := commentRow{
		of: o, ID: n.GetID(), Number: numberOf(n.GetPullRequestURL()), Pull: true,
		CreatedAt: n.GetCreatedAt().UTC(), UpdatedAt: n.GetUpdatedAt().UTC(), by: byOf(n.User, n.GetAuthorAssociation()),
	}
	return item{reviewComments, strconv.FormatInt(row.ID, 10), row.UpdatedAt, row.CreatedAt, row, time.Time{}}, true
}

// numberOf is the number at the end of an issue's URL; 0 where there is none.
func numberOf(text string) int {
	n, err := strconv.Atoi(path.Base(text))
	if err != nil {
		return 0
	}
	return n
}

func releaseItem(_ *Feed, o of, n *gh.RepositoryRelease) (item, bool) {
	p := userOf(n.Author)
	row := releaseRow{
		of: o, ID: n.GetID(), Tag: n.GetTagName(), Title: n.GetName(), Prerelease: n.GetPrerelease(),
		CreatedAt: n.GetCreatedAt().UTC(), Published: n.GetPublishedAt().UTC(), Login: p.Login, Author: p.ID, Bot: p.Bot,
	}
	return row.item(), !n.GetDraft()
}

func starItem(_ *Feed, o of, n *gh.Stargazer) (item, bool) {
	row := starRow{o, n.GetUser().GetLogin(), n.GetUser().GetID(), n.GetStarredAt().UTC()}
	return row.item(), n.StarredAt != nil
}

func forkItem(_ *Feed, o of, n *gh.Repository) (item, bool) {
	row := forkRow{o, n.GetID(), n.GetFullName(), n.GetOwner().GetLogin(), n.GetOwner().GetID(), n.GetCreatedAt().UTC()}
	return row.item(), true
}

// fromREST is a repository as REST gives it, as a look sees it. What of issues and pull
// requests REST does not say is asked for once a day.
func fromREST(n *gh.Repository, today uint64) repository {
	r := repository{
		ID: n.GetNodeID(), Number: n.GetID(), Name: n.GetFullName(), CreatedAt: n.GetCreatedAt().UTC(), UpdatedAt: n.GetUpdatedAt().UTC(),
		PushedAt: n.GetPushedAt().UTC(), Fork: n.GetFork(), Archived: n.GetArchived(), Disabled: n.GetDisabled(),
		Stars: n.GetStargazersCount(), Forks: n.GetForksCount(),
	}
	r.Language.Name, r.License.SPDX = n.GetLanguage(), n.GetLicense().GetSPDXID()
	r.Branch.Name, r.Branch.Target.OID = n.GetDefaultBranch(), r.PushedAt.Format(time.RFC3339)
	r.Issues = newest{n.GetOpenIssuesCount(), []changed{{ID: int64(today)}}}
	r.Pulls = r.Issues
	r.Releases.Nodes = []changed{{int64(today), r.PushedAt}}
	return r
}
