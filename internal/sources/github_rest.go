package sources

import (
	"cmp"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// rest answers a GET.
func (s *GitHub) rest(w http.ResponseWriter, r *http.Request, token string) {
	limited := func() bool {
		if s.spend(w, token, "core", 1) {
			return false
		}
		refuse(w, http.StatusForbidden, "API rate limit exceeded")
		return true
	}
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	var repo *Repo
	var rest []string
	switch {
	case len(parts) == 3 && parts[0] == "users":
		s.owner(w, r, token, parts[1], limited)
		return
	case len(parts) >= 3 && parts[0] == "repos":
		var moved bool
		if repo, moved = s.find(parts[1] + "/" + parts[2]); moved {
			if !limited() {
				to := url.URL{Path: strings.Join(append([]string{"/repositories", strconv.FormatInt(repo.ID, 10)}, parts[3:]...), "/"), RawQuery: r.URL.RawQuery}
				w.Header().Set("Location", to.String())
				refuse(w, http.StatusMovedPermanently, "Moved Permanently")
			}
			return
		}
		rest = parts[3:]
	case len(parts) >= 2 && parts[0] == "repositories":
		id, err := strconv.ParseInt(parts[1], 10, 64)
		if err == nil {
			repo = s.repos[id]
		}
		rest = parts[2:]
	}
	if repo == nil || repo.Gone > 0 {
		if !limited() {
			code := http.StatusNotFound
			if repo != nil {
				code = repo.Gone
			}
			refuse(w, code, http.StatusText(code))
		}
		return
	}
	if len(rest) == 0 {
		conditional(w, r, token, repo.rest(), limited)
		return
	}
	list, ok := repo.list(strings.Join(rest, "/"))
	if !ok {
		refuse(w, http.StatusNotFound, "Not Found")
		return
	}
	s.page(w, r, token, list, limited)
}

func (s *GitHub) owner(w http.ResponseWriter, r *http.Request, token, login string, limited func() bool) {
	all := []sorted{}
	for _, one := range s.of(login) {
		all = append(all, sorted{at: one.Created, id: one.node(), node: one.rest()})
	}
	if len(all) == 0 {
		if !limited() {
			refuse(w, http.StatusNotFound, "Not Found")
		}
		return
	}
	s.page(w, r, token, all, limited)
}

// page answers with a page of a list, as it is ordered.
func (s *GitHub) page(w http.ResponseWriter, r *http.Request, token string, all []sorted, limited func() bool) {
	q := r.URL.Query()
	if since, err := time.Parse(time.RFC3339, q.Get("since")); err == nil {
		all = slices.DeleteFunc(all, func(x sorted) bool { return x.at.Before(since) })
	}
	size, err := strconv.Atoi(cmp.Or(q.Get("per_page"), "30"))
	number, err2 := strconv.Atoi(cmp.Or(q.Get("page"), "1"))
	if err != nil || err2 != nil || size > 100 || number < 1 {
		refuse(w, http.StatusUnprocessableEntity, "Validation Failed")
		return
	}
	from := min((number-1)*size, len(all))
	to := min(from+size, len(all))
	if to < len(all) {
		next := *r.URL
		q.Set("page", strconv.Itoa(number+1))
		next.RawQuery = q.Encode()
		w.Header().Set("Link", fmt.Sprintf("<http://%s%s>; rel=\"next\"", r.Host, next.RequestURI()))
	}
	nodes := []object{}
	for _, x := range all[from:to] {
		nodes = append(nodes, x.node)
	}
	conditional(w, r, token, nodes, limited)
}

// conditional answers with a body, or with 304 where the token holds it, which is free.
func conditional(w http.ResponseWriter, r *http.Request, token string, body any, limited func() bool) {
	text, err := json.Marshal(body)
	if err != nil {
		refuse(w, http.StatusInternalServerError, err.Error())
		return
	}
	h := fnv.New64a()
	h.Write(text)
	etag := fmt.Sprintf("\"%x-%s\"", h.Sum64(), token)
	w.Header().Set("ETag", etag)
	if token != "" && r.Header.Get("If-None-Match") == etag {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	if !limited() {
		if token == "" && r.Header.Get("If-None-Match") == etag {
			w.WriteHeader(http.StatusNotModified)
			return
		}
		answer(w, body)
	}
}

func (u User) rest() any {
	if u.Login == "" {
		return nil
	}
	return object{"login": u.Login, "id": u.ID, "type": cmp.Or(u.Kind, "User")}
}

func (r *Repo) rest() object {
	open := 0
	for _, n := range r.Issues {
		if n.Closed.IsZero() {
			open++
		}
	}
	owner, name, _ := strings.Cut(r.Name, "/")
	return object{
		"id": r.ID, "node_id": r.node(), "name": name, "full_name": r.Name, "owner": User{Login: owner, ID: 1}.rest(), "private": false,
		"created_at": moment(r.Created), "updated_at": moment(r.Pushed), "pushed_at": moment(r.Pushed), "fork": r.Fork, "archived": r.Archived,
		"disabled": false, "stargazers_count": len(r.Stars), "forks_count": len(r.Forks), "open_issues_count": open, "default_branch": "main", "language": "Go",
	}
}

// list is what stands below a repository, in the order of REST: the newest first, but
// stars, which have the oldest first.
func (r *Repo) list(path string) (all []sorted, ok bool) {
	switch path {
	case "commits":
		all = r.restCommits()
	case "issues", "pulls":
		all = r.restIssues(path == "pulls")
	case "issues/events":
		all = r.restEvents()
	case "issues/comments", "pulls/comments":
		all = r.restComments(path == "pulls/comments")
	case "releases":
		for _, n := range r.Releases {
			all = append(all, sorted{at: n.At, id: n.Tag, node: object{
				"id": n.ID, "tag_name": n.Tag, "name": n.Tag, "prerelease": false, "draft": false, "created_at": moment(n.At), "published_at": moment(n.At), "author": n.By.rest(),
			}})
		}
	case "stargazers":
		for _, n := range r.Stars {
			all = append(all, sorted{at: n.At, id: n.By.Login, node: object{"starred_at": moment(n.At), "user": n.By.rest()}})
		}
	case "forks":
		for _, n := range r.Forks {
			all = append(all, sorted{at: n.At, id: n.Name, node: object{"id": n.ID, "full_name": n.Name, "owner": n.By.rest(), "created_at": moment(n.At)}})
		}
	default:
		return nil, false
	}
	slices.SortFunc(all, func(a, b sorted) int { return cmp.Or(b.at.Compare(a.at), strings.Compare(b.id, a.id)) })
	if path == "stargazers" {
		slices.Reverse(all)
	}
	return all, true
}

func (r *Repo) restCommits() (all []sorted) {
	for _, c := range r.Commits {
		git := func(name, email string) object { return object{"name": name, "email": email, "date": moment(c.At)} }
		message := c.Headline
		if c.CoAuthor != "" {
			message += "\n\nCo-authored-by: " + c.CoAuthor
		}
		node := object{
			"sha": c.SHA, "author": nil, "committer": User{Login: "web-flow", ID: 19}.rest(),
			"commit": object{"message": message, "author": git(c.Name, c.Email), "committer": git("GitHub", "noreply@github.com")},
		}
		if c.User != nil {
			node["author"] = c.User.rest()
		}
		all = append(all, sorted{at: c.At, id: c.SHA, node: node})
	}
	return all
}

func (r *Repo) restIssues(pulls bool) (all []sorted) {
	for _, n := range r.Issues {
		state := "open"
		if !n.Closed.IsZero() {
			state = "closed"
		}
		node := object{
			"id": n.ID, "number": n.Number, "title": fmt.Sprint("title ", n.Number), "state": state, "created_at": moment(n.Created), "updated_at": moment(n.Updated),
			"closed_at": moment(n.Closed), "user": n.By.rest(), "author_association": n.Association,
		}
		if n.Pull > 0 {
			node["pull_request"] = object{"url": "x"}
		}
		if pulls {
			node["id"], node["merged_at"], node["base"], node["draft"] = n.Pull, moment(n.Merged), object{"ref": "main"}, false
			if !n.Merged.IsZero() {
				node["merge_commit_sha"] = fmt.Sprintf("%040d", n.Number)
			}
		}
		if !pulls || n.Pull > 0 {
			all = append(all, sorted{at: n.Updated, id: fmt.Sprintf("%09d", n.Number), node: node})
		}
	}
	return all
}

func (r *Repo) restEvents() (all []sorted) {
	for _, n := range r.Issues {
		issue := object{"number": n.Number}
		if n.Pull > 0 {
			issue["pull_request"] = object{"url": "x"}
		}
		for i, e := range n.Events {
			id := fmt.Sprintf("%09d/%d", n.Number, i)
			all = append(all, sorted{at: e.At, id: id, node: object{"id": n.Number*100 + i, "event": e.Event, "created_at": moment(e.At), "actor": e.By.rest(), "issue": issue}})
		}
	}
	return all
}

func (r *Repo) restComments(reviews bool) (all []sorted) {
	pulls := map[int]bool{}
	for _, n := range r.Issues {
		pulls[n.Number] = n.Pull > 0
	}
	for _, c := range r.Comments {
		if c.Review != reviews {
			continue
		}
		node := object{"id": c.ID, "created_at": moment(c.Created), "updated_at": moment(c.Updated), "user": c.By.rest(), "author_association": "NONE"}
		at := fmt.Sprintf("https://api.github.com/repos/%s/", r.Name)
		kind := "issues"
		if pulls[c.Number] {
			kind = "pull"
		}
		node["issue_url"], node["pull_request_url"] = fmt.Sprint(at, "issues/", c.Number), fmt.Sprint(at, "pulls/", c.Number)
		node["html_url"] = fmt.Sprintf("https://github.com/%s/%s/%d#issuecomment-%d", r.Name, kind, c.Number, c.ID)
		all = append(all, sorted{at: c.Updated, id: fmt.Sprintf("%012d", c.ID), node: node})
	}
	return all
}
