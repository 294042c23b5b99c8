// Package registry knows whom superindex watches and where: oss-directory's
// projects, collections and addresses as one immutable Snapshot, and the
// Superchain's networks as a table of facts.
//
// Load and LoadNetworks do I/O: files, HTTP, the git binary. All else is pure. A
// Snapshot, a Set and Networks never change once they are made and are safe for
// any number of goroutines; nobody changes the slices that they hand out.
package registry
