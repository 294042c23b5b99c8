package jetstream

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

const (
	// askMessages and askBytes are how much goes out before the server is asked
	// whether it has it.
	askMessages = 1000
	askBytes    = 1 << 20
	// asked is how many questions may be open: what the server has in its queue at
	// most is that many times the above, less than half of the 10,000 messages and
	// a tenth of the 128 MiB from which on it drops what comes.
	asked = 4
	// questionRoom is what goes out before a question takes of the server's disk at
	// most: one message more than askBytes, and what the server puts around each.
	questionRoom = 3 << 20
)

// train publishes messages one behind the other. The first expects the stream's
// last sequence, and nothing follows until the server has it: so another writer, or
// what an earlier write left on its way, is noticed. Each of the others is coupled to
// the one before: it expects that one's Nats-Msg-Id at the end of the stream. (To
// expect its sequence would not do: as many messages of another writer would fill
// it.) A message that the server refuses, or loses, has no successor; its word for
// one message holds for all before it, and only the last of every thousand asks.
//
// One message is held back, as the last must ask.
type train struct {
	link   *link
	fence  uint64 // the stream's last sequence once all that was put is there
	acked  uint64 // up to which sequence the server has said that it holds all
	synced string // up to which sequence the stream is on disk; "" where the server sees to that

	before       string // the Nats-Msg-Id of the message put last; "" before the first
	count, bytes int    // put since the last question, the held message included
	held, spare  *envelope
	holding      bool

	// root puts the first message on the disk, where the stream holds none: else nobody
	// would see that the first of its files is missing. Nil elsewhere.
	root func() error

	room func(bytes int64) (give func(), err error) // of the server's disk
	give func()                                     // what is taken for what was put since the last question; nil for nothing

	answers []func() error // each waits for one answer, the oldest first
}

func newTrain(l *link, fence uint64, room func(int64) (func(), error)) *train {
	return &train{link: l, fence: fence, acked: fence, room: room, held: newEnvelope(), spare: newEnvelope()}
}

// onDisk has the messages say that the stream is on disk up to a sequence.
func (t *train) onDisk(sequence uint64) { t.synced = strconv.FormatUint(sequence, 10) }

// headerRoom is what a train's own headers may add to a message: the name of a stream has
// at most 255 bytes.
const headerRoom = 384

// next is the envelope to fill; put sends it on its way.
func (t *train) next() *envelope { return t.spare }

// put publishes the message held back and holds the next one in its place.
func (t *train) put(ctx context.Context) error {
	if err := t.release(ctx); err != nil {
		return err
	}
	if t.give == nil {
		var err error
		if t.give, err = t.room(questionRoom); err != nil {
			return err
		}
	}
	t.held, t.spare, t.holding = t.spare, t.held, true
	if t.before == "" {
		t.held.set(jetstream.ExpectedLastSeqHeader, strconv.FormatUint(t.fence, 10))
	} else {
		t.held.set(jetstream.ExpectedLastMsgIDHeader, t.before)
	}
	if t.synced != "" {
		t.held.set(headerSynced, t.synced)
	}
	t.before = t.held.msgID
	t.fence++
	t.count++
	t.bytes += t.held.size + len(t.held.body)
	return nil
}

// release publishes the message held back. It asks where enough went out; for the
// first message it waits for the answer.
func (t *train) release(ctx context.Context) error {
	switch {
	case !t.holding:
		return nil
	case t.first():
		if err := t.flush(ctx); err != nil || t.root == nil {
			return err
		}
		return t.root()
	case t.count >= askMessages || t.bytes >= askBytes:
		return t.ask(ctx)
	}
	t.holding = false
	return t.link.PublishMsg(&t.held.msg)
}

// first says that the message held back is the first.
func (t *train) first() bool { return t.held.msg.Header[jetstream.ExpectedLastSeqHeader] != nil }

// ask publishes the message held back and asks whether the server holds all up to it.
func (t *train) ask(ctx context.Context) error {
	if len(t.answers) == asked {
		if err := t.settle(); err != nil {
			return err
		}
	}
	reply, err := t.link.ask(ctx, &t.held.msg)
	if err != nil {
		return err
	}
	last, give := t.fence, t.give
	t.give = nil
	t.answers = append(t.answers, func() error {
		defer give()
		m, err := reply()
		if err != nil {
			return err
		}
		if err := acknowledged(m.Data, last); err != nil {
			return err
		}
		t.acked = last
		return nil
	})
	t.count, t.bytes, t.holding = 0, 0, false
	return nil
}

// flush sends what there is, and waits until the server holds all.
func (t *train) flush(ctx context.Context) error {
	if t.holding {
		if err := t.ask(ctx); err != nil {
			return err
		}
	}
	for len(t.answers) > 0 {
		if err := t.settle(); err != nil {
			return err
		}
	}
	return nil
}

// settle waits for the oldest answer.
func (t *train) settle() error {
	answer := t.answers[0]
	t.answers = t.answers[1:]
	return answer()
}

// leave waits for all answers, whatever they are: nobody needs them any more.
func (t *train) leave() {
	for len(t.answers) > 0 {
		_ = t.settle()
	}
	if t.give != nil {
		t.give()
	}
}

// acknowledged reads an acknowledgement: the stream ends at last.
func acknowledged(body []byte, last uint64) error {
	var ack struct {
		Seq       uint64              `json:"seq"`
		Duplicate bool                `json:"duplicate"`
		Error     *jetstream.APIError `json:"error"`
	}
	if err := json.Unmarshal(body, &ack); err != nil {
		return fmt.Errorf("read the acknowledgement: %w", err)
	}
	switch {
	case ack.Error != nil:
		return ack.Error
	case ack.Duplicate:
		return fmt.Errorf("%w; or it was purged a moment ago", errRefused)
	case ack.Seq != last:
		return fmt.Errorf("%w: it ends at %d, not at %d", errRefused, ack.Seq, last)
	}
	return nil
}
