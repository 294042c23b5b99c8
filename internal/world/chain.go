package world

import (
	"encoding/binary"
	"slices"

	"superindex/chain"
)

// block is one node of the tree of all blocks that ever were.
type block struct {
	chain.Block
	logs []chain.Log
}

// state is the chain as a perfectly informed node sees it at one instant: the
// canonical branch from the genesis block on, and how much of it is safe and final.
type state struct {
	canon       []*block
	safe, final int // indexes into canon
}

func (s *state) head() *block { return s.canon[len(s.canon)-1] }

// Chain is the one real chain, and all that it has been: a lagging endpoint shows
// an earlier state.
type Chain struct {
	now    state
	past   []state
	hashes uint64
}

// NewChain has a genesis block, safe and final.
func NewChain() *Chain {
	c := &Chain{}
	c.now.canon = []*block{{Block: chain.Block{BlockRef: chain.BlockRef{Hash: c.hash()}, Time: 1000}}}
	return c
}

func (c *Chain) hash() (h chain.Hash) {
	c.hashes++
	binary.BigEndian.PutUint64(h[:], c.hashes)
	return h
}

// change lets f make the next state out of the present one.
func (c *Chain) change(f func(*state)) {
	before := c.now
	before.canon = slices.Clone(before.canon)
	c.past = append(c.past, before)
	f(&c.now)
}

// Mine adds a block with a log of each of these addresses.
func (c *Chain) Mine(addresses ...chain.Address) {
	c.change(func(s *state) {
		parent := s.head()
		b := &block{Block: chain.Block{
			BlockRef: chain.BlockRef{Number: parent.Number + 1, Hash: c.hash()},
			Parent:   parent.Hash, Time: parent.Time + 2,
		}}
		for i, a := range addresses {
			b.logs = append(b.logs, chain.Log{Block: b.BlockRef, Time: b.Time, Index: uint32(i), Address: a, TxHash: c.hash()})
		}
		s.canon = append(s.canon, b)
	})
}

// drop takes up to depth blocks above final off, and returns them.
func (c *Chain) drop(depth int) (dropped []*block) {
	c.change(func(s *state) {
		keep := max(len(s.canon)-depth, s.final+1)
		dropped = slices.Clone(s.canon[keep:])
		s.canon = s.canon[:keep:keep]
		s.safe = min(s.safe, keep-1)
	})
	return dropped
}

// restore makes an old branch canonical again, if it still can be.
func (c *Chain) restore(old []*block) {
	if len(old) == 0 {
		return
	}
	parent := int(old[0].Number) - 1
	if parent >= len(c.now.canon) || parent < c.now.final || c.now.canon[parent].Hash != old[0].Parent {
		return
	}
	c.change(func(s *state) {
		s.canon = slices.Concat(s.canon[:parent+1], old)
		s.safe = min(s.safe, parent)
	})
}

// Finalize moves safe and final towards the head; final never goes back.
func (c *Chain) Finalize(safe, final int) {
	c.change(func(s *state) {
		top := len(s.canon) - 1
		s.final = max(s.final, min(top, s.final+final))
		s.safe = max(s.final, min(top, s.final+safe))
	})
}

// Canonical are the logs of these addresses that a perfect reader holds.
func (c *Chain) Canonical(from uint64, watched map[chain.Address]bool) (logs []chain.Log) {
	for _, b := range c.now.canon {
		for _, l := range b.logs {
			if b.Number >= from && watched[l.Address] {
				logs = append(logs, l)
			}
		}
	}
	return logs
}

// finalized reports whether ref is finalized now.
func (c *Chain) finalized(ref chain.BlockRef) bool {
	return int(ref.Number) <= c.now.final && c.now.canon[ref.Number].BlockRef == ref
}
