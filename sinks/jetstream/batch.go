package jetstream

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

const (
	// batchMessages is the most that a server takes in one atomic batch.
	batchMessages = 1000
	// batchBytes is where a batch ends before that: the server holds it in memory
	// while it commits.
	batchBytes = 4 << 20
)

// batch publishes messages so that all of them are there, or none. One message is
// held back, since the last one must say that it is the last.
//
// While the server commits a batch the next one is put, up to that last message. It
// goes out only once the batch before is acknowledged at just the sequence that the
// next one expects, so that a batch that was refused has no successor.
type batch struct {
	link  *link
	fence uint64 // the stream's last sequence before the batch, once the one under way is there

	id    string
	count int // messages put, the held one included
	bytes int
	held  *envelope
	spare *envelope

	answer func() error // waits for the batch under way; nil where there is none
}

// envelope is a message on its way; header, values and body are reused.
type envelope struct {
	message
	msg    nats.Msg
	values [20]string // what msg.Header's values are cut from
	used   int
	size   int // of the headers as they are sent
}

func newBatch(l *link, fence uint64) *batch {
	return &batch{link: l, fence: fence, held: newEnvelope(), spare: newEnvelope()}
}

func newEnvelope() *envelope { return &envelope{msg: nats.Msg{Header: nats.Header{}}} }

func (e *envelope) reset() {
	clear(e.msg.Header)
	e.used, e.size = 0, len("NATS/1.0\r\n\r\n")
}

func (e *envelope) set(key, value string) {
	e.values[e.used] = value
	e.msg.Header[key] = e.values[e.used : e.used+1 : e.used+1]
	e.used++
	e.size += len(key) + len(value) + len(": \r\n")
}

// stepTexts are the headers that all messages of a step have.
type stepTexts struct{ seq, journal, digest string }

func textsOf(s *chain.Step) stepTexts {
	return stepTexts{strconv.FormatUint(uint64(s.Seq), 10), s.Journal.String(), digestText(s.Digest)}
}

// stamp sets the headers that name the message within its stream.
func (e *envelope) stamp(stream string, s stepTexts) {
	e.reset()
	e.msg.Subject, e.msg.Reply, e.msg.Data = e.subject, "", e.body
	e.set(headerSeq, s.seq)
	e.set(headerIndex, strconv.Itoa(e.index))
	e.set(headerKind, e.kind)
	e.set(headerJournal, s.journal)
	e.set(headerDigest, s.digest)
	e.set(jetstream.MsgIDHeader, messageID(stream, s.seq, e.index))
	for _, h := range [...]struct{ key, value string }{
		{headerEvent, e.event}, {headerSignature, e.signature}, {headerID, e.id}, {headerTruncated, e.truncated},
	} {
		if h.value != "" {
			e.set(h.key, h.value)
		}
	}
	if e.time != 0 {
		e.set(headerTime, strconv.FormatUint(e.time, 10))
	}
	if e.end {
		e.set(headerEnd, "true")
	}
}

// room is what the batch's own headers may add to a message.
const room = 256

// next is the envelope to fill; put sends it on its way.
func (b *batch) next() *envelope { return b.spare }

// put publishes the message held back and holds the next one in its place.
func (b *batch) put() error {
	if b.count == 0 {
		b.id = rand.Text()
	} else if err := b.link.PublishMsg(&b.held.msg); err != nil {
		return err
	}
	b.held, b.spare = b.spare, b.held
	b.count++
	b.bytes += b.held.size + len(b.held.body)
	b.held.set("Nats-Batch-Id", b.id)
	b.held.set("Nats-Batch-Sequence", strconv.Itoa(b.count))
	if b.count == 1 {
		b.held.set(jetstream.ExpectedLastSeqHeader, strconv.FormatUint(b.fence, 10))
	}
	return nil
}

// full reports that the batch takes no more than it has.
func (b *batch) full() bool { return b.count == batchMessages || b.bytes >= batchBytes }

// commit sends the batch on its way, once the one before is there.
func (b *batch) commit(ctx context.Context) error {
	if b.count == 0 {
		return nil
	}
	if err := b.settle(); err != nil {
		return err
	}
	b.held.set("Nats-Batch-Commit", "1")
	reply, err := b.link.ask(ctx, &b.held.msg)
	if err != nil {
		return err
	}
	id, count, last := b.id, b.count, b.fence+uint64(b.count)
	b.answer = func() error {
		m, err := reply()
		if err != nil {
			return err
		}
		return acknowledged(m.Data, id, count, last)
	}
	b.fence, b.count, b.bytes = last, 0, 0
	return nil
}

// flush sends what there is, and waits until the server holds all.
func (b *batch) flush(ctx context.Context) error {
	if err := b.commit(ctx); err != nil {
		return err
	}
	return b.settle()
}

// settle waits until the server holds the batch under way.
func (b *batch) settle() error {
	if b.answer == nil {
		return nil
	}
	answer := b.answer
	b.answer = nil
	return answer()
}

// acknowledged reads an acknowledgement: of that batch, which ends the stream.
func acknowledged(body []byte, id string, count int, last uint64) error {
	var ack struct {
		Seq   uint64              `json:"seq"`
		Batch string              `json:"batch"`
		Count int                 `json:"count"`
		Error *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(body, &ack); err != nil {
		return fmt.Errorf("read the acknowledgement: %w", err)
	}
	switch {
	case ack.Error != nil:
		return ack.Error
	case ack.Batch != id || ack.Count != count:
		return chain.Fatal(errors.New("the server took a batch for single messages"), oldServer)
	case ack.Seq != last:
		return fmt.Errorf("%w: it ends at %d, not at %d", errRefused, ack.Seq, last)
	}
	return nil
}
