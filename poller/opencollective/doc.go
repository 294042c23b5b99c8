// Package opencollective is the feed of what collectives receive and spend: every
// transaction of the accounts that oss-directory lists, in its own currency, with
// refunds marked. It speaks GraphQL v2.
//
// The source's pages by offset shift when a transaction comes in between. So what is
// asked for is what was created from a moment on, the oldest first; the next page
// begins at the last moment of the one before. A round begins two days before the
// newest transaction that is known, for what was booked late. What comes twice is
// told by its id and contents, and left out.
//
// Reading is pure; a Feed is safe for concurrent use.
package opencollective
