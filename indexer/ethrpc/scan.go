package ethrpc

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"superindex/chain"
	"superindex/indexer"
)

// scan reads an answer of eth_getLogs as it arrives: it counts and checks every
// log and keeps the watched ones. Logs come in the chain's order, which is what
// lets it find repetitions, and two forks in one answer, by looking one log back.
type scan struct {
	within  indexer.Range
	watched indexer.Watched
	arena   *arena

	null   bool // the answer was null
	all    int
	blocks []tally
	events []chain.Event // Time is what their blocks' first logs say
	start  int           // of the logs in the answer
}

func newScan(within indexer.Range, watched indexer.Watched, memory *indexer.Memory) *scan {
	a := newArena(memory)
	return &scan{within: within, watched: watched, arena: a, events: a.Events()}
}

// tally is what the logs of one block say about it.
type tally struct {
	chain.BlockRef
	time    uint64 // 0 where the node does not say it with a log
	all     uint32
	watched uint32
	last    uint64 // index of the last log
}

// read is the call's read.
func (s *scan) read(c *cursor) error {
	switch c.peek() {
	case 'n':
		c.value()
		s.null = true
		return c.err
	case '[':
		c.at++
	default:
		return cmp.Or(c.err, errNoRPC)
	}
	s.start = c.gone + c.at
	var l log
	for first := true; c.next(first); first = false {
		l.read(c, &s.arena.shape)
		if c.err != nil {
			break
		}
		if err := s.add(c, &l); err != nil {
			return fmt.Errorf("log %d of block %d: %w", l.Index.n, l.BlockNumber.n, err)
		}
	}
	return c.err
}

// add takes the next log, which c has just read.
func (s *scan) add(c *cursor, l *log) error {
	if err := l.check(); err != nil {
		return err
	}
	if err := s.place(l); err != nil {
		return err
	}
	s.all++
	block := &s.blocks[len(s.blocks)-1]
	block.all++
	if !s.watched.Has(&l.Address) {
		return nil
	}
	block.watched++
	e := &s.grow(c).Log
	e.Block, e.Time, e.Address = block.BlockRef, block.time, l.Address
	e.TxIndex, e.Index = uint32(l.TxIndex.n), uint32(l.Index.n)
	return s.arena.fill(e, c, l)
}

// grow appends an event. Where it must move them, it makes room for as many as the
// rest of the answer will have if it goes on like this, but for no more than
// growth times as many as there are. What follows one block's logs are other blocks.
func (s *scan) grow(c *cursor) *chain.Event {
	const least, growth = 64, 32
	if n := len(s.events); n == cap(s.events) {
		more := max(least, n/8)
		if s.within.From < s.within.To {
			done, left := c.gone+c.at-s.start, max(0, c.size-c.gone-c.at)
			more = max(more, int(min(float64(n)*float64(left)/float64(done)*1.05, float64(growth*n))))
		}
		s.events = slices.Grow(s.events, more)
	}
	s.events = append(s.events, chain.Event{})
	return &s.events[len(s.events)-1]
}

// place checks that the log follows the one before it, and opens its block where
// it is the block's first.
func (s *scan) place(l *log) error {
	number := l.BlockNumber.n
	switch {
	case l.Removed:
		return fmt.Errorf("removed: %w", indexer.ErrTorn)
	case number < s.within.From || number > s.within.To:
		return fmt.Errorf("not in blocks %d to %d", s.within.From, s.within.To)
	}
	if n := len(s.blocks); n > 0 && s.blocks[n-1].Number >= number {
		switch last := &s.blocks[n-1]; {
		case last.Number > number:
			return fmt.Errorf("out of order, after block %d", last.Number)
		case last.Hash != l.BlockHash:
			return fmt.Errorf("of block %v, others of %v: %w", l.ref(), last.BlockRef, indexer.ErrTorn)
		case l.Index.n <= last.last:
			return fmt.Errorf("repeated or out of order, after log %d", last.last)
		}
	} else {
		s.blocks = append(s.blocks, tally{BlockRef: l.ref(), time: l.Timestamp.n})
	}
	s.blocks[len(s.blocks)-1].last = l.Index.n
	return nil
}

var (
	errNullLogs = errors.New("eth_getLogs: the answer is null")
	errGap      = errors.New("some are missing") // a block's receipts may have them
)

