// Package gharchive is the feed of GH Archive: GitHub's public events, one file an
// hour. It is a hint for history, not the truth: hours are late, missing or thin, and
// what GitHub leaves out of its events is left out here. It runs only where it is
// asked for.
//
// Each hour is a resource. A file is streamed, filtered to the repositories that
// oss-directory lists and read to its end before a row of it is brought: one that is
// cut or corrupt is an error of that hour, not half an hour of rows. Where an hour
// has more rows than a step holds, it is read again for each part.
//
// An hour that the source does not have is asked for again for a week; until it is
// there its coverage says that it is missing. Commits are known up to 2025-10-07:
// since then GitHub's push events do not carry them.
//
// Planning and reading are pure; a Feed is safe for concurrent use.
package gharchive
