// Package simchain runs go-ethereum itself inside the process, with its real RPC
// on the loopback: the norm by which what anvil answers is judged, and a head that
// really goes down.
//
// How it differs from a network, measured with go-ethereum 1.17.10: safe is
// always the head of the last Commit, so after Back it names a block that is no
// longer there until the next Commit; finalized is the newest multiple of 32, the
// head itself where that is one, and does not move with Back; every Commit takes
// at least one second of chain time; transactions of dropped blocks return to the
// pool and come back with the next Commit.
//
// A Chain is for one goroutine; its RPC may be used by any number.
package simchain
