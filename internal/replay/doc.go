// Package replay is a node made of recordings: real blocks with their logs and
// receipts, and the heads that a real node showed one after the other, reorgs
// included. It answers JSON-RPC from them, at the head that it was told to show.
//
// The reading of recordings is pure. A Node is safe for concurrent use.
package replay
