// Package sinktest is the one suite that every sink passes against its real
// server: Run plays scripted and random histories into it, repeats them, cuts
// them, kills the server, and compares what a user reads with what the steps say.
//
// Script and Want are pure and not safe for concurrent use; a Server and the Sinks
// it opens are called from several goroutines at once. Every random choice comes
// from one seed, which a failure prints and SINKTEST_SEED sets.
package sinktest
