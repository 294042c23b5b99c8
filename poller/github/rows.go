package github

import "time"

// repositoryRow is a repository as it was last seen.
type repositoryRow struct {
	ID        int64     `json:"id"`
	Node      string    `json:"node_id"`
	Name      string    `json:"repository"` // owner/name, now
	Branch    string    `json:"default_branch"`
	Language  string    `json:"language"`
	License   string    `json:"license"`
	CreatedAt time.Time `json:"created_at"`
	PushedAt  time.Time `json:"pushed_at"`
	Stars     int       `json:"stars"`
	Forks     int       `json:"forks"`
	IsFork    bool      `json:"is_fork"`
	Archived  bool      `json:"is_archived"`
	Disabled  bool      `json:"is_disabled"`
}

// of says which repository a row is about, by its number and its name then.
type of struct {
	Repository int64  `json:"repository_id"`
	Name       string `json:"repository"`
}

// by says who did it.
type by struct {
	Login       string `json:"author_login"`
	ID          int64  `json:"author_id"`
	Bot         bool   `json:"is_bot"`
	Association string `json:"author_association"`
}

type commitRow struct {
	of
	SHA       string    `json:"sha"`
	Committed time.Time `json:"committed_at"`
	Authored  time.Time `json:"authored_at"`
	Headline  string    `json:"headline"`
	Login     string    `json:"author_login"`
	ID        int64     `json:"author_id"`
	Author    string    `json:"author_name"`
	EmailHash string    `json:"author_email_hash"`
	Email     string    `json:"author_email,omitempty"`
	Bot       bool      `json:"is_bot"`
	Committer string    `json:"committer_login"`
	CoAuthors []author  `json:"co_authors"`
}

type issueRow struct {
	of
	ID        int64     `json:"id"`
	Number    int       `json:"number"`
	Title     string    `json:"title"`
	State     string    `json:"state"`        // OPEN, CLOSED
	Reason    string    `json:"state_reason"` // COMPLETED, NOT_PLANNED, ...
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
	by
}

type pullRow struct {
	of
	ID        int64     `json:"id"`
	Number    int       `json:"number"`
	Title     string    `json:"title"`
	State     string    `json:"state"` // OPEN, CLOSED, MERGED
	Draft     bool      `json:"is_draft"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	ClosedAt  time.Time `json:"closed_at,omitzero"`
	MergedAt  time.Time `json:"merged_at,omitzero"`
	MergedBy  string    `json:"merged_by"`
	Merge     string    `json:"merge_commit"`
	Base      string    `json:"base_branch"`
	by
}

// eventRow is that an issue or a pull request was closed, reopened or merged.
type eventRow struct {
	of
	Event string    `json:"event"`
	At    time.Time `json:"created_at"`
	Issue int       `json:"number"`
	Pull  bool      `json:"is_pull_request"`
	Login string    `json:"actor_login"`
	ID    int64     `json:"actor_id"`
	Bot   bool      `json:"is_bot"`
}

type reviewRow struct {
	of
	ID        int64     `json:"id"`
	Pull      int       `json:"number"`
	State     string    `json:"state"`
	Submitted time.Time `json:"submitted_at"`
	UpdatedAt time.Time `json:"updated_at"`
	by
}

type commentRow struct {
	of
	ID        int64     `json:"id"`
	Number    int       `json:"number"`
	Pull      bool      `json:"is_pull_request"`
	CreatedAt time.Time `json:"created_at"`
	UpdatedAt time.Time `json:"updated_at"`
	by
}

type releaseRow struct {
	of
	ID         int64     `json:"id"`
	Tag        string    `json:"tag"`
	Title      string    `json:"name"`
	Prerelease bool      `json:"is_prerelease"`
	CreatedAt  time.Time `json:"created_at"`
	Published  time.Time `json:"published_at,omitzero"`
	Login      string    `json:"author_login"`
	Author     int64     `json:"author_id"`
	Bot        bool      `json:"is_bot"`
}

type starRow struct {
	of
	Login string    `json:"login"`
	ID    int64     `json:"user_id"`
	At    time.Time `json:"starred_at"`
}

type forkRow struct {
	of
	ID    int64     `json:"id"`
	Fork  string    `json:"fork"` // owner/name
	Login string    `json:"login"`
	Owner int64     `json:"owner_id"`
	At    time.Time `json:"created_at"`
}

// listingRow is which repositories an entry of oss-directory stands for.
type listingRow struct {
	Owner        string  `json:"owner"`
	Name         string  `json:"name"` // empty for all that the owner has
	Repositories []int64 `json:"repository_ids"`
}
