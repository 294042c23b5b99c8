package reorg

import (
	"errors"
	"fmt"

	"github.com/cockroachdb/pebble/v2"

	"superindex/chain"
)

// load reads every stream's state.
func (j *Journal) load() error {
	return j.each([]byte{spaceHead}, []byte{spaceHead + 1}, func(k, v []byte) error {
		rec, err := parseRecord(v)
		if err != nil {
			return fmt.Errorf("stream %s: %w", streamOf(k), err)
		}
		s := newStream(rec)
		if err := j.loadStream(s); err != nil {
			return fmt.Errorf("stream %s: %w", rec.stream, err)
		}
		j.streams[rec.stream.Name] = s
		return nil
	})
}

func newStream(rec record) *stream {
	return &stream{rec: rec, acks: map[string]chain.Seq{}, changed: make(chan struct{})}
}

func (j *Journal) loadStream(s *stream) error {
	name := s.rec.stream.Name
	s.window = Tracker{safe: s.rec.safe, final: s.rec.final}
	return errors.Join(
		j.space(spaceHash, name, func(k, v []byte) error {
			s.window.blocks = append(s.window.blocks, chain.BlockRef{Number: tail(k), Hash: chain.Hash(v)})
			return nil
		}),
		j.space(spaceMark, name, func(k, v []byte) error {
			m, err := parseMark(k, v)
			s.marks = append(s.marks, m)
			return err
		}),
		j.space(spaceOwed, name, func(_, v []byte) (err error) {
			s.owed, err = parseOwed(v)
			return err
		}),
	)
}

func (j *Journal) space(space byte, name string, f func(k, v []byte) error) error {
	return j.each(key(space, name), after(space, name), f)
}

// each calls f with every key and value from low to below high; f keeps neither.
func (j *Journal) each(low, high []byte, f func(k, v []byte) error) error {
	it, err := j.db.NewIter(&pebble.IterOptions{LowerBound: low, UpperBound: high})
	if err != nil {
		return err
	}
	for ok := it.First(); ok; ok = it.Next() {
		if err := f(it.Key(), it.Value()); err != nil {
			return errors.Join(err, it.Close())
		}
	}
	return it.Close()
}
