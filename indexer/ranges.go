package indexer

import (
	"context"
	"errors"
	"slices"
	"sync"
)

// span is how many blocks are asked for at once. It halves when the node refuses
// or when an answer is large, and grows while answers are small, so that no
// number needs to be known of a node. It is safe for concurrent use.
type span struct {
	mu      sync.Mutex
	blocks  uint64
	most    uint64
	refused bool // the limit was met once: from then on it grows slowly
}

// An answer of answerLogs logs or answerBytes is as large as one should be: some
// 4 MiB of JSON, a third of a step once decoded. Measured: two fetchers with two
// such answers each stay under 100 MiB.
const (
	answerLogs  = 8_000
	answerBytes = 4 << 20
)

func (s *span) len() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocks
}

// learn takes what came of asking for n blocks.
func (s *span) learn(n uint64, f Fetched, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case errors.Is(err, ErrTooLarge), err == nil && (f.All > answerLogs || f.Bytes > answerBytes):
		s.blocks, s.refused = max(1, min(s.blocks, n/2)), true
	case err == nil && n >= s.blocks && f.All < answerLogs/2 && f.Bytes < answerBytes/2:
		more := s.blocks / 2
		if s.refused {
			more = s.blocks / 16
		}
		s.blocks = min(s.most, s.blocks+more+1)
	}
}

// walk gives the ranges from..to one after the other, each as long as s is then.
func (s *span) walk(from, to uint64) func() (Range, bool) {
	return func() (Range, bool) {
		if from > to {
			return Range{}, false
		}
		r := Range{from, min(to, from+s.len()-1)}
		from = r.To + 1
		return r, true
	}
}

// fetch reads r, in halves where the node will not give it at once. A range is
// never skipped: one block that is too large is an error.
func (s *span) fetch(ctx context.Context, source Source, r Range, want Want) (Fetched, error) {
	f, err := source.Fetch(ctx, r, want)
	s.learn(r.Len(), f, err)
	if !errors.Is(err, ErrTooLarge) || r.Len() == 1 {
		return f, err
	}
	middle := r.From + r.Len()/2
	low, err := s.fetch(ctx, source, Range{r.From, middle - 1}, want)
	if err != nil {
		return Fetched{}, err
	}
	high, err := s.fetch(ctx, source, Range{middle, r.To}, want)
	if err != nil {
		return Fetched{}, err
	}
	return join(low, high, want.Dense)
}

// join puts two ranges together that follow each other.
func join(low, high Fetched, dense bool) (Fetched, error) {
	if dense && high.Blocks[0].Parent != low.Blocks[len(low.Blocks)-1].Hash {
		return Fetched{}, ErrTorn
	}
	return Fetched{
		Blocks: slices.Concat(low.Blocks, high.Blocks),
		Events: slices.Concat(low.Events, high.Events),
		All:    low.All + high.All,
		Bytes:  low.Bytes + high.Bytes,
	}, nil
}
