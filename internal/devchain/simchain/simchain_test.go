package simchain

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"superindex/chain"
)

func start(t *testing.T) (*Chain, *ethclient.Client) {
	t.Helper()
	c, err := Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	client, err := ethclient.DialContext(t.Context(), c.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return c, client
}

func (c *Chain) commit(t *testing.T, blocks int) (head chain.BlockRef) {
	t.Helper()
	for range blocks {
		var err error
		if head, err = c.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return head
}

func number(t *testing.T, client *ethclient.Client, tag rpc.BlockNumber) (uint64, common.Hash) {
	t.Helper()
	h, err := client.HeaderByNumber(t.Context(), big.NewInt(int64(tag)))
	if err != nil {
		t.Fatal(err)
	}
	return h.Number.Uint64(), h.Hash()
}

func logs(t *testing.T, client *ethclient.Client) []types.Log {
	t.Helper()
	logs, err := client.FilterLogs(t.Context(), ethereum.FilterQuery{FromBlock: big.NewInt(0)})
	if err != nil {
		t.Fatal(err)
	}
	return logs
}

func TestLogs(t *testing.T) {
	c, client := start(t)
	if err := c.Emit(t.Context(), 3); err != nil {
		t.Fatal(err)
	}
	word := append(make([]byte, 31), 7)
	if err := c.Call(t.Context(), c.Relay, append(word, "hello"...)); err != nil {
		t.Fatal(err)
	}
	c.commit(t, 1)
	got := logs(t, client)
	if len(got) != 4 {
		t.Fatalf("%d logs, want 4", len(got))
	}
	bursts := 0
	for _, l := range got {
		switch chain.Address(l.Address) {
		case c.Burst:
			if len(l.Topics) != 2 || chain.Hash(l.Topics[0]) != BurstTopic() || l.Topics[1] != common.BytesToHash(l.Data) {
				t.Errorf("burst: %v", l)
			}
			bursts++
		case c.Relay:
			if len(l.Topics) != 1 || l.Topics[0] != common.BytesToHash(word) || string(l.Data) != "hello" {
				t.Errorf("relay: %v", l)
			}
		}
	}
	if bursts != 3 {
		t.Errorf("%d bursts", bursts)
	}
}

// What the package's comment says of the tags.
func TestTags(t *testing.T) {
	c, client := start(t)
	head := c.commit(t, 39) // 40
	if n, hash := number(t, client, rpc.SafeBlockNumber); n != 40 || hash != common.Hash(head.Hash) {
		t.Errorf("safe is %d", n)
	}
	if n, _ := number(t, client, rpc.FinalizedBlockNumber); n != 32 {
		t.Errorf("finalized is %d", n)
	}
	if depth, err := c.Back(t.Context(), 100); err != nil || depth != 8 {
		t.Fatalf("went back %d, %v", depth, err)
	}
	if n, _ := number(t, client, rpc.LatestBlockNumber); n != 32 {
		t.Errorf("the head is %d", n)
	}
	if n, hash := number(t, client, rpc.SafeBlockNumber); n != 40 || hash != common.Hash(head.Hash) {
		t.Errorf("safe became %d", n)
	}
	c.commit(t, 1)
	if n, _ := number(t, client, rpc.SafeBlockNumber); n != 33 {
		t.Errorf("safe is %d", n)
	}
	if head := c.commit(t, 31); head.Number != 64 {
		t.Fatalf("the head is %d", head.Number)
	}
	if n, _ := number(t, client, rpc.FinalizedBlockNumber); n != 64 {
		t.Errorf("finalized is %d", n)
	}
	if depth, err := c.Back(t.Context(), 1); err != nil || depth != 0 {
		t.Errorf("went back %d below finalized, %v", depth, err)
	}
}

// Dropped transactions come back in another block, or do not.
func TestBack(t *testing.T) {
	for _, drop := range []bool{false, true} {
		c, client := start(t)
		c.commit(t, 4)
		if err := c.Emit(t.Context(), 5); err != nil {
			t.Fatal(err)
		}
		old := c.commit(t, 3)
		if depth, err := c.Back(t.Context(), 3); err != nil || depth != 3 {
			t.Fatalf("went back %d, %v", depth, err)
		}
		if n := len(logs(t, client)); n != 0 {
			t.Errorf("%d logs after going back", n)
		}
		if drop {
			c.Drop()
		}
		want := map[bool]int{false: 5, true: 0}[drop]
		if now := c.commit(t, 3); now.Number != old.Number || now.Hash == old.Hash {
			t.Errorf("the head is %v, was %v", now, old)
		}
		if n := len(logs(t, client)); n != want {
			t.Errorf("drop %v: %d logs, want %d", drop, n, want)
		}
	}
}
