// Package ethrpc reads a network over JSON-RPC 2.0 by HTTP. A pool.Pool makes an
// indexer.Source of its clients.
//
// It has its own few structs, so that the transactions and receipts of an OP
// Stack chain, or of any other, cannot fail: fields and types that it does not
// know are skipped. It believes no answer by itself: the last header of a range
// travels in the same request as the range's logs, so that a node that lacks the
// block cannot say "no logs"; each log's block hash must be that of the header
// held; and a header whose bloom is not empty must have logs. A block that is read
// with its receipts comes in one request with them, and they must be of its hash and
// of its transactions, one for one.
//
// An answer is read as it arrives, once and in place (cursor), into one arena a
// range: its size is not its memory. Logs that nobody watches are placed, checked and
// dropped before their topics and data are read. A log is compared with those before it,
// 32 bytes at once, and only where it is not like one of them is it taken apart (shape).
//
// A Client keeps no state but idle connections and buffers, and is safe for concurrent use. It
// retries nothing: errors say what the caller may do (see Error, indexer.ErrTooLarge,
// indexer.ErrAbsent, indexer.ErrTorn, chain.Fatal). Parsing, classifying and
// checking are pure.
package ethrpc
