// Package loadnode is a node that has nothing to do but to answer: a made-up chain
// over JSON-RPC, for measuring indexers. The chain is the same for the same
// Options, its header hashes, blooms, transactions roots and receipts roots are
// true, and its Ledger says what an indexer must end with.
//
// A few hundred block bodies are rendered once, with holes where a block's number,
// hash and time belong; a block is one of them under a header of its own. So a
// million blocks fit into memory, and an answer is copied, never formatted. What
// that costs in truth: two blocks of one body hold the same transactions.
//
// A Node is safe for concurrent use. The making of bodies and templates is pure.
package loadnode
