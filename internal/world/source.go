package world

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"slices"
	"sync"

	"superindex/chain"
	"superindex/indexer"
)

var errNode = errors.New("the node fails")

// Plan is what the network does during one move of the engine: which past state
// each kind of call sees, so many changes ago; which calls fail; and what happens
// to the chain right after the heads have been read.
type Plan struct {
	Heads, Headers, Fetch int // states ago
	FailHeads, FailFetch  bool
	Most                  uint64 // ranges are at most this long; 0: 5, above finalized 3
	Between               func() // after the heads were read, once
}

// Node is the chain behind endpoints of which some lag. It is an indexer.Source.
type Node struct {
	mu    sync.Mutex
	chain *Chain
	plan  Plan
}

func (n *Node) set(p Plan) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.plan = p
}

// seen is the state that was current so many changes ago.
func (n *Node) seen(ago int) *state {
	past := n.chain.past
	if ago == 0 || len(past) == 0 {
		return &n.chain.now
	}
	return &past[max(0, len(past)-ago)]
}

// Heads implements indexer.Source.
func (n *Node) Heads(context.Context) (indexer.Heads, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.plan.FailHeads {
		return indexer.Heads{}, errNode
	}
	s := n.seen(n.plan.Heads)
	h := indexer.Heads{Latest: s.head().BlockRef, Safe: s.canon[s.safe].BlockRef, Final: s.canon[s.final].BlockRef}
	if between := n.plan.Between; between != nil {
		n.plan.Between = nil
		between()
	}
	return h, nil
}

// Headers implements indexer.Source.
func (n *Node) Headers(_ context.Context, numbers []uint64) (headers []chain.Block, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.seen(n.plan.Headers)
	for _, number := range numbers {
		if number < uint64(len(s.canon)) {
			headers = append(headers, s.canon[number].Block)
		}
	}
	return headers, nil
}

// Next implements indexer.Source.
func (n *Node) Next(r indexer.Range, want indexer.Want) indexer.Range {
	n.mu.Lock()
	defer n.mu.Unlock()
	most := cmp.Or(n.plan.Most, 5)
	if want.Dense {
		most = min(most, 3)
	}
	return indexer.Range{From: r.From, To: min(r.To, r.From+most-1)}
}

// Fetch implements indexer.Source.
func (n *Node) Fetch(_ context.Context, r indexer.Range, want indexer.Want) (f indexer.Fetched, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	s := n.seen(n.plan.Fetch)
	switch {
	case n.plan.FailFetch:
		return f, errNode
	case r.To >= uint64(len(s.canon)):
		return f, indexer.ErrAbsent
	case want.Anchor != (chain.BlockRef{}):
		if want.Anchor.Number >= uint64(len(s.canon)) || s.canon[want.Anchor.Number].BlockRef != want.Anchor {
			return f, indexer.ErrTorn
		}
	}
	for number := r.From; number <= r.To; number++ {
		b, hit := s.canon[number], false
		for _, l := range b.logs {
			f.All++
			if want.Watched.Has(&l.Address) {
				f.Events, hit = append(f.Events, chain.Event{Log: l}), true
			}
		}
		if want.Dense || hit || number == r.From || number == r.To {
			f.Blocks = append(f.Blocks, b.Block)
		}
	}
	return f, nil
}

// Set is a watch set.
type Set []chain.Address

// Has implements indexer.Watched.
func (s Set) Has(a *chain.Address) bool {
	for _, have := range s {
		if have == *a {
			return true
		}
	}
	return false
}

// ID implements indexer.WatchSet.
func (s Set) ID() (id chain.WatchID) {
	id[0] = byte(len(s))
	return id
}

// All implements indexer.WatchSet.
func (s Set) All() iter.Seq[chain.Address] { return slices.Values(s) }
