package indexer

import (
	"slices"
	"sync"
	"unsafe"

	"superindex/chain"
)

// Memory is where the logs of one range lie: a few large pieces in place of some
// small ones a log, used again for another range once this one is in the journal. It
// is for one goroutine at a time; its zero value is ready.
type Memory struct {
	events []chain.Event
	topics pieces[chain.Hash]
	bytes  pieces[byte]
}

// Sizes of the pieces: a range of few logs should not cost much.
const (
	topicsPiece = 1 << 10 // 32 KiB
	bytesPiece  = 64 << 10
)

// Events is an empty slice to append to, with the room that an earlier range left.
// It is given once: until a range is done with, the next one is new.
func (m *Memory) Events() []chain.Event {
	events := m.events
	m.events = nil
	return events[:0]
}

// Topics are n topics with anything in them.
func (m *Memory) Topics(n int) []chain.Hash { return m.topics.take(n, topicsPiece) }

// Bytes are n bytes with anything in them.
func (m *Memory) Bytes(n int) []byte { return m.bytes.take(n, bytesPiece) }

// Reset takes back all that was given, and the events of the range: nobody looks at
// them any more. What was made for one log alone goes.
func (m *Memory) Reset(events []chain.Event) {
	if m.bytes.alone > 0 {
		clear(events)
	}
	m.events = events[:0]
	m.topics.reset()
	m.bytes.reset()
}

// size is about what it takes, in bytes.
func (m *Memory) size() int {
	return cap(m.events)*int(unsafe.Sizeof(chain.Event{})) + len(m.topics.all)*topicsPiece*len(chain.Hash{}) + len(m.bytes.all)*bytesPiece
}

// given is how many bytes of topics, data and arguments were given.
func (m *Memory) given() int {
	return m.topics.given()*len(chain.Hash{}) + m.bytes.given()
}

// pieces give parts of themselves until they are reset.
type pieces[T any] struct {
	all   [][]T // of each, what is used
	at    int   // the one in use
	alone int   // how many elements were given that lie in none
}

// given is how many elements were.
func (p *pieces[T]) given() int {
	n := p.alone
	for _, piece := range p.all {
		n += len(piece)
	}
	return n
}

// take gives n elements. More than a quarter of a piece are made for it alone.
func (p *pieces[T]) take(n, size int) []T {
	if n > size/4 {
		p.alone += n
		return make([]T, n)
	}
	piece := p.open(n, size)
	p.all[p.at] = piece[:len(piece)+n]
	return piece[len(piece) : len(piece)+n : len(piece)+n]
}

// open gives the piece in use, in which there is room for n more elements than it
// holds; n is at most size.
func (p *pieces[T]) open(n, size int) []T {
	if p.at < len(p.all) && cap(p.all[p.at])-len(p.all[p.at]) < n {
		p.at++
	}
	if p.at == len(p.all) {
		p.all = append(p.all, make([]T, 0, size))
	}
	return p.all[p.at]
}

// reset takes everything back.
func (p *pieces[T]) reset() {
	for i := range p.all {
		p.all[i] = p.all[i][:0]
	}
	p.at, p.alone = 0, 0
}

// memories are those that no range uses, spareBytes of them at most. A sync.Pool gave
// them up with each second collection: a tenth of a backfill's time went into having
// their pages again. It is safe for concurrent use.
type memories struct {
	mu    sync.Mutex
	spare []*Memory
	bytes int // that they take
}

// take gives one that nobody uses.
func (s *memories) take() *Memory {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := len(s.spare) - 1
	if last < 0 {
		return new(Memory)
	}
	m := s.spare[last]
	s.spare = s.spare[:last]
	s.bytes -= m.size()
	return m
}

// give takes back the memory of a range whose events nobody looks at any more.
func (s *memories) give(m *Memory, events []chain.Event) {
	m.Reset(events)
	s.mu.Lock()
	defer s.mu.Unlock()
	if size := m.size(); s.bytes+size <= spareBytes {
		s.spare, s.bytes = append(s.spare, m), s.bytes+size
	}
}

// rest frees what the next range alone does not need.
func (s *memories) rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for last := len(s.spare) - 1; last >= 0 && s.bytes > idleBytes; last-- {
		s.bytes -= s.spare[last].size()
		s.spare = slices.Delete(s.spare, last, last+1)
	}
}

// What a network keeps of them at most while it reads history, and at its head.
const (
	spareBytes = fetchBytes / 2
	idleBytes  = 1 << 20
)
