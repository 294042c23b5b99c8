// Package opchain runs op-geth, the node that OP Stack chains run, as a child
// process on Soneium's real genesis, and drives it as a sequencer does: over the
// Engine API, with the L1-attributes deposit at the head of every block, deposits of
// users, and safe and finalized heads. There is no L1 and no op-node.
//
// How it differs from a network: the forks' upgrade transactions are not sent, so
// that from Isthmus on the L1-attributes deposit reverts; receipts carry the L1 fees
// all the same. A block's time chooses its fork: no clock is waited for.
//
// A Chain is for one goroutine; its RPC may be used by any number.
package opchain
