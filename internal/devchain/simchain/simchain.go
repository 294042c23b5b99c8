package simchain

import (
	"context"
	"crypto/ecdsa"
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"net"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/eth/ethconfig"
	"github.com/ethereum/go-ethereum/ethclient/simulated"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"superindex/chain"
)

// ChainID is that of every Chain.
const ChainID = 1337

// Chain is a running chain.
type Chain struct {
	// Burst emits as many logs, with two topics, as the number it is called with.
	// Relay emits one log: the first 32 bytes that it is called with are its topic,
	// the others its data.
	Burst, Relay chain.Address

	backend *simulated.Backend
	url     string
	used    uint64 // users that have sent their transaction
}

// users is how many transactions a Chain can send. Each comes from an account of
// its own, so that one whose block is dropped never blocks another's nonce.
const users = 4096

// BurstTopic is the first topic of Burst's logs; the second one counts down.
func BurstTopic() chain.Hash {
	return chain.Hash(crypto.Keccak256Hash([]byte("Burst(uint256)")))
}

// Start runs a chain whose first block holds the contracts. It is for Close to end.
func Start(ctx context.Context) (*Chain, error) {
	c := &Chain{}
	if err := c.start(ctx); err != nil {
		return nil, fmt.Errorf("start go-ethereum: %w", err)
	}
	if err := c.deploy(ctx); err != nil {
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

// start tries three ports: another process may take one before go-ethereum does.
func (c *Chain) start(ctx context.Context) error {
	alloc := types.GenesisAlloc{}
	for i := range uint64(users) {
		alloc[crypto.PubkeyToAddress(user(i).PublicKey)] = types.Account{Balance: big.NewInt(params.Ether)}
	}
	var failures []error
	for range 3 {
		port, err := freePort(ctx)
		if err != nil {
			return err
		}
		if c.backend, err = newBackend(alloc, port); err == nil {
			c.url = fmt.Sprintf("http://127.0.0.1:%d", port)
			return nil
		}
		failures = append(failures, err)
	}
	return errors.Join(failures...)
}

// newBackend turns the panics of go-ethereum's simulation into errors.
func newBackend(alloc types.GenesisAlloc, port int) (b *simulated.Backend, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("port %d: %v", port, r)
		}
	}()
	return simulated.NewBackend(alloc, func(n *node.Config, _ *ethconfig.Config) {
		n.HTTPHost, n.HTTPPort = "127.0.0.1", port
		n.HTTPModules = []string{"eth", "debug"}
	}), nil
}

// user is the key of the user with this number.
func user(i uint64) *ecdsa.PrivateKey {
	seed := crypto.Keccak256(binary.BigEndian.AppendUint64([]byte("superindex simchain"), i))
	key, err := crypto.ToECDSA(seed)
	if err != nil {
		panic(err) // of the fixed seeds none is outside the curve's order
	}
	return key
}

func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return port, nil
}

// Close ends the chain.
func (c *Chain) Close() error { return c.backend.Close() }

// URL is where JSON-RPC over HTTP is served.
func (c *Chain) URL() string { return c.url }

// Commit mines what is pending and returns the new head.
func (c *Chain) Commit(ctx context.Context) (chain.BlockRef, error) {
	hash := c.backend.Commit()
	head, err := c.head(ctx)
	if err == nil && head.Hash != chain.Hash(hash) {
		err = fmt.Errorf("committed %v, the head is %v", hash, head)
	}
	return head, err
}

// Back makes an older block the head, at most depth blocks down and not below
// finalized, and returns how many blocks went. They come back by none but
// Commit's doing, with other hashes. What was pending is dropped.
func (c *Chain) Back(ctx context.Context, depth uint64) (uint64, error) {
	head, err := c.head(ctx)
	if err != nil {
		return 0, err
	}
	final, err := c.at(ctx, big.NewInt(int64(rpc.FinalizedBlockNumber)))
	if err != nil {
		return 0, err
	}
	depth = min(depth, head.Number-min(head.Number, final.Number))
	to, err := c.at(ctx, new(big.Int).SetUint64(head.Number-depth))
	if err != nil {
		return 0, err
	}
	c.backend.Rollback()
	if err := c.backend.Fork(common.Hash(to.Hash)); err != nil {
		return 0, fmt.Errorf("go back to block %v: %w", to, err)
	}
	return depth, nil
}

// Drop empties the pool: transactions of blocks that Back removed do not return.
func (c *Chain) Drop() { c.backend.Rollback() }

func (c *Chain) head(ctx context.Context) (chain.BlockRef, error) { return c.at(ctx, nil) }

func (c *Chain) at(ctx context.Context, number *big.Int) (chain.BlockRef, error) {
	h, err := c.backend.Client().HeaderByNumber(ctx, number)
	if err != nil {
		return chain.BlockRef{}, fmt.Errorf("read block %v: %w", number, err)
	}
	return chain.BlockRef{Number: h.Number.Uint64(), Hash: chain.Hash(h.Hash())}, nil
}
