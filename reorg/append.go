package reorg

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"

	"superindex/chain"
)

// Append commits the step as the next of its stream, together with what it
// changes in the window and in what is owed, in one synced batch, and returns its
// Seq. It waits while the stream is over its quota; a Revert never waits, for
// nothing may stand between the views and a fork that is gone. A step that does
// not fit the window is refused and changes nothing. Notes are committed with it.
func (j *Journal) Append(ctx context.Context, step *chain.Step, notes ...Note) (chain.Seq, error) {
	return j.append(ctx, step, nil, notes...)
}

// append is Append, with what was drafted of the step, if anything was.
func (j *Journal) append(ctx context.Context, step *chain.Step, draft *Draft, notes ...Note) (chain.Seq, error) {
	s, err := j.stream(step.Stream.Name)
	if err != nil {
		return 0, err
	}
	if failing := j.failing.Load(); failing != nil {
		return 0, chain.Fatal(fmt.Errorf("append to %s: the journal's storage fails: %w", step.Stream, *failing), "look at the disk, then start again")
	}
	if step.Revert == nil {
		if err := j.waitForRoom(ctx, s); err != nil {
			return 0, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fits(step); err != nil {
		return 0, err
	}
	return j.commit(s, step, draft, s.rec.head+1, func(b *pebble.Batch) (err error) {
		for _, n := range notes {
			err = errors.Join(err, b.Set(key(spaceNote, step.Stream.Name, []byte(n.Name)...), n.Value, nil))
		}
		return err
	})
}

// fits refuses a step that would break an invariant, whoever appends it.
func (s *stream) fits(step *chain.Step) error {
	switch {
	case s.broken != nil:
		return s.broken
	case step.Apply != nil:
		return s.fitsApply(step.Apply)
	case step.Revert != nil:
		if r := step.Revert; r.Cause == chain.Reorg && (r.To.Number < s.window.final.Number || !s.window.Holds(r.To)) {
			return fmt.Errorf("revert to %v: not in the window above the finalized %v", r.To, s.window.final)
		}
	case step.Fill != nil:
		if f := step.Fill; f.To.Number > s.window.final.Number {
			return fmt.Errorf("fill up to %v: above the finalized %v", f.To, s.window.final)
		}
	case step.Rows == nil:
		return errors.New("a step without content")
	}
	return nil
}

func (s *stream) fitsApply(b *chain.Batch) error {
	if b.Parent != s.window.Head() {
		return fmt.Errorf("apply onto %v: the head is %v", b.Parent, s.window.Head())
	}
	if b.Final.Number < s.window.final.Number {
		return fmt.Errorf("apply with finalized %v: it was %v", b.Final, s.window.final)
	}
	return nil
}

// commit writes the step and all that follows from it; more adds what goes with it.
func (j *Journal) commit(s *stream, step *chain.Step, draft *Draft, seq chain.Seq, more func(*pebble.Batch) error) (chain.Seq, error) {
	need := j.opts.Reserve
	if step.Revert != nil || draft != nil && draft.file != "" { // whose bytes are there already
		need = j.small()
	}
	if err := j.roomFor(s, need); err != nil {
		return 0, err
	}
	name := s.rec.stream.Name
	buffer := j.bodies.Get().(*[]byte)
	defer j.bodies.Put(buffer)
	value, size, err := j.place((*buffer)[:0], name, seq, step, draft)
	if err != nil {
		return 0, fmt.Errorf("append to %s: %w", name, err)
	}
	*buffer = value
	next, move, owed := s.rec, s.window.plan(step), s.owedAfter(step)
	next.head, next.digest = seq, chainDigest(next.digest, seq, value[digestSize:])
	next.total += uint64(digestSize + size)
	next.safe, next.final = move.safe, move.final
	if step.Apply != nil {
		next.watch = step.Apply.Watch
	}
	binary.BigEndian.PutUint64(value, next.digest)

	b := j.db.NewBatchWithSize(len(value) + 1024)
	defer b.Close()
	err = errors.Join(
		b.Set(seqKey(spaceStep, name, uint64(seq)), value, nil),
		b.Set(key(spaceHead, name), next.encode(), nil),
		writeWindow(b, name, &s.window, move),
	)
	if step.Fill != nil || step.Revert != nil {
		err = errors.Join(err, b.Set(key(spaceOwed, name), encodeOwed(owed), nil))
	}
	mark, marked := j.markAfter(s, next)
	if marked {
		err = errors.Join(err, b.Set(seqKey(spaceMark, name, uint64(seq)), mark.encode(), nil))
	}
	err = errors.Join(err, more(b))
	if err == nil {
		err = b.Commit(pebble.Sync)
	}
	if err != nil {
		s.broken = chain.Fatal(fmt.Errorf("commit step %d of %s: %w", seq, name, err), "look at the disk, then start again")
		return 0, s.broken
	}
	if marked {
		s.marks = append(s.marks, mark)
	}
	if isElsewhere(value[digestSize:]) {
		s.large = append(s.large, seq)
	}
	s.rec, s.owed = next, owed
	s.window.do(move)
	s.wake()
	return seq, nil
}

// digestSize is what stands before a step's bytes under its key.
const digestSize = 8

// chainDigest is the digest of a step and all before it; value is what its key holds
// of it, which has a sum of what it does not hold.
func chainDigest(before uint64, seq chain.Seq, value []byte) uint64 {
	var head [16]byte
	binary.BigEndian.PutUint64(head[:8], before)
	binary.BigEndian.PutUint64(head[8:], uint64(seq))
	d := xxhash.New()
	d.Write(head[:])
	d.Write(value)
	return d.Sum64()
}

// writeWindow stores the move's effect: the window's keys are its blocks.
func writeWindow(b *pebble.Batch, name string, t *Tracker, m move) error {
	var err error
	if gone := t.blocks[m.keep:]; len(gone) == 1 { // each range of a backfill: a memtable that holds many deleted ranges is slow
		err = b.Delete(seqKey(spaceHash, name, gone[0].Number), nil)
	} else if len(gone) > 1 {
		err = b.DeleteRange(seqKey(spaceHash, name, gone[0].Number), after(spaceHash, name), nil)
	}
	for _, ref := range m.add {
		err = errors.Join(err, b.Set(seqKey(spaceHash, name, ref.Number), ref.Hash[:], nil))
	}
	if m.keep > 0 && m.floor > t.Floor().Number {
		err = errors.Join(err, b.DeleteRange(seqKey(spaceHash, name, 0), seqKey(spaceHash, name, m.floor), nil))
	}
	return err
}

// owedAfter is what is still owed after a step: a Fill brings its range, and what
// lies above a Revert the writer will read again, with every address.
func (s *stream) owedAfter(step *chain.Step) []Owed {
	if step.Fill == nil && step.Revert == nil {
		return s.owed
	}
	var owed []Owed
	for _, o := range s.owed {
		switch {
		case step.Revert != nil:
			o.To = min(o.To, step.Revert.To.Number)
		case o.From == step.Fill.From && slices.Equal(o.Addresses, step.Fill.Addresses):
			o.From = step.Fill.To.Number + 1
		}
		if o.From <= o.To {
			owed = append(owed, o)
		}
	}
	return owed
}
