// Package devchain runs a local OP Stack chain for the demo and the tests: anvil
// as a child process, contracts that emit what well-known ones emit, users that
// act, and reorgs on request.
//
// Blocks are mined by this package only, never by a clock of anvil's, so that
// nothing moves between the look at the head and the reorg that follows it. A
// Chain is safe for concurrent use; what it does is done one after the other. The
// child ends with Close, and is killed when its starter dies.
package devchain