// match checks that each block's logs are numbered from 0 on without a gap, for no
// filter leaves any out, and checks them against headers, ascending and a part of the
// range: the blocks' hashes are the same, and a header whose bloom is not empty has
// logs. If they are dense, each is the parent of the next.
func (s *scan) match(headers []*header, dense bool) error {
	if s.null {
		return errNullLogs
	}
	for i := range s.blocks {
		if b := &s.blocks[i]; b.last+1 != uint64(b.all) {
			return fmt.Errorf("%d logs of block %v, the last of which has index %d: %w", b.all, b.BlockRef, b.last, errGap)
		}
	}
	if dense {
		if err := linked(headers); err != nil {
			return err
		}
	}
	rest := s.blocks
	for _, h := range headers {
		for len(rest) > 0 && rest[0].Number < h.Number.n {
			rest = rest[1:]
		}
		switch {
		case len(rest) > 0 && rest[0].Number == h.Number.n:
			if rest[0].Hash != h.Hash {
				return fmt.Errorf("logs of block %v, header %v: %w", rest[0].BlockRef, h.ref(), indexer.ErrTorn)
			}
		case !h.Bloomed:
			return fmt.Errorf("block %v is without logsBloom", h.ref())
		case h.Bloom:
			return fmt.Errorf("no logs of block %v, though its bloom is not empty: %w", h.ref(), indexer.ErrTorn)
		}
	}
	return nil
}

// linked checks that each header is the parent of the next.
func linked(headers []*header) error {
	for i, h := range headers[1:] {
		if before := headers[i]; h.Parent != before.Hash {
			return fmt.Errorf("block %v has another parent than %v: %w", h.ref(), before.ref(), indexer.ErrTorn)
		}
	}
	return nil
}

// untimed are the numbers of the blocks whose watched logs do not say a
// believable time: the ends' times bound it.
func (s *scan) untimed(first, last *header) (numbers []uint64) {
	for i, b := range s.blocks {
		if b.Number == first.Number.n || b.Number == last.Number.n {
			continue // the header says it
		}
		if b.time < first.Timestamp.n || b.time > last.Timestamp.n {
			s.blocks[i].time = 0
			if b.watched > 0 {
				numbers = append(numbers, b.Number)
			}
		}
	}
	return numbers
}

// time gives the blocks the times of these headers, ascending.
func (s *scan) time(headers []*header) error {
	rest := s.blocks
	for _, h := range headers {
		for rest[0].Number != h.Number.n {
			rest = rest[1:]
		}
		if rest[0].Hash != h.Hash {
			return fmt.Errorf("logs of block %v, header %v: %w", rest[0].BlockRef, h.ref(), indexer.ErrTorn)
		}
		rest[0].time = h.Timestamp.n
	}
	return nil
}

// merge makes the answer of the logs and of the headers, ascending: a block for
// every header and one for every other block with a watched log, which has a time.
func (s *scan) merge(headers []*header) indexer.Fetched {
	f := indexer.Fetched{Events: s.events, All: s.all}
	f.Blocks = make([]chain.Block, 0, len(headers)+len(s.blocks))
	events := s.events
	for _, t := range s.blocks {
		for len(headers) > 0 && headers[0].Number.n < t.Number {
			f.Blocks = append(f.Blocks, bare(headers[0]))
			headers = headers[1:]
		}
		b := chain.Block{BlockRef: t.BlockRef, Time: t.time}
		if len(headers) > 0 && headers[0].Number.n == t.Number {
			b, headers = headers[0].block(), headers[1:]
		} else if t.watched == 0 {
			continue
		}
		b.Logs, b.WatchedLogs = chain.Known(int(t.all)), t.watched
		f.Blocks = append(f.Blocks, b)
		stamp(events[:t.watched], b.Time)
		events = events[t.watched:]
	}
	for _, h := range headers {
		f.Blocks = append(f.Blocks, bare(h))
	}
	return f
}

// bare is a block without logs.
func bare(h *header) chain.Block {
	b := h.block()
	b.Logs = chain.Known(0)
	return b
}

// stamp gives the events of one block its time, which most often they have.
func stamp(events []chain.Event, time uint64) {
	if len(events) == 0 || events[0].Time == time {
		return
	}
	for i := range events {
		events[i].Time = time
	}
}
