package loadnode

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"superindex/chain"
)

// Node serves one chain. It is an http.Handler.
type Node struct {
	o        Options
	blocks   *blocks
	rate     *rate.Limiter
	buffers  sync.Pool // of *[]byte, of about a piece
	counters counters

	mu        sync.Mutex
	came      map[chain.Hash]time.Time // when a block above Options.Blocks became the head
	given     map[chain.Hash]time.Time // when its logs were first asked for
	listeners map[chan chain.BlockRef]struct{}
}

// New makes the chain: a few hundred milliseconds for 10,000 blocks.
func New(o Options) (*Node, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	c, err := newBlocks(o)
	if err != nil {
		return nil, fmt.Errorf("load node: %w", err)
	}
	limit := rate.Inf
	if o.Rate > 0 {
		limit = rate.Limit(o.Rate)
	}
	return &Node{
		o: o, blocks: c, rate: rate.NewLimiter(limit, max(1, int(o.Rate))),
		buffers: sync.Pool{New: func() any { return new([]byte) }},
		came:    map[chain.Hash]time.Time{}, given: map[chain.Hash]time.Time{},
		listeners: map[chan chain.BlockRef]struct{}{},
	}, nil
}

// Head is the latest block.
func (n *Node) Head() chain.BlockRef {
	latest, _, _ := n.blocks.heads()
	return latest.ref()
}

// Extend puts so many blocks on top and returns the new head.
func (n *Node) Extend(blocks uint64) chain.BlockRef { return n.announce(n.blocks.extend(blocks)) }

// Reorg replaces so many blocks by as many of another fork and one more, and
// returns the new head. No finalized block goes.
func (n *Node) Reorg(depth uint64) chain.BlockRef { return n.announce(n.blocks.reorg(depth)) }

// Run moves the head of a chain that is Live, block by block in its time, and
// reorganises it as the options say, until ctx ends.
func (n *Node) Run(ctx context.Context) {
	if !n.o.Live {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(n.o.BlockTime)
	defer tick.Stop()
	for i := uint64(1); ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if n.o.ReorgEvery > 0 && i%n.o.ReorgEvery == 0 {
			n.Reorg(n.o.ReorgDepth)
		} else {
			n.Extend(1)
		}
	}
}

// announce notes a new head and tells who subscribed. One that does not listen misses a head.
func (n *Node) announce(head record) chain.BlockRef {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.came[head.hash] = time.Now()
	for to := range n.listeners {
		select {
		case to <- head.ref():
		default:
		}
	}
	return head.ref()
}

// listen gives the heads from now on, until stop is called.
func (n *Node) listen() (heads <-chan chain.BlockRef, stop func()) {
	to := make(chan chain.BlockRef, 128)
	n.mu.Lock()
	defer n.mu.Unlock()
	n.listeners[to] = struct{}{}
	return to, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(n.listeners, to)
	}
}

// served takes down when a block that came while the node ran was first given.
func (n *Node) served(r *record) {
	if r.number <= n.o.Blocks {
		return
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if _, ok := n.given[r.hash]; !ok {
		n.given[r.hash] = time.Now()
	}
}

// Came is when a block that was put on top of the first Options.Blocks became the
// head.
func (n *Node) Came(block chain.Hash) (time.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at, ok := n.came[block]
	return at, ok
}

// Given is when the logs of a block that came after the first Options.Blocks were
// first asked for.
func (n *Node) Given(block chain.Hash) (time.Time, bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	at, ok := n.given[block]
	return at, ok
}
