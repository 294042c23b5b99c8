package devchain

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// Depth is how many blocks can be replaced: those above the highest block that
// the chain has ever shown as finalized. Anvil itself would go below it.
func (c *Chain) Depth(ctx context.Context) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.depth(ctx)
}

func (c *Chain) depth(ctx context.Context) (uint64, error) {
	head, err := c.head(ctx)
	if err != nil {
		return 0, err
	}
	final := c.peak - min(c.peak, 2*c.o.Epoch)
	return head - min(head, final), nil
}

// Reorg replaces the newest blocks, at most depth of them and none that was
// finalized, by as many others, and returns how many. About four in five of their
// users find their transactions again, some in another block and at another
// place; the others lose all that they did from some transaction on.
func (c *Chain) Reorg(ctx context.Context, r *rand.Rand, depth uint64) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	head, depth, err := c.limit(ctx, depth)
	if err != nil || depth == 0 {
		return 0, err
	}
	again, err := c.shuffle(ctx, r, head, depth)
	if err != nil {
		return 0, err
	}
	if err := c.child.RPC.CallContext(ctx, nil, "anvil_reorg", depth, again); err != nil {
		return 0, fmt.Errorf("reorganise %d blocks: %w", depth, err)
	}
	return depth, nil
}

// Rollback removes the newest blocks, at most depth of them and none that was
// finalized, and returns how many: the head goes down.
func (c *Chain) Rollback(ctx context.Context, depth uint64) (uint64, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, depth, err := c.limit(ctx, depth)
	if err != nil || depth == 0 {
		return 0, err
	}
	if err := c.child.RPC.CallContext(ctx, nil, "anvil_rollback", depth); err != nil {
		return 0, fmt.Errorf("roll %d blocks back: %w", depth, err)
	}
	return depth, nil
}

// limit returns the head and what may be replaced of depth.
func (c *Chain) limit(ctx context.Context, depth uint64) (head, limited uint64, err error) {
	most, err := c.depth(ctx)
	if err != nil {
		return 0, 0, err
	}
	head, err = c.head(ctx)
	return head, min(depth, most), err
}

// again is a transaction, raw, and the place of its new block, from 0.
type again [2]any

// shuffle lists which transactions of the newest blocks come back, and where.
// They keep their order, so that nonces fit: a sender that loses one loses all
// that follow.
func (c *Chain) shuffle(ctx context.Context, r *rand.Rand, head, depth uint64) ([]again, error) {
	lost := map[common.Address]bool{}
	list := []again{} // null would be refused
	place := 0
	for n := head - depth + 1; n <= head; n++ {
		var block struct {
			Transactions []struct {
				Hash common.Hash
				From common.Address
			}
		}
		if err := c.child.RPC.CallContext(ctx, &block, "eth_getBlockByNumber", hexutil.Uint64(n), true); err != nil {
			return nil, fmt.Errorf("read block %d: %w", n, err)
		}
		for _, tx := range block.Transactions {
			if lost[tx.From] = lost[tx.From] || r.IntN(20) == 0; lost[tx.From] {
				continue
			}
			var raw hexutil.Bytes
			if err := c.child.RPC.CallContext(ctx, &raw, "eth_getRawTransactionByHash", tx.Hash); err != nil {
				return nil, fmt.Errorf("read transaction %v: %w", tx.Hash, err)
			}
			if r.IntN(4) == 0 {
				place = min(place+1, int(depth)-1)
			}
			list = append(list, again{raw, place})
		}
	}
	return list, nil
}
