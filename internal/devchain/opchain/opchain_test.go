package opchain

import (
	"math/big"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/rpc"

	"superindex/internal/assets"
)

func TestChain(t *testing.T) {
	if _, err := assets.Find(assets.OpGeth); err != nil {
		t.Skip(err)
	}
	c, err := Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	for i, time := range []uint64{0, Holocene, Isthmus, Jovian} {
		if _, err := c.Send(t.Context(), nil, common.FromHex("0x600e8060095f395ff3365f5f375f35602036036020a100")); err != nil {
			t.Fatal(err)
		}
		if err := c.Build(t.Context(), time); err != nil {
			t.Fatal(i, err)
		}
		receipts, err := c.client.BlockReceipts(t.Context(), rpc.BlockNumberOrHashWithNumber(rpc.BlockNumber(c.Head())))
		if err != nil {
			t.Fatal(err)
		}
		if len(receipts) != 2 || receipts[0].Type != depositType || receipts[1].Status != 1 {
			t.Errorf("fork %d: %d receipts, the last %+v", i, len(receipts), receipts[len(receipts)-1])
		}
		if err := c.Settle(t.Context(), c.Head()-1, 1); err != nil {
			t.Fatal(err)
		}
	}
	old := c.choice.Head
	c.Back(2)
	for range 3 {
		if err := c.Build(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
	}
	head, err := c.client.HeaderByNumber(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	before, err := c.client.HeaderByNumber(t.Context(), big.NewInt(5))
	if err != nil {
		t.Fatal(err)
	}
	if head.Number.Uint64() != 6 || head.Hash() != c.choice.Head || before.Hash() == old {
		t.Errorf("head %v %v, block 5 %v, before the fork %v", head.Number, head.Hash(), before.Hash(), old)
	}
}
