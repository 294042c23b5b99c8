// Package npm is the feed of npm packages: the downloads of every day, releases and
// maintainers. Where the two services are is the user's to say: no host stands here.
//
// The downloads of a package are asked for in two directions. First, and then every
// day, the last eight days up to yesterday: a zero that follows downloads is not
// believed before it is seven days old, for the source delivers whole days late, or
// as zeros. Then the history, backwards, in slices as large as the source gives.
// Packages without a scope are asked for 128 at once.
//
// A day that was not delivered has no row: its coverage says that it is missing.
//
// Planning and reading are pure; a Feed is safe for concurrent use.
package npm
