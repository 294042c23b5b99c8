// Package indexer moves blocks from a node to the journal and steps from the
// journal to the sinks. Each direction is one idempotent move, called again and
// again: Writer.Advance and Relay.Advance.
//
// A Writer and a Relay belong to one goroutine each; Run starts them, waits for
// them and lets none outlive it. Nothing here is pure but the planning of ranges.
package indexer
