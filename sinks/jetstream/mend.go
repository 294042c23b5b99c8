package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"
)

// mend makes good what a loss of power left behind. The server acknowledges before
// the disk has it, and the disk takes a stream's files in any order: then a message
// may be there and one before it not, of those that were sent since the last Sync.
// Each message says which these are. From the first that is missing on all are
// removed; what the sink holds ends before it, and they come again. Where an operator
// has the server drop messages of a subject, one that is missing proves nothing.
func (s *Sink) mend(ctx context.Context, r reader, first uint64, last mark) (mark, error) {
	if r.stream.CachedInfo().Config.MaxMsgsPerSubject > 0 {
		return last, nil
	}
	first = max(first, last.synced+1)
	loose, err := r.afterHole(ctx, first, last.sequence)
	if err != nil || len(loose) == 0 {
		return last, err
	}
	if info, err := r.stream.Info(ctx); err != nil || info.State.FirstSeq > first {
		return mark{}, errors.Join(err, errors.New("the stream dropped its oldest messages while it was read"))
	}
	s.log.Warn("a loss of power took messages of a stream: those after them are removed and come again",
		"stream", r.stream.CachedInfo().Config.Name, "removed", len(loose))
	for _, sequence := range slices.Backward(loose) { // so that what a cut removal leaves has its hole still
		if err := r.stream.DeleteMsg(ctx, sequence); err != nil {
			return mark{}, fmt.Errorf("remove message %d: %w", sequence, err)
		}
	}
	last, err = r.last(ctx)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return mark{}, nil
	}
	return last, err
}

// afterHole reads the messages from first to last and returns the sequences of
// those that come after one that is missing.
func (r reader) afterHole(ctx context.Context, first, last uint64) (loose []uint64, err error) {
	if first >= last { // the last was just read
		return nil, nil
	}
	consumer, err := r.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
		DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: first, HeadersOnly: true,
	})
	if err != nil {
		return nil, fmt.Errorf("read the last messages: %w", err)
	}
	messages, err := consumer.Messages()
	if err != nil {
		return nil, fmt.Errorf("read the last messages: %w", err)
	}
	defer messages.Stop()
	for whole, at := first, uint64(0); at < last; {
		m, err := messages.Next(jetstream.NextContext(ctx))
		if err != nil {
			return nil, fmt.Errorf("read the last messages: %w", err)
		}
		meta, err := m.Metadata()
		if err != nil {
			return nil, fmt.Errorf("read the last messages: %w", err)
		}
		if at = meta.Sequence.Stream; at == whole {
			whole++
		} else {
			loose = append(loose, at)
		}
	}
	return loose, nil
}

// synced is the sequence up to which the stream was on disk before m was sent; m's
// own where m does not say: the server that it was sent to has synced it.
func synced(m *jetstream.RawStreamMsg) (uint64, error) {
	text := m.Header.Get(headerSynced)
	if text == "" {
		return m.Sequence, nil
	}
	return strconv.ParseUint(text, 10, 64)
}
