package reorg

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"superindex/chain"
)

// ErrTrimmed: the steps asked for are no longer kept.
var ErrTrimmed = errors.New("these steps have been trimmed")

// Next returns the steps after a Seq, in order: at least one, and no more once
// they hold maxBytes. It waits for the first.
func (j *Journal) Next(ctx context.Context, name string, after chain.Seq, maxBytes int) ([]chain.Step, error) {
	return j.Reader(name).Next(ctx, after, maxBytes)
}

// await waits for a step after a Seq.
func (j *Journal) await(ctx context.Context, name string, after chain.Seq) (of chain.Stream, err error) {
	s, err := j.stream(name)
	if err != nil {
		return of, err
	}
	for {
		s.mu.Lock()
		of, head, cut, changed := s.rec.stream, s.rec.head, s.rec.cut, s.changed
		s.mu.Unlock()
		if after < cut {
			return of, fmt.Errorf("%w: %s after %d, the oldest is after %d", ErrTrimmed, name, after, cut)
		}
		if head > after {
			return of, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return of, context.Cause(ctx)
		}
	}
}

// Stat is where a stream is.
type Stat struct {
	Stream       chain.Stream
	Head, Cut    chain.Seq // the last step, and the newest one that was trimmed
	Digest       uint64
	Bytes, Quota uint64
	Start        uint64
	Last         chain.BlockRef // the head of the window
	Safe, Final  chain.BlockRef
	Window       int // blocks
	Watch        chain.WatchID
	Owed         []Owed
}

// Stat returns where the stream is.
func (j *Journal) Stat(name string) (Stat, error) {
	s, err := j.stream(name)
	if err != nil {
		return Stat{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Stat{
		Stream: s.rec.stream, Head: s.rec.head, Cut: s.rec.cut, Digest: s.rec.digest,
		Bytes: s.held(), Quota: j.opts.Quota, Start: s.rec.start,
		Safe: s.rec.safe, Final: s.rec.final, Window: s.window.Len(),
		Watch: s.rec.watch, Owed: slices.Clone(s.owed),
	}
	if st.Window > 0 {
		st.Last = s.window.Head()
	}
	return st, nil
}

// Tracker returns a copy of the stream's window.
func (j *Journal) Tracker(name string) (*Tracker, error) {
	s, err := j.stream(name)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.window.Clone(), nil
}

// Note returns what was noted under a name; nil for nothing.
func (j *Journal) Note(stream, name string) ([]byte, error) {
	v, closer, err := j.db.Get(key(spaceNote, stream, []byte(name)...))
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the note %s of %s: %w", name, stream, err)
	}
	defer closer.Close()
	return slices.Clone(v), nil
}

// Notes returns every note whose name begins with prefix, by name.
func (j *Journal) Notes(stream, prefix string) (notes []Note, err error) {
	low, high := key(spaceNote, stream, []byte(prefix)...), after(spaceNote, stream)
	skip := len(key(spaceNote, stream))
	err = j.each(low, high, func(k, v []byte) error {
		if !bytes.HasPrefix(k, low) {
			return errEnough
		}
		notes = append(notes, Note{Name: string(k[skip:]), Value: slices.Clone(v)})
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("read the notes %s of %s: %w", prefix, stream, err)
	}
	return notes, nil
}

// digestAt is the digest of the step with exactly this Seq, if it is known.
func (j *Journal) digestAt(s *stream, seq chain.Seq) (digest uint64, ok bool, err error) {
	if seq == s.rec.cut {
		return s.rec.cutDigest, true, nil
	}
	v, closer, err := j.db.Get(seqKey(spaceStep, s.rec.stream.Name, uint64(seq)))
	if errors.Is(err, pebble.ErrNotFound) {
		return 0, false, nil
	}
	if err != nil {
		return 0, false, fmt.Errorf("read step %d of %s: %w", seq, s.rec.stream, err)
	}
	defer closer.Close()
	return binary.BigEndian.Uint64(v), true, nil
}
