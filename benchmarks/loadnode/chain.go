package loadnode

import (
	"encoding/binary"
	"math/big"
	"sync"

	"github.com/ethereum/go-ethereum/core/types"
	"golang.org/x/sync/errgroup"

	"superindex/chain"
)

// record is one block, of the chain or of a fork that was left. It never changes.
type record struct {
	hash, parent chain.Hash
	number, time uint64
	fork         uint32
	body         uint32 // its index in blocks.bodies
}

func (r *record) ref() chain.BlockRef { return chain.BlockRef{Number: r.number, Hash: r.hash} }

// salt is what makes two forks differ where they use one body: the extra data.
func (r *record) salt() []byte { return binary.BigEndian.AppendUint64(nil, uint64(r.fork)) }

// blocks is the chain: every block that ever was, and which of them are it now.
type blocks struct {
	o      Options
	maker  *maker
	bodies []*body // the last is block 0's

	mu     sync.RWMutex
	all    []record          // only grows
	canon  []uint32          // the chain: indexes in all, by number
	byHash map[uint64]uint32 // a hash's first 8 bytes -> index in all
	forks  uint32
}

func newBlocks(o Options) (*blocks, error) {
	m, err := newMaker(o)
	if err != nil {
		return nil, err
	}
	c := &blocks{o: o, maker: m, bodies: make([]*body, o.Bodies+1), all: make([]record, 0, o.Blocks+1), byHash: make(map[uint64]uint32, o.Blocks)}
	var g errgroup.Group
	g.SetLimit(4)
	for i := range o.Bodies {
		g.Go(func() (err error) {
			c.bodies[i], err = m.body(i)
			return err
		})
	}
	if c.bodies[o.Bodies], err = m.empty(); err != nil {
		return nil, err
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	for range o.Blocks + 1 {
		c.add()
	}
	return c, nil
}

// add puts one block on top. The caller holds the lock.
func (c *blocks) add() *record {
	r := record{number: uint64(len(c.canon)), fork: c.forks, body: uint32(c.o.Bodies)}
	r.time = c.o.Genesis + r.number*c.o.seconds()
	if r.number > 0 {
		r.parent = c.all[c.canon[r.number-1]].hash
		r.body = uint32(mix(c.o.Seed, uint64(r.fork), r.number) % uint64(c.o.Bodies))
	}
	h := c.header(&r)
	r.hash = chain.Hash(h.Hash())
	at := uint32(len(c.all))
	c.all = append(c.all, r)
	c.canon = append(c.canon, at)
	c.byHash[binary.BigEndian.Uint64(r.hash[:])] = at
	return &c.all[at]
}

// header is the block's true header.
func (c *blocks) header(r *record) *types.Header {
	h := c.bodies[r.body].header
	h.ParentHash, h.Number, h.Time, h.Extra = [32]byte(r.parent), new(big.Int).SetUint64(r.number), r.time, r.salt()
	return &h
}

// mix spreads three numbers over 64 bits (splitmix64's last steps).
func mix(seed, fork, number uint64) uint64 {
	x := seed ^ fork*0xd1342543de82ef95 + number*0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// heads are the blocks that the tags name.
func (c *blocks) heads() (latest, safe, final *record) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	top := uint64(len(c.canon)) - 1
	at := func(lag uint64) *record { return &c.all[c.canon[top-min(lag, top)]] }
	return at(0), at(c.o.SafeLag), at(c.o.FinalLag)
}

// number is the chain's block of that number; nil where there is none yet.
func (c *blocks) number(n uint64) *record {
	c.mu.RLock()
	defer c.mu.RUnlock()
	if n >= uint64(len(c.canon)) {
		return nil
	}
	return &c.all[c.canon[n]]
}

// hash is a block of the chain or of a fork that was left; nil where there is none.
func (c *blocks) hash(h chain.Hash) *record {
	c.mu.RLock()
	defer c.mu.RUnlock()
	at, ok := c.byHash[binary.BigEndian.Uint64(h[:])]
	if !ok || c.all[at].hash != h {
		return nil
	}
	return &c.all[at]
}

// between are the chain's blocks from..to, all at one instant.
func (c *blocks) between(from, to uint64) []*record {
	c.mu.RLock()
	defer c.mu.RUnlock()
	some := make([]*record, 0, to-from+1)
	for _, at := range c.canon[min(from, uint64(len(c.canon))):min(to+1, uint64(len(c.canon)))] {
		some = append(some, &c.all[at])
	}
	return some
}

// extend adds n blocks and returns the new head.
func (c *blocks) extend(n uint64) (head record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for range n {
		head = *c.add()
	}
	return head
}

// reorg replaces the highest blocks by one more of another fork. None at or below
// finalized goes.
func (c *blocks) reorg(depth uint64) (head record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	top := uint64(len(c.canon)) - 1
	depth = min(depth, top, c.o.FinalLag)
	c.canon = c.canon[:top+1-depth]
	c.forks++
	for range depth + 1 {
		head = *c.add()
	}
	return head
}
