package jetstream

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

// mark is a message on record as the sink reads it back.
type mark struct {
	sequence uint64 // JetStream's
	synced   uint64 // the sequence up to which the stream was on disk before it was sent
	journal  chain.JournalID
	seq      chain.Seq
	index    int
	digest   uint64
	end      bool // the step is complete
}

// Position says what the stream holds: the step of its last message, or, where
// that step was cut amid, the one before. A stream that holds no complete step is
// empty; so is one whose messages were all purged or grew too old. It makes the
// stream where there is none, and must be called before the first Write and after
// a Write that failed.
//
// A write that failed may still take effect. Where it does while the stream is
// read, Position fails, and where it does later, the next Write.
func (s *Sink) Position(ctx context.Context, of chain.Stream) (chain.Position, error) {
	st := s.state(of)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.known = false
	p, err := s.look(ctx, of, st)
	if err == nil {
		err = s.durable(of) // what it found may have been cut off before it was
	}
	if err != nil {
		return chain.Position{}, fmt.Errorf("jetstream: position of stream %s: %w", StreamName(of), s.explain(of, because(ctx, err)))
	}
	st.known = true
	return p, nil
}

func (s *Sink) look(ctx context.Context, of chain.Stream, st *state) (p chain.Position, err error) {
	var r reader
	var first uint64
	var last mark
	err = s.link.within(ctx, func(ctx context.Context) error {
		r, first, last, err = s.end(ctx, of, st)
		return err
	})
	if err != nil || last == (mark{}) {
		return p, err
	}
	if !st.whole {
		if last, err = s.mend(ctx, r, first, last); err != nil {
			return p, err
		}
	}
	st.last, st.whole = last, true
	if last == (mark{}) {
		return p, nil
	}
	err = s.link.within(ctx, func(ctx context.Context) error {
		p, err = r.position(ctx, first, last)
		return err
	})
	return p, err
}

// end reads where the stream begins and its last message; the zero mark where it
// has none.
func (s *Sink) end(ctx context.Context, of chain.Stream, st *state) (r reader, first uint64, last mark, err error) {
	stream, err := s.open(ctx, of)
	if err != nil {
		return r, 0, last, err
	}
	info := stream.CachedInfo()
	if !st.looked {
		s.logLimits(info.Config, s.config(of))
		st.looked = true
	}
	// The fence is older than what is read next: a message that comes between is
	// another writer's, and the next Write is refused.
	st.fence, st.last, st.limit = info.State.LastSeq, mark{}, s.limit(info.Config)
	r = reader{stream, subjectPrefix(of)}
	if info.State.Msgs > 0 {
		last, err = r.last(ctx)
	}
	return r, info.State.FirstSeq, last, err
}

// position is what the stream holds whose last message is given.
func (r reader) position(ctx context.Context, first uint64, last mark) (p chain.Position, err error) {
	p.High, p.HighDigest = last.seq, last.digest
	if last, err = r.complete(ctx, first, last); err != nil || !last.end {
		return p, err
	}
	p.Journal, p.Seq, p.Digest = last.journal, last.seq, last.digest
	p.Final, p.Watch, err = r.finality(ctx, last.seq)
	return p, err
}

// limit is the largest message that server and stream take, in bytes.
func (s *Sink) limit(c jetstream.StreamConfig) int {
	limit := s.link.MaxPayload()
	if c.MaxMsgSize > 0 {
		limit = min(limit, int64(c.MaxMsgSize))
	}
	return int(limit)
}

// reader reads a stream's own messages back.
type reader struct {
	stream jetstream.Stream
	prefix string
}

func (r reader) last(ctx context.Context) (mark, error) {
	m, err := r.stream.GetLastMsgForSubject(ctx, r.prefix+">")
	if err != nil {
		return mark{}, fmt.Errorf("read the last message: %w", err)
	}
	return r.mark(m)
}

// complete returns last, or where its step is cut amid the last message of the
// newest complete step; a mark without end where none is left.
func (r reader) complete(ctx context.Context, first uint64, last mark) (mark, error) {
	for !last.end && last.sequence >= first {
		before, err := r.before(ctx, first, last)
		if err != nil || before == (mark{}) {
			return mark{}, err
		}
		last = before
	}
	return last, nil
}

