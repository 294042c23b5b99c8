package ethrpc

import (
	"bytes"
	"errors"
	"math/big"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"

	"superindex/chain"
	"superindex/indexer"
	"superindex/internal/assets"
	"superindex/internal/devchain"
	"superindex/internal/devchain/simchain"
)

// dial makes a client of a real node, and go-ethereum's own beside it.
func dial(t *testing.T, url string, id uint64) (*Client, *ethclient.Client) {
	t.Helper()
	c, err := New(Options{Network: "dev", Name: "real", URL: url, ChainID: id})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if err := c.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	other, err := ethclient.DialContext(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(other.Close)
	return c, other
}

func TestAnvil(t *testing.T) {
	if _, err := assets.Find(assets.Anvil); err != nil {
		t.Skip(err)
	}
	node, err := devchain.Start(t.Context(), devchain.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	ctx, r := t.Context(), rand.New(rand.NewPCG(1, 2))
	advance := func() error {
		return errors.Join(node.Act(ctx, r, 30), node.Mine(ctx, 1))
	}
	for range 8 {
		if err := advance(); err != nil {
			t.Fatal(err)
		}
	}
	c, other := dial(t, node.URL(), node.ChainID())
	watch := watched{}
	for _, contract := range node.Contracts() {
		watch[contract.Address] = contract.Listed
	}
	heads, err := c.Heads(ctx)
	if n := heads.Latest.Number; err != nil || heads.Safe.Number != n-4 || heads.Final.Number != n-8 {
		t.Fatalf("heads %v, %v", heads, err)
	}
	sameAsGoEthereum(t, c, other, watch, heads.Latest.Number)
	sameByReceipts(t, c, other, watch, heads.Latest.Number)
	if _, err := node.Reorg(ctx, r, 5); err != nil {
		t.Fatal(err)
	}
	sameAsGoEthereum(t, c, other, watch, heads.Latest.Number)
	absentAbove(t, c, heads.Latest.Number)
	if _, err := node.Rollback(ctx, 3); err != nil {
		t.Fatal(err)
	}
	absentAbove(t, c, heads.Latest.Number-3)
}

func TestGoEthereum(t *testing.T) {
	node, err := simchain.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	ctx := t.Context()
	c, other := dial(t, node.URL(), simchain.ChainID)
	for i := range uint64(120) { // more than one request's headers
		if i%4 == 0 {
			if err := node.Emit(ctx, 1+i%7); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := node.Commit(ctx); err != nil {
			t.Fatal(err)
		}
	}
	heads, err := c.Heads(ctx)
	if err != nil || heads.Latest.Number != 121 || heads.Safe != heads.Latest || heads.Final.Number != 96 {
		t.Fatalf("heads %v, %v", heads, err)
	}
	sameAsGoEthereum(t, c, other, watched{node.Burst: true}, 121)
	sameByReceipts(t, c, other, watched{node.Burst: true}, 121)
	absentAbove(t, c, 121)
	if _, err := node.Back(ctx, 20); err != nil {
		t.Fatal(err)
	}
	absentAbove(t, c, 101)
	if _, err := node.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	sameAsGoEthereum(t, c, other, watched{node.Burst: true}, 102)
}

// sameAsGoEthereum fetches blocks 1 to head, dense and not, and compares them with
// what go-ethereum's client reads.
func sameAsGoEthereum(t *testing.T, c *Client, other *ethclient.Client, watch watched, head uint64) {
	t.Helper()
	all, err := other.FilterLogs(t.Context(), ethereum.FilterQuery{FromBlock: big.NewInt(1), ToBlock: new(big.Int).SetUint64(head)})
	if err != nil {
		t.Fatal(err)
	}
	for _, dense := range []bool{true, false} {
		got, err := c.Fetch(t.Context(), indexer.Range{From: 1, To: head}, indexer.Want{Dense: dense, Watched: watch})
		if err != nil {
			t.Fatal(err)
		}
		if dense && len(got.Blocks) != int(head) || got.All != len(all) || len(got.Events) == 0 {
			t.Errorf("%d blocks, %d logs of %d", len(got.Blocks), len(got.Events), got.All)
		}
		rest := got.Events
		for _, want := range all {
			if !watch[chain.Address(want.Address)] {
				continue
			}
			if len(rest) == 0 || !same(rest[0], want) {
				t.Fatalf("dense %v: want %+v, got first of %d: %+v", dense, want, len(rest), rest)
			}
			rest = rest[1:]
		}
		if len(rest) > 0 {
			t.Errorf("dense %v: %d logs too many", dense, len(rest))
		}
		checkRealBlocks(t, other, got.Blocks)
	}
}

// sameByReceipts fetches blocks 1 to head by their receipts: the logs and blocks are
// those that eth_getLogs gives, and the transactions the node's own.
func sameByReceipts(t *testing.T, c *Client, other *ethclient.Client, watch watched, head uint64) {
	t.Helper()
	for _, dense := range []bool{true, false} {
		want, err := c.Fetch(t.Context(), indexer.Range{From: 1, To: head}, indexer.Want{Dense: dense, Watched: watch})
		if err != nil {
			t.Fatal(err)
		}
		got, err := c.Fetch(t.Context(), indexer.Range{From: 1, To: head}, indexer.Want{Dense: dense, Watched: watch, Receipts: true})
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got.Events, want.Events) || got.All != want.All || dense && !reflect.DeepEqual(got.Blocks, want.Blocks) {
			t.Errorf("dense %v: by receipts %d logs of %d, want %d of %d, or other blocks", dense, len(got.Events), got.All, len(want.Events), want.All)
		}
		if len(got.Transactions) == 0 {
			t.Errorf("dense %v: no transaction", dense)
		}
	}
	from := max(1, head-min(head, 30)) // all would take long
	all, err := c.Fetch(t.Context(), indexer.Range{From: from, To: head}, indexer.Want{Watched: everything{}, Receipts: true})
	if err != nil {
		t.Fatal(err)
	}
	rest := all.Transactions
	for n := from; n <= head; n++ {
		var r recorded
		err := errors.Join(other.Client().CallContext(t.Context(), &r.Block, "eth_getBlockByNumber", hexNumber(n), true),
			other.Client().CallContext(t.Context(), &r.Receipts, "eth_getBlockReceipts", hexNumber(n)))
		if err != nil {
			t.Fatal(err)
		}
		txs, _ := r.read(t)
		for _, want := range txs {
			if len(rest) == 0 || shown(rest[0]) != want {
				t.Fatalf("block %d: want %sof %d: %+v", n, want, len(rest), rest[:min(1, len(rest))])
			}
			rest = rest[1:]
		}
	}
	if len(rest) > 0 {
		t.Errorf("%d transactions too many", len(rest))
	}
}

func same(got chain.Event, want types.Log) bool {
	equal := got.Block == chain.BlockRef{Number: want.BlockNumber, Hash: chain.Hash(want.BlockHash)} &&
		got.Time == want.BlockTimestamp && got.TxHash == chain.Hash(want.TxHash) &&
		uint(got.TxIndex) == want.TxIndex && uint(got.Index) == want.Index &&
		got.Address == chain.Address(want.Address) && bytes.Equal(got.Data, want.Data) && len(got.Topics) == len(want.Topics)
	for i := range got.Topics {
		equal = equal && got.Topics[i] == chain.Hash(want.Topics[i])
	}
	return equal
}

func checkRealBlocks(t *testing.T, other *ethclient.Client, blocks []chain.Block) {
	t.Helper()
	for _, b := range blocks {
		h, err := other.HeaderByNumber(t.Context(), new(big.Int).SetUint64(b.Number))
		if err != nil {
			t.Fatal(err)
		}
		if b.Hash != chain.Hash(h.Hash()) || b.Time != h.Time || b.Parent != (chain.Hash{}) && b.Parent != chain.Hash(h.ParentHash) {
			t.Errorf("got %v, want %v at %d", b, h.Hash(), h.Time)
		}
		if n, ok := b.Txs.Get(); ok {
			if want, err := other.TransactionCount(t.Context(), h.Hash()); err != nil || uint(n) != want {
				t.Errorf("block %d has %d transactions, want %d, %v", b.Number, n, want, err)
			}
		}
	}
}

// absentAbove asks for what the node does not have.
func absentAbove(t *testing.T, c *Client, head uint64) {
	t.Helper()
	for _, r := range []indexer.Range{{From: head - 1, To: head + 1}, {From: head + 5, To: head + 9}} {
		for _, dense := range []bool{true, false} {
			_, err := c.Fetch(t.Context(), r, indexer.Want{Dense: dense, Watched: everything{}})
			if !errors.Is(err, indexer.ErrAbsent) {
				t.Errorf("blocks %v, dense %v, head %d: %v", r, dense, head, err)
			}
		}
	}
	blocks, err := c.Headers(t.Context(), []uint64{head, head + 1})
	if err != nil || len(blocks) != 1 || blocks[0].Number != head {
		t.Errorf("headers at the head %d: %v, %v", head, blocks, err)
	}
}
