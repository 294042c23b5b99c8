package opchain

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/node"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"

	"superindex/internal/assets"
	child "superindex/internal/devchain/node"
)

// ChainID is Soneium's.
const ChainID = 1868

// blockTime is the seconds between two blocks.
const blockTime = 2

// Chain is a running chain.
type Chain struct {
	child  *child.Child
	engine *rpc.Client
	client *ethclient.Client
	key    *ecdsa.PrivateKey // of User

	choice   forkChoice
	blocks   []common.Hash   // by number, the head last
	times    []uint64        // theirs
	deposits []hexutil.Bytes // of the next block
	sent     []hexutil.Bytes // of the next block, behind the deposits
	built    uint64          // blocks, on any fork: what makes their contents differ
}

// Start runs op-geth in a folder of its own, and mints 1,000 ETH for User in block 1.
func Start(ctx context.Context, dir string) (*Chain, error) {
	binary, err := assets.Find(assets.OpGeth)
	if err != nil {
		return nil, err
	}
	var secret [32]byte
	if _, err := rand.Read(secret[:]); err != nil {
		return nil, err
	}
	files := map[string]string{
		"jwt.hex": hex.EncodeToString(secret[:]),
		// Without it the node would listen on every interface.
		"config.toml": "[Node.P2P]\nListenAddr = \"127.0.0.1:0\"\nMaxPeers = 0\nNoDiscovery = true\n",
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			return nil, fmt.Errorf("prepare op-geth: %w", err)
		}
	}
	c := &Chain{}
	if c.child, err = child.Spawn(ctx, child.Options{Binary: binary, Ports: 2, Args: args(dir)}); err != nil {
		return nil, err
	}
	if err := c.begin(ctx, secret); err != nil {
		c.Close()
		return nil, fmt.Errorf("begin the chain: %w", err)
	}
	return c, nil
}

// args are op-geth's. A small cache keeps Pebble from reserving a gigabyte.
func args(dir string) func(ports []string) []string {
	return func(ports []string) []string {
		return []string{
			"--config", filepath.Join(dir, "config.toml"), "--datadir", filepath.Join(dir, "node"), "--op-network", "soneium-mainnet",
			"--cache", "32", "--syncmode", "full", "--gcmode", "archive", "--ipcdisable", "--nat", "none", "--verbosity", "1",
			"--http", "--http.addr", "127.0.0.1", "--http.port", ports[0], "--http.api", "eth,net,web3,debug,txpool",
			"--authrpc.addr", "127.0.0.1", "--authrpc.port", ports[1], "--authrpc.jwtsecret", filepath.Join(dir, "jwt.hex"),
		}
	}
}

// begin connects as a sequencer and builds block 1.
func (c *Chain) begin(ctx context.Context, secret [32]byte) (err error) {
	c.engine, err = rpc.DialOptions(ctx, "http://127.0.0.1:"+c.child.Ports[1], rpc.WithHTTPAuth(node.NewJWTAuth(secret)))
	if err != nil {
		return err
	}
	c.client = ethclient.NewClient(c.child.RPC)
	genesis, err := c.client.HeaderByNumber(ctx, new(big.Int))
	if err != nil {
		return err
	}
	if c.key, err = crypto.ToECDSA(crypto.Keccak256([]byte("opchain's user"))); err != nil {
		return err
	}
	c.blocks, c.times = []common.Hash{genesis.Hash()}, []uint64{genesis.Time}
	user := c.User()
	ether := big.NewInt(params.Ether)
	if err := c.Deposit(&Deposit{From: user, To: &user, Mint: ether.Mul(ether, big.NewInt(1000)), Value: new(big.Int), Gas: 100_000}); err != nil {
		return err
	}
	return c.Build(ctx, 0)
}

// Close stops the node and waits until its process is gone.
func (c *Chain) Close() {
	if c.engine != nil {
		c.engine.Close()
	}
	c.child.Stop()
}

// URL is where JSON-RPC over HTTP is served.
func (c *Chain) URL() string { return c.child.URL }

// Head is the number of the newest block.
func (c *Chain) Head() uint64 { return uint64(len(c.blocks) - 1) }

// User is who signs what Send sends.
func (c *Chain) User() common.Address { return crypto.PubkeyToAddress(c.key.PublicKey) }

// Deposit puts a deposit into the next block. Its Source is set here.
func (c *Chain) Deposit(d *Deposit) error {
	d.Source = crypto.Keccak256Hash([]byte("deposit"), big.NewInt(int64(c.built)).Bytes(), big.NewInt(int64(len(c.deposits))).Bytes())
	text, err := d.encode()
	c.deposits = append(c.deposits, text)
	return err
}

// Send puts a transaction of User into the next block. Without a receiver it
// creates a contract, whose address it returns.
func (c *Chain) Send(ctx context.Context, to *common.Address, data []byte) (created common.Address, err error) {
	nonce, err := c.client.NonceAtHash(ctx, c.User(), c.blocks[len(c.blocks)-1])
	if err != nil {
		return created, fmt.Errorf("read the nonce: %w", err)
	}
	nonce += uint64(len(c.sent))
	tx, err := types.SignNewTx(c.key, types.LatestSignerForChainID(big.NewInt(ChainID)), &types.DynamicFeeTx{
		ChainID: big.NewInt(ChainID), Nonce: nonce, To: to, Data: data, Gas: 1_000_000,
		GasFeeCap: big.NewInt(100 * params.GWei), GasTipCap: big.NewInt(params.GWei / 1000),
	})
	if err != nil {
		return created, fmt.Errorf("sign: %w", err)
	}
	text, err := tx.MarshalBinary()
	c.sent = append(c.sent, text)
	return crypto.CreateAddress(c.User(), nonce), err
}

// Build builds the next block, of what was deposited and sent. It is
// blockTime after its parent, or at time where that is later.
func (c *Chain) Build(ctx context.Context, time uint64) error {
	time = max(time, c.times[len(c.times)-1]+blockTime)
	c.built++
	first, err := l1Attributes(c.built, time).encode()
	if err != nil {
		return err
	}
	a := attributesAt(time, slices.Concat([]hexutil.Bytes{first}, c.deposits, c.sent))
	c.choice.Head = c.blocks[len(c.blocks)-1]
	payload, err := c.choose(ctx, c.choice, a)
	if err != nil {
		return err
	}
	block, err := c.seal(ctx, payload, a)
	if err != nil {
		return err
	}
	c.choice.Head = block
	if _, err := c.choose(ctx, c.choice, nil); err != nil {
		return err
	}
	c.blocks, c.times = append(c.blocks, block), append(c.times, time)
	c.deposits, c.sent = nil, nil
	return nil
}

// Settle moves the safe and the finalized head to these numbers.
func (c *Chain) Settle(ctx context.Context, safe, final uint64) error {
	c.choice.Safe, c.choice.Final = c.blocks[safe], c.blocks[final]
	_, err := c.choose(ctx, c.choice, nil)
	return err
}

// Back lets the next block be built on an older one: the newest depth blocks are
// replaced with it. A safe head among them goes back too.
func (c *Chain) Back(depth int) {
	keep := len(c.blocks) - depth
	if slices.Contains(c.blocks[keep:], c.choice.Safe) {
		c.choice.Safe = c.blocks[keep-1]
	}
	c.blocks, c.times = c.blocks[:keep], c.times[:keep]
}
