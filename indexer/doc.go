// Package indexer moves blocks from a node to the journal and steps from the
// journal to the sinks. Each direction is one idempotent move, called again and
// again: Writer.Advance and Relay.Advance.
//
// A Writer, a Filler and a Relay belong to one goroutine each; Run starts them, waits
// for them and lets none outlive it. A Status, a Source and a Sink are used by all of
// them and safe for concurrent use. Pure are the cutting of ranges into steps, the
// decision when to look at the head (tempo), and the judgement of a status (State).
package indexer