// before finds the newest message of the steps before m's, by halving: Seq rises
// with the sequence. It returns the zero mark where there is none.
func (r reader) before(ctx context.Context, first uint64, m mark) (found mark, err error) {
	for low, high := first, m.sequence; low < high; {
		middle := low + (high-low)/2
		msg, err := r.stream.GetMsg(ctx, middle, jetstream.WithGetMsgSubject(r.prefix+">")) // at or after middle
		if err != nil {
			return mark{}, fmt.Errorf("look for the last complete step: %w", err)
		}
		at, err := r.mark(msg)
		if err != nil {
			return mark{}, err
		}
		if at.seq < m.seq {
			low, found = at.sequence+1, at
		} else {
			high = middle
		}
	}
	return found, nil
}

// finality is what the last Apply on record said, or where another journal began
// since, the block that it began at. It fails where these are above the step seq:
// an earlier write has taken effect while the stream was read.
func (r reader) finality(ctx context.Context, seq chain.Seq) (final chain.BlockRef, watch chain.WatchID, err error) {
	var apply struct {
		Seq       chain.Seq
		Finalized chain.BlockRef // stays zero for null
		Watch     string
	}
	var revert struct {
		Seq   chain.Seq
		To    chain.BlockRef
		Cause string
	}
	if err := errors.Join(r.body(ctx, "finality", &apply), r.body(ctx, "revert", &revert)); err != nil {
		return final, watch, err
	}
	if max(apply.Seq, revert.Seq) > seq {
		return final, watch, errRefused
	}
	set, err := hex.DecodeString(apply.Watch)
	if err != nil {
		return final, watch, fmt.Errorf("read the last finality: %w", err)
	}
	copy(watch[:], set)
	if revert.Seq > apply.Seq && (revert.Cause == chain.Begin.String() || revert.To.Number < apply.Finalized.Number) {
		return revert.To, watch, nil
	}
	return apply.Finalized, watch, nil
}

// body reads the last message of that subject into out, and leaves it as it is
// where there is none.
func (r reader) body(ctx context.Context, subject string, out any) error {
	m, err := r.stream.GetLastMsgForSubject(ctx, r.prefix+subject)
	if errors.Is(err, jetstream.ErrMsgNotFound) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read the last %s: %w", subject, err)
	}
	if err := json.Unmarshal(m.Data, out); err != nil {
		return r.foreign(m, err)
	}
	return nil
}

// mark reads a message's headers. A message without them is somebody else's, and
// nothing can be said about the stream while it is there.
func (r reader) mark(m *jetstream.RawStreamMsg) (mark, error) {
	out := mark{sequence: m.Sequence, end: m.Header.Get(headerEnd) == "true"}
	var err error
	if out.synced, err = synced(m); err != nil {
		return out, r.foreign(m, fmt.Errorf("%s: %w", headerSynced, err))
	}
	seq, err := strconv.ParseUint(m.Header.Get(headerSeq), 10, 64)
	if err != nil {
		return out, r.foreign(m, fmt.Errorf("%s: %w", headerSeq, err))
	}
	index, err := strconv.ParseUint(m.Header.Get(headerIndex), 10, 31)
	if err != nil {
		return out, r.foreign(m, fmt.Errorf("%s: %w", headerIndex, err))
	}
	if out.digest, err = strconv.ParseUint(m.Header.Get(headerDigest), 16, 64); err != nil {
		return out, r.foreign(m, fmt.Errorf("%s: %w", headerDigest, err))
	}
	journal, err := hex.DecodeString(m.Header.Get(headerJournal))
	if err != nil || len(journal) != len(out.journal) {
		return out, r.foreign(m, errors.New(headerJournal+": not an id"))
	}
	copy(out.journal[:], journal)
	out.seq, out.index = chain.Seq(seq), int(index)
	return out, nil
}

func (r reader) foreign(m *jetstream.RawStreamMsg, err error) error {
	name := r.stream.CachedInfo().Config.Name
	return chain.Fatal(fmt.Errorf("message %d of stream %s, %q, was not written by superindex: %w", m.Sequence, name, m.Subject, err),
		fmt.Sprintf("find out who publishes there and remove it: `nats stream rmm %s %d`", name, m.Sequence))
}
