package sources

import (
	"fmt"
	"time"
)

// Sample is a repository with n commits, n issues, n pull requests, n stars, n/10
// forks and n/10 releases, from the newest, at a time, backwards, an hour apart. Every
// third issue is closed, every other pull request merged after a review and a comment
// on it; every fourth commit names only an address.
func Sample(id int64, name string, at time.Time, n int) *Repo {
	r := &Repo{ID: id, Name: name, Created: at.Add(-time.Duration(3*n+24) * time.Hour).Truncate(time.Second)}
	for i := n; i > 0; i-- {
		when := at.Add(-time.Duration(i) * time.Hour).Truncate(time.Second)
		r.commit(i, when)
		r.issue(2*i, when, i%3 == 0)
		r.pull(2*i+1, when, i%2 == 0)
		r.Stars = append(r.Stars, Star{user(i), when})
		if i%10 == 0 {
			r.Forks = append(r.Forks, Fork{id*1_000_000 + int64(i), fmt.Sprintf("u%d/fork", i), user(i), when})
			r.Releases = append(r.Releases, Release{id*1_000_000 + int64(i), fmt.Sprintf("v0.%d", n-i), when, user(1)})
		}
		r.Pushed = when
	}
	return r
}

func user(i int) User { return User{Login: fmt.Sprint("u", i%7), ID: int64(i%7) + 100} }

func (r *Repo) commit(i int, at time.Time) {
	u := user(i)
	c := Commit{SHA: fmt.Sprintf("%032x%08x", r.ID, i), At: at, Name: "U", Email: u.Login + "@example.com", User: &u, Headline: fmt.Sprint("change ", i)}
	if i%4 == 0 {
		c.User = nil
	}
	if i%5 == 0 {
		c.CoAuthor = "Zoe <zoe@example.com>"
	}
	r.Commits = append(r.Commits, c)
}

func (r *Repo) issue(number int, at time.Time, closed bool) {
	n := Issue{ID: r.ID*1_000_000 + int64(number), Number: number, By: user(number), Association: "CONTRIBUTOR", Created: at, Updated: at}
	if closed {
		n.Closed, n.Updated = at.Add(time.Minute), at.Add(time.Minute)
		n.Events = []Event{{"closed", n.Closed, user(1)}}
	}
	r.Issues = append(r.Issues, n)
}

func (r *Repo) pull(number int, at time.Time, merged bool) {
	id := r.ID*1_000_000 + int64(number)
	n := Issue{ID: id, Pull: id + 500_000, Number: number, By: user(number), Association: "FIRST_TIME_CONTRIBUTOR", Created: at, Updated: at}
	if merged {
		n.Merged = at.Add(time.Minute)
		n.Closed, n.Updated = n.Merged, n.Merged
		n.Reviews = []Review{{id + 600_000, "APPROVED", at.Add(30 * time.Second), user(2)}}
		n.Events = []Event{{"merged", n.Merged, user(1)}, {"closed", n.Merged, user(1)}}
		r.Comments = append(r.Comments,
			Comment{ID: id + 700_000, Number: number, By: user(3), Created: at, Updated: at},
			Comment{ID: id + 800_000, Number: number, Review: true, By: User{Login: "dependabot[bot]", ID: 9, Kind: "Bot"}, Created: at, Updated: at})
	}
	r.Issues = append(r.Issues, n)
}
