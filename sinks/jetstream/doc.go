// Package jetstream is the sink that publishes every step to NATS JetStream:
// one stream a network, one message an event, and a message for each revert,
// move of finality and refill. docs/consuming.md is its other side.
//
// # What holds it together
//
// The messages of a step follow from the step alone, and are numbered: the pair
// (Seq, Index) of a message rises strictly within a stream. So the stream's last
// message says where to go on, and whatever comes again up to it is skipped.
// A write begins only where it expects the stream to end, and each message only goes
// behind the one before it: what a second writer sends, or what was on its way when
// an acknowledgement was lost, is refused instead of being put in the wrong place, and
// nothing follows what was refused (train.go). Deduplication by Nats-Msg-Id is not
// relied on: it forgets after a while, and must not refuse a stream that was purged.
//
// What the embedded server acknowledged is put on the disk once a Write and a Position
// (Options.Sync), in a Load beside the publishing of what follows (load.go). A loss of
// power before that may leave a hole in the messages of the last write or load, which the
// next process finds and mends (mend.go).
//
// message.go and body.go are pure. A Sink is safe for concurrent use by different
// streams.
package jetstream
