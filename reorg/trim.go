package reorg

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"superindex/chain"
)

// Ack says that a sink durably holds every step up to pos, and trims what all sinks
// hold and nobody wants kept. Acks are not stored: after a start nothing is trimmed
// until each sink has said by Resume what it holds, so that a sink that was put back
// meanwhile is not trimmed away from.
func (j *Journal) Ack(sink, name string, pos chain.Seq) error {
	s, err := j.stream(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.acks[sink] = pos
	if err := j.trim(s); err != nil {
		return err
	}
	s.wake()
	return nil
}

func (s *stream) held() uint64 { return s.rec.total - s.rec.trimmed }

// Full reports whether the stream is over its quota even after what all sinks hold
// has given way: an Append that is no Revert would wait.
func (j *Journal) Full(name string) (bool, error) {
	s, err := j.stream(name)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	err = j.makeRoom(s)
	return s.held() > j.opts.Quota, err
}

// waitForRoom returns once the stream is under its quota. Steps that every sink
// holds give way first, kept or not.
func (j *Journal) waitForRoom(ctx context.Context, s *stream) error {
	for {
		s.mu.Lock()
		err := j.makeRoom(s)
		full, changed := s.held() > j.opts.Quota, s.changed
		s.mu.Unlock()
		if err != nil || !full {
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// makeRoom trims a stream that is over its quota, or whose disk is full. At the quota
// its head becomes a trimming point, lest a quota smaller than the way to the next one
// block for ever.
func (j *Journal) makeRoom(s *stream) error {
	if s.held() <= j.opts.Quota {
		if j.room(j.opts.Reserve) != nil {
			return j.trim(s)
		}
		return nil
	}
	if n := len(s.marks); n == 0 || s.marks[n-1].seq < s.rec.head {
		m := j.markAt(s.rec)
		if err := j.db.Set(seqKey(spaceMark, s.rec.stream.Name, uint64(m.seq)), m.encode(), pebble.NoSync); err != nil {
			return fmt.Errorf("mark %s: %w", s.rec.stream, err)
		}
		s.marks = append(s.marks, m)
	}
	return j.trim(s)
}

// roomFor is room, for which what every sink holds of the stream gives way first.
func (j *Journal) roomFor(s *stream, need uint64) error {
	if j.room(need) == nil {
		return nil
	}
	if err := j.trim(s); err != nil {
		return err
	}
	return j.room(need)
}

// trim deletes up to the newest mark that every sink has acked and that is older
// than Keep, or that must go for the quota or for a disk that is full.
func (j *Journal) trim(s *stream) error {
	low, n, full := s.low(j.opts.Sinks), 0, j.room(j.opts.Reserve) != nil
	young := j.opts.Now().Add(-j.opts.Keep).Unix()
	for n < len(s.marks) && s.marks[n].seq <= low {
		before := s.rec.trimmed
		if n > 0 {
			before = s.marks[n-1].total
		}
		if s.marks[n].time > young && s.rec.total-before <= j.opts.Quota && !full {
			break
		}
		n++
	}
	if n == 0 || j.room(j.small()/8) != nil {
		return nil // later: a cut is a write too, though one of some hundred bytes
	}
	return j.cut(s, n)
}

// cut deletes the steps up to the n-th mark. Files go only once it is durable that
// their steps have.
func (j *Journal) cut(s *stream, n int) error {
	name, to, next := s.rec.stream.Name, s.marks[n-1], s.rec
	next.cut, next.cutDigest, next.trimmed = to.seq, to.digest, to.total
	b := j.db.NewBatch()
	defer b.Close()
	err := errors.Join(
		b.DeleteRange(seqKey(spaceStep, name, 0), seqKey(spaceStep, name, uint64(to.seq)+1), nil),
		b.DeleteRange(seqKey(spaceMark, name, 0), seqKey(spaceMark, name, uint64(to.seq)+1), nil),
		b.Set(key(spaceHead, name), next.encode(), nil),
	)
	large, how := 0, pebble.NoSync
	for large < len(s.large) && s.large[large] <= to.seq {
		large, how = large+1, pebble.Sync
	}
	if err == nil {
		err = b.Commit(how)
	}
	if err != nil {
		return fmt.Errorf("trim %s up to %d: %w", name, to.seq, err)
	}
	j.steps.remove(name, s.large[:large])
	s.rec, s.marks, s.large = next, s.marks[n:], s.large[large:]
	return nil
}

// low is the highest step that every configured sink has acked.
func (s *stream) low(sinks []string) chain.Seq {
	if len(sinks) == 0 {
		return s.rec.head
	}
	low := s.acks[sinks[0]]
	for _, sink := range sinks[1:] {
		low = min(low, s.acks[sink])
	}
	return low
}

// markAfter says whether the step that leads to next is a trimming point.
func (j *Journal) markAfter(s *stream, next record) (mark, bool) {
	m, last := j.markAt(next), mark{total: s.rec.trimmed}
	if n := len(s.marks); n > 0 {
		last = s.marks[n-1]
	}
	minute := m.time-last.time >= int64(time.Minute/time.Second)
	return m, minute || m.total-last.total >= j.opts.MarkBytes
}

func (j *Journal) markAt(rec record) mark {
	return mark{rec.head, rec.digest, rec.total, j.opts.Now().Unix()}
}
