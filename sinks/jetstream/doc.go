// Package jetstream is the sink that publishes every step to NATS JetStream:
// one stream a network, one message an event, and a message for each revert,
// move of finality and refill. docs/consuming.md is its other side.
//
// # What holds it together
//
// The messages of a step follow from the step alone, and are numbered: the pair
// (Seq, Index) of a message rises strictly within a stream. So the stream's last
// message says where to go on, and whatever comes again up to it is skipped.
// Every publish expects the stream's last sequence: what a second writer sends,
// or what was on its way when an acknowledgement was lost, is refused instead of
// being put in the wrong place. Deduplication by Nats-Msg-Id is not relied on: it
// forgets after a while, and must not refuse a stream that was purged.
//
// Messages go out in atomic batches of up to 1,000, so that a server that syncs
// every write syncs once a batch, and a step of up to 1,000 messages is there as
// a whole or not at all. While the server commits one batch the next is on its way,
// up to its last message, which waits for the acknowledgement: a batch that was
// refused has no successor.
//
// message.go and body.go are pure. A Sink is safe for concurrent use by different
// streams.
package jetstream
