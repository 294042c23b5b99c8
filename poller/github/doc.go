// Package github is the feed of who builds what: the repositories that oss-directory
// lists, and those of the owners that it lists, with their commits on the default
// branch, issues, pull requests, reviews, comments, releases, stars and forks.
//
// A repository is followed by its number, through renames and transfers. How a round
// goes with a token:
//
//	owners   their repositories, a page of a hundred, once a day      REST, nothing if unchanged
//	names    a hundred listed repositories in one query, once a week  GraphQL
//	look     a hundred repositories in one query: has anything moved? GraphQL
//	read     of one that has: a page of each thing that has moved     GraphQL
//	comments of issues and of reviews that changed since              REST
//
// Everything is listed with the newest first. A pass goes from there down to what the
// pass before it brought, less an overlap; its cursor moves when it arrives. What comes
// twice is told by its id and contents, and left out. Commits are counted beside: where
// the branch has gained more than the pass met, an old branch was merged, and the next
// pass goes further back.
//
// Without a token there is no GraphQL, and there are 60 requests an hour: a repository
// is looked at by its number, and read one list at a time.
//
// Every token has limits of its own. One that is at its limit is parked until that ends,
// and the feed rests only when all are.
//
// Reading answers, planning and the states are pure; a Feed is safe for concurrent use.
package github
