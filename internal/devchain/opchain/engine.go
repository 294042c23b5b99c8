package opchain

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
)

// forkChoice is what the Engine API calls forkchoiceState.
type forkChoice struct {
	Head  common.Hash `json:"headBlockHash"`
	Safe  common.Hash `json:"safeBlockHash"`
	Final common.Hash `json:"finalizedBlockHash"`
}

// attributes is what the Engine API calls PayloadAttributesV3, as the OP Stack
// extends it.
type attributes struct {
	Time         hexutil.Uint64  `json:"timestamp"`
	Random       common.Hash     `json:"prevRandao"`
	FeeRecipient common.Address  `json:"suggestedFeeRecipient"`
	Withdrawals  []struct{}      `json:"withdrawals"`
	BeaconRoot   common.Hash     `json:"parentBeaconBlockRoot"`
	Transactions []hexutil.Bytes `json:"transactions"` // of the block, all of them
	NoTxPool     bool            `json:"noTxPool"`     // a pool fills blocks when it gets to it
	GasLimit     hexutil.Uint64  `json:"gasLimit"`
	EIP1559      hexutil.Bytes   `json:"eip1559Params,omitempty"` // from Holocene on
	MinBaseFee   *uint64         `json:"minBaseFee,omitempty"`    // from Jovian on; a plain number
}

// feeVault takes a block's fees.
var feeVault = common.HexToAddress("0x4200000000000000000000000000000000000011")

const gasLimit = 60_000_000

func attributesAt(time uint64, txs []hexutil.Bytes) *attributes {
	stamp := binary.BigEndian.AppendUint64(nil, time)
	a := &attributes{
		Time: hexutil.Uint64(time), Random: crypto.Keccak256Hash([]byte("random"), stamp), FeeRecipient: feeVault,
		Withdrawals: []struct{}{}, BeaconRoot: crypto.Keccak256Hash([]byte("beacon"), stamp),
		Transactions: txs, NoTxPool: true, GasLimit: gasLimit,
	}
	if time >= Holocene {
		a.EIP1559 = hexutil.MustDecode("0x000000fa00000006") // Canyon's denominator and elasticity
	}
	if time >= Jovian {
		a.MinBaseFee = new(uint64)
	}
	return a
}

// choose makes a block the head; with attributes it begins to build the next one.
func (c *Chain) choose(ctx context.Context, f forkChoice, a *attributes) (payload string, err error) {
	var answer struct {
		PayloadStatus struct {
			Status          string
			ValidationError *string
		}
		PayloadID *string `json:"payloadId"`
	}
	if err := c.engine.CallContext(ctx, &answer, "engine_forkchoiceUpdatedV3", f, a); err != nil {
		return "", fmt.Errorf("choose the head %v: %w", f.Head, err)
	}
	switch {
	case answer.PayloadStatus.Status != "VALID":
		return "", fmt.Errorf("choose the head %v: %+v", f.Head, answer.PayloadStatus)
	case a == nil:
		return "", nil
	case answer.PayloadID == nil:
		return "", errors.New("build a block: no payload was begun")
	}
	return *answer.PayloadID, nil
}

// seal takes a payload and has the node execute it.
func (c *Chain) seal(ctx context.Context, payload string, a *attributes) (common.Hash, error) {
	version, extra := "V3", []any{}
	if a.Time >= Isthmus {
		version, extra = "V4", []any{[]any{}}
	}
	var built struct{ ExecutionPayload json.RawMessage }
	if err := c.engine.CallContext(ctx, &built, "engine_getPayload"+version, payload); err != nil {
		return common.Hash{}, fmt.Errorf("take the payload: %w", err)
	}
	var block struct{ BlockHash common.Hash }
	if err := json.Unmarshal(built.ExecutionPayload, &block); err != nil {
		return common.Hash{}, fmt.Errorf("read the payload: %w", err)
	}
	var answer struct{ Status string }
	args := append([]any{built.ExecutionPayload, []any{}, a.BeaconRoot}, extra...)
	if err := c.engine.CallContext(ctx, &answer, "engine_newPayload"+version, args...); err != nil {
		return common.Hash{}, fmt.Errorf("execute the payload: %w", err)
	}
	if answer.Status != "VALID" {
		return common.Hash{}, fmt.Errorf("execute the payload: %s", answer.Status)
	}
	return block.BlockHash, nil
}
