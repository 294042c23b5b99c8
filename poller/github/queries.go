package github

import (
	"fmt"
	"strings"
)

// seenFields are what a look takes in of a repository. The three connections cost a
// point for a hundred repositories each.
const seenFields = `
fragment seen on Repository {
  id databaseId nameWithOwner createdAt updatedAt pushedAt isFork isArchived isDisabled
  stargazerCount forkCount
  primaryLanguage { name }
  licenseInfo { spdxId }
  defaultBranchRef { name target { oid } }
  issues(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { updatedAt } }
  pullRequests(first: 1, orderBy: {field: UPDATED_AT, direction: DESC}) { totalCount nodes { updatedAt } }
  releases(first: 1, orderBy: {field: CREATED_AT, direction: DESC}) { totalCount nodes { databaseId updatedAt } }
}`

// lookQuery looks at up to a hundred repositories.
const lookQuery = `query Look($ids: [ID!]!) {
  nodes(ids: $ids) { ... on Repository { ...seen } }
}` + seenFields

// namesQuery looks up n repositories by owner and name; a renamed one is found under
// its old name too.
func namesQuery(n int) string {
	var vars, fields strings.Builder
	for i := range n {
		fmt.Fprintf(&vars, "$o%d: String!, $n%d: String!, ", i, i)
		fmt.Fprintf(&fields, "  r%d: repository(owner: $o%d, name: $n%d) { ...seen }\n", i, i, i)
	}
	return "query Names(" + strings.TrimSuffix(vars.String(), ", ") + ") {\n" + fields.String() + "}" + seenFields
}

// readQuery reads a page of whatever is wanted of one repository, the newest first.
// Events and reviews come with what they belong to.
const readQuery = `query Read(
  $id: ID!, $n: Int!, $few: Int!,
  $commits: Boolean!, $commitsAfter: String, $commitsSince: GitTimestamp,
  $issues: Boolean!, $issuesAfter: String, $pulls: Boolean!, $pullsAfter: String,
  $releases: Boolean!, $releasesAfter: String, $stars: Boolean!, $starsAfter: String, $forks: Boolean!, $forksAfter: String
) {
  node(id: $id) {
    ... on Repository {
      id
      defaultBranchRef @include(if: $commits) {
        target {
          ... on Commit {
            all: history { totalCount }
            history(first: $n, after: $commitsAfter, since: $commitsSince) {
              pageInfo { hasNextPage endCursor }
              nodes {
                oid committedDate authoredDate messageHeadline
                author { name email user { login databaseId } }
                committer { name email user { login databaseId } }
                authors(first: 10) { nodes { name email user { login databaseId } } }
              }
            }
          }
        }
      }
      issues(first: $n, after: $issuesAfter, orderBy: {field: UPDATED_AT, direction: DESC}) @include(if: $issues) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id fullDatabaseId number title state stateReason createdAt updatedAt closedAt authorAssociation
          author { ...actor }
          timelineItems(last: 50, itemTypes: [CLOSED_EVENT, REOPENED_EVENT]) { pageInfo { hasPreviousPage startCursor } nodes { ...happened } }
        }
      }
      pullRequests(first: $few, after: $pullsAfter, orderBy: {field: UPDATED_AT, direction: DESC}) @include(if: $pulls) {
        pageInfo { hasNextPage endCursor }
        nodes {
          id fullDatabaseId number title state isDraft createdAt updatedAt closedAt mergedAt authorAssociation baseRefName
          author { ...actor }
          mergedBy { ...actor }
          mergeCommit { oid }
          reviews(last: 100) {
            pageInfo { hasPreviousPage startCursor }
            nodes { ...review }
          }
          timelineItems(last: 50, itemTypes: [CLOSED_EVENT, REOPENED_EVENT, MERGED_EVENT]) { pageInfo { hasPreviousPage startCursor } nodes { ...happened } }
        }
      }
      releases(first: $n, after: $releasesAfter, orderBy: {field: CREATED_AT, direction: DESC}) @include(if: $releases) {
        pageInfo { hasNextPage endCursor }
        nodes { databaseId tagName name isPrerelease createdAt publishedAt updatedAt author { login databaseId } }
      }
      stargazers(first: $n, after: $starsAfter, orderBy: {field: STARRED_AT, direction: DESC}) @include(if: $stars) {
        pageInfo { hasNextPage endCursor }
        edges { starredAt node { login databaseId } }
      }
      forks(first: $n, after: $forksAfter, orderBy: {field: CREATED_AT, direction: DESC}) @include(if: $forks) {
        pageInfo { hasNextPage endCursor }
        nodes { databaseId nameWithOwner createdAt owner { ...owner } }
      }
    }
  }
}
fragment owner on RepositoryOwner {
  __typename login
  ... on User { databaseId }
  ... on Organization { databaseId }
}` + threadFields

// threadFields are what happens to an issue or a pull request.
const threadFields = `
fragment actor on Actor {
  __typename login
  ... on User { databaseId }
  ... on Bot { databaseId }
  ... on Organization { databaseId }
  ... on Mannequin { databaseId }
}
fragment happened on Node {
  __typename
  ... on ClosedEvent { createdAt actor { ...actor } }
  ... on ReopenedEvent { createdAt actor { ...actor } }
  ... on MergedEvent { createdAt actor { ...actor } }
}
fragment review on PullRequestReview {
  fullDatabaseId state submittedAt updatedAt authorAssociation
  author { ...actor }
}`

// olderQuery reads what happened to an issue or a pull request before what came with it.
const olderQuery = `query Older($id: ID!, $reviews: Boolean!, $reviewsBefore: String, $events: Boolean!, $eventsBefore: String) {
  node(id: $id) {
    ... on Issue {
      timelineItems(last: 100, before: $eventsBefore, itemTypes: [CLOSED_EVENT, REOPENED_EVENT]) @include(if: $events) {
        pageInfo { hasPreviousPage startCursor }
        nodes { ...happened }
      }
    }
    ... on PullRequest {
      timelineItems(last: 100, before: $eventsBefore, itemTypes: [CLOSED_EVENT, REOPENED_EVENT, MERGED_EVENT]) @include(if: $events) {
        pageInfo { hasPreviousPage startCursor }
        nodes { ...happened }
      }
      reviews(last: 100, before: $reviewsBefore) @include(if: $reviews) {
        pageInfo { hasPreviousPage startCursor }
        nodes { ...review }
      }
    }
  }
}` + threadFields
