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
	loose, err := s.afterHole(ctx, r, first, last.sequence)
	if err != nil || len(loose) == 0 {
		return last, err
	}
	var info *jetstream.StreamInfo
	err = s.link.within(ctx, func(ctx context.Context) error {
		info, err = r.stream.Info(ctx)
		return err
	})
	if err != nil || info.State.FirstSeq > first {
		return mark{}, errors.Join(err, errors.New("the stream dropped its oldest messages while it was read"))
	}
	s.log.Warn("a loss of power took messages of a stream: those after them are removed and come again",
		"stream", r.stream.CachedInfo().Config.Name, "removed", len(loose))
	for _, sequence := range slices.Backward(loose) { // so that what a cut removal leaves has its hole still
		err := s.link.within(ctx, func(ctx context.Context) error { return r.stream.DeleteMsg(ctx, sequence) })
		if err != nil {
			return mark{}, fmt.Errorf("remove message %d: %w", sequence, err)
		}
	}
	err = s.link.within(ctx, func(ctx context.Context) error {
		last, err = r.last(ctx)
		return err
	})
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return mark{}, nil
	}
	return last, err
}

// afterHole reads the messages from first to last and returns the sequences of
// those that come after one that is missing. They may be many: each may take as
// long as an answer.
func (s *Sink) afterHole(ctx context.Context, r reader, first, last uint64) (loose []uint64, err error) {
	if first >= last { // the last was just read
		return nil, nil
	}
	var messages jetstream.MessagesContext
	err = s.link.within(ctx, func(ctx context.Context) error {
		consumer, err := r.stream.OrderedConsumer(ctx, jetstream.OrderedConsumerConfig{
			DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: first, HeadersOnly: true,
		})
		if err == nil {
			messages, err = consumer.Messages()
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read the last messages: %w", err)
	}
	defer messages.Stop()
	for whole, at := first, uint64(0); at < last; {
		err := s.link.within(ctx, func(ctx context.Context) error {
			at, err = sequence(messages.Next(jetstream.NextContext(ctx)))
			return err
		})
		if err != nil {
			return nil, fmt.Errorf("read the last messages: %w", err)
		}
		if at == whole {
			whole++
		} else {
			loose = append(loose, at)
		}
	}
	return loose, nil
}

// sequence is a message's place in its stream.
func sequence(m jetstream.Msg, err error) (uint64, error) {
	if err != nil {
		return 0, err
	}
	meta, err := m.Metadata()
	if err != nil {
		return 0, err
	}
	return meta.Sequence.Stream, nil
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
