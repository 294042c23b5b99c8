package harness

import (
	"context"
	"encoding/binary"

	"golang.org/x/crypto/sha3"

	"superindex/benchmarks/report"
	"superindex/chain"
)

// bits are the three bits that an address or a topic sets in a bloom of 2,048.
type bits [3]uint16

// hasher makes bits, one Keccak-256 a value.
type hasher struct {
	state interface {
		Write([]byte) (int, error)
		Reset()
		Read([]byte) (int, error)
	}
	sum [6]byte
}

func newHasher() *hasher {
	return &hasher{state: sha3.NewLegacyKeccak256().(interface {
		Write([]byte) (int, error)
		Reset()
		Read([]byte) (int, error)
	})}
}

func (h *hasher) bits(value []byte) (b bits) {
	h.state.Reset()
	_, _ = h.state.Write(value) // a sponge takes everything
	_, _ = h.state.Read(h.sum[:])
	for i := range b {
		b[i] = binary.BigEndian.Uint16(h.sum[2*i:]) & 2047
	}
	return b
}

// bloom is one block's.
type bloom [256]byte

func (b *bloom) set(at bits) {
	for _, bit := range at {
		b[255-bit/8] |= 1 << (bit % 8)
	}
}

// blooms recomputes each block's bloom from all of its logs: what a proof of
// completeness costs, which no release does yet. Once with a hash for every address
// and topic, once with those met before remembered.
func blooms(ctx context.Context, b *bench) ([]report.Result, error) {
	a, err := b.answered()
	if err != nil {
		return nil, err
	}
	events, err := a.events(ctx)
	if err != nil {
		return nil, err
	}
	h := newHasher()
	all, hashed := recompute(events, func(value []byte) bits { return h.bits(value) })
	known := map[string]bits{}
	same, remembered := recompute(events, func(value []byte) bits {
		at, ok := known[string(value)]
		if !ok {
			at = h.bits(value)
			known[string(value)] = at
		}
		return at
	})
	r := report.Result{Logs: uint64(len(events)), Set: "logs in memory, on one core; a value met before is remembered"}
	remembered.fill(&r)
	r.Figures = append(r.Figures, report.Figure{Name: "CPU-s per million logs, every value hashed", Value: hashed.cpu},
		report.Figure{Name: "distinct values", Value: float64(len(known))})
	for i, header := range a.node.Blooms(1, uint64(len(all))) {
		if bloom(header) != all[i] || all[i] != same[i] {
			r.Fault = "a bloom is not its header's"
		}
	}
	return []report.Result{r}, nil
}

// recompute makes the bloom of each block and says what it took.
func recompute(events []chain.Event, hash func([]byte) bits) (all []bloom, m measure) {
	watch := newWatch()
	var last uint64
	for i := range events {
		e := &events[i]
		if e.Block.Number != last || i == 0 {
			all, last = append(all, bloom{}), e.Block.Number
		}
		now := &all[len(all)-1]
		now.set(hash(e.Address[:]))
		for j := range e.Topics {
			now.set(hash(e.Topics[j][:]))
		}
	}
	return all, watch.measure(uint64(len(events)))
}
