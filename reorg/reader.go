package reorg

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"

	"superindex/chain"
)

// Reader reads the steps of one stream, some after the other, into memory that it uses
// again: to have other memory each time costs more than to decode into it. It is for one
// goroutine at a time; there is nothing to close.
type Reader struct {
	j      *Journal
	stream string
	memory [2]memory // what the steps of the last call but one lie in, and of the last one
}

// Reader makes one for a stream.
func (j *Journal) Reader(stream string) *Reader { return &Reader{j: j, stream: stream} }

// Next is Journal.Next, but that what it returns is good until the next call but one.
func (r *Reader) Next(ctx context.Context, after chain.Seq, maxBytes int) ([]chain.Step, error) {
	of, err := r.j.await(ctx, r.stream, after)
	if err != nil {
		return nil, err
	}
	r.memory[0], r.memory[1] = r.memory[1], r.memory[0]
	m := &r.memory[1]
	m.reset()
	return r.j.read(of, after, maxBytes, m)
}

// read returns steps that lie in m.
func (j *Journal) read(of chain.Stream, after chain.Seq, maxBytes int, m *memory) (steps []chain.Step, err error) {
	name := of.Name
	low, high := seqKey(spaceStep, name, uint64(after)+1), seqKey(spaceStep, name, ^uint64(0))
	err = j.each(low, high, func(k, v []byte) error {
		size := sizeOf(v)
		if len(steps) > 0 && m.size+size > maxBytes {
			return errEnough
		}
		m.size += size
		step, err := j.parse(of, k, v, m)
		steps = append(steps, step)
		return err
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, fmt.Errorf("read %s after %d: %w", name, after, err)
	}
	return steps, nil
}

// sizeOf is how large the step is that v holds, or says where it is.
func sizeOf(v []byte) int {
	if len(v) < digestSize || !isElsewhere(v[digestSize:]) {
		return len(v)
	}
	r := decoder{b: v[digestSize+2:]}
	return int(r.uint())
}

var errEnough = errors.New("enough")

// parse reads the step that a key and its value hold, or the file that they name.
// It copies the value: the iterator reuses it.
func (j *Journal) parse(st chain.Stream, k, v []byte, m *memory) (chain.Step, error) {
	step := chain.Step{Journal: j.id, Stream: st, Seq: chain.Seq(tail(k))}
	if len(v) < digestSize {
		return step, errCodec
	}
	step.Digest, v = binary.BigEndian.Uint64(v), v[digestSize:]
	if !isElsewhere(v) {
		body := take(&m.bytes, len(v))
		copy(body, v)
		return step, parseStep(&step, body, m)
	}
	body, err := j.steps.read(st.Name, step.Seq, v, m)
	if err != nil {
		return step, err
	}
	return step, parseStep(&step, body, m)
}

// memory is where the bytes and the events of steps lie, and the topics, data and arguments
// of those, where they are not as they were written.
type memory struct {
	bytes  []byte
	events []chain.Event
	text   []byte
	size   int // of the steps' bytes, and of text
}

// keptBytes are more than what most steps have, and keptEvents what as many take. What has
// more, one giant block for instance, is not kept.
const (
	keptBytes  = 16 << 20
	keptEvents = 64 << 10
)

// reset takes back all that was taken.
func (m *memory) reset() {
	m.bytes, m.events, m.text, m.size = m.bytes[:0], m.events[:0], m.text[:0], 0
	if cap(m.bytes) > keptBytes {
		m.bytes = nil
	}
	if cap(m.text) > keptBytes {
		m.text = nil
	}
	if cap(m.events) > keptEvents {
		m.events = nil
	}
}

// take gives n more elements of what all has room for, or of new ones, with anything in them.
func take[T any](all *[]T, n int) []T {
	used := len(*all)
	if cap(*all)-used < n || *all == nil {
		*all, used = make([]T, 0, max(n, 2*used)), 0
	}
	*all = (*all)[:used+n]
	return (*all)[used : used+n : used+n]
}
