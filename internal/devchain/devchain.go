package devchain

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"

	"superindex/chain"
	"superindex/internal/assets"
	"superindex/internal/devchain/node"
)

// Options say what chain to start.
type Options struct {
	ChainID uint64 // 0: 901, the chain id of OP Stack devnets
	Epoch   uint64 // safe is so many blocks behind the head, finalized twice as many; 0: 4
}

// Check names the first field that is wrong.
func (o Options) Check() error {
	if o.Epoch == 1 {
		return errors.New("devchain: Epoch must be 2 or more, to leave blocks that can be reorganised")
	}
	return nil
}

// Chain is a running chain.
type Chain struct {
	o     Options
	child *node.Child
	users []common.Address // the first one deploys, the others act

	mu        sync.Mutex
	contracts map[string]deployed
	peak      uint64 // the highest head so far
}

// Start runs a chain, deploys the contracts and mines until they are finalized.
// The chain lives until Close, or until ctx ends.
func Start(ctx context.Context, o Options) (*Chain, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	o.ChainID, o.Epoch = cmp.Or(o.ChainID, 901), cmp.Or(o.Epoch, 4)
	binary, err := assets.Find(assets.Anvil)
	if err != nil {
		return nil, err
	}
	anvil, err := node.Spawn(ctx, node.Options{Binary: binary, Args: func(ports []string) []string {
		return []string{
			"--network", "optimism", "--chain-id", strconv.FormatUint(o.ChainID, 10),
			"--slots-in-an-epoch", strconv.FormatUint(o.Epoch, 10), "--no-mining", "--silent",
			"--host", "127.0.0.1", "--port", ports[0],
		}
	}})
	if err != nil {
		return nil, err
	}
	c := &Chain{o: o, child: anvil, contracts: map[string]deployed{}}
	if err := c.prepare(ctx); err != nil {
		c.Close()
		return nil, fmt.Errorf("prepare the dev chain: %w", err)
	}
	return c, nil
}

// prepare deploys, and buries the contracts where no reorg reaches.
func (c *Chain) prepare(ctx context.Context) error {
	if err := c.child.RPC.CallContext(ctx, &c.users, "eth_accounts"); err != nil {
		return fmt.Errorf("read the accounts: %w", err)
	}
	if err := c.deploy(ctx); err != nil {
		return err
	}
	return c.mine(ctx, 2*c.o.Epoch)
}

// Close stops the chain and waits until its process is gone.
func (c *Chain) Close() { c.child.Stop() }

// URL is where JSON-RPC over HTTP is served.
func (c *Chain) URL() string { return c.child.URL }

// ChainID is the chain's EIP-155 id.
func (c *Chain) ChainID() uint64 { return c.o.ChainID }

// Contracts are those of the chain, in the order of their deployment.
func (c *Chain) Contracts() []Contract {
	all := make([]Contract, len(plan))
	for i, p := range plan {
		all[i] = c.contracts[p.name].Contract
	}
	return all
}

// Mine mines n blocks; the first takes what is pending.
func (c *Chain) Mine(ctx context.Context, n uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.mine(ctx, n)
}

func (c *Chain) mine(ctx context.Context, n uint64) error {
	if err := c.child.RPC.CallContext(ctx, nil, "anvil_mine", hexutil.Uint64(n)); err != nil {
		return fmt.Errorf("mine %d blocks: %w", n, err)
	}
	_, err := c.head(ctx)
	return err
}

// Regain mines what the chain lacks of its highest head: below it, it shows less as
// finalized than it did.
func (c *Chain) Regain(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	head, err := c.head(ctx)
	if err != nil || head == c.peak {
		return err
	}
	return c.mine(ctx, c.peak-head)
}

// head reads the head's number and keeps the peak.
func (c *Chain) head(ctx context.Context) (uint64, error) {
	var n hexutil.Uint64
	if err := c.child.RPC.CallContext(ctx, &n, "eth_blockNumber"); err != nil {
		return 0, fmt.Errorf("read the head: %w", err)
	}
	c.peak = max(c.peak, uint64(n))
	return uint64(n), nil
}

// send makes a transaction from one of anvil's own accounts; it stays pending
// until the next block. A nil to is a creation.
func (c *Chain) send(ctx context.Context, from common.Address, to *chain.Address, data []byte) error {
	tx := map[string]any{"from": from, "data": hexutil.Bytes(data), "gas": hexutil.Uint64(3_000_000)}
	if to != nil {
		tx["to"] = common.Address(*to)
	}
	var hash common.Hash
	if err := c.child.RPC.CallContext(ctx, &hash, "eth_sendTransaction", tx); err != nil {
		return fmt.Errorf("send a transaction: %w", err)
	}
	return nil
}
