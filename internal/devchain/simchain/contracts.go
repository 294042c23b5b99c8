package simchain

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/params"

	"superindex/chain"
)

// The contracts, as their creations: the first nine bytes return the rest.
//
// The relay is: copy the calldata, log it but for its first word, which is the topic.
const relayCode = "600e8060095f395ff3" + "365f5f375f35602036036020a100"

// The burst is: n := calldata[0]; while n != 0 { n--; memory[0] = n;
// log2(memory[0:32], BurstTopic, n) }.
func burstCode() string {
	topic := BurstTopic()
	return "603a8060095f395ff3" + "5f355b801560385760019003805f52807f" + hex.EncodeToString(topic[:]) + "60205fa26002565b00"
}

// deploy creates the contracts in one block.
func (c *Chain) deploy(ctx context.Context) error {
	for _, d := range []struct {
		into *chain.Address
		code string
	}{{&c.Relay, relayCode}, {&c.Burst, burstCode()}} {
		code, err := hex.DecodeString(d.code)
		if err != nil {
			return fmt.Errorf("read the bytecode: %w", err)
		}
		creator := crypto.PubkeyToAddress(user(c.used).PublicKey)
		*d.into = chain.Address(crypto.CreateAddress(creator, 0))
		if err := c.send(ctx, nil, code); err != nil {
			return fmt.Errorf("deploy: %w", err)
		}
	}
	_, err := c.Commit(ctx)
	return err
}

// Emit has Burst emit n logs, up to about 5,000, in the next block.
func (c *Chain) Emit(ctx context.Context, n uint64) error {
	return c.Call(ctx, c.Burst, common.LeftPadBytes(new(big.Int).SetUint64(n).Bytes(), 32))
}

// Call sends a transaction into the next block.
func (c *Chain) Call(ctx context.Context, to chain.Address, data []byte) error {
	return c.send(ctx, (*common.Address)(&to), data)
}

// send signs a transaction by the next user.
func (c *Chain) send(ctx context.Context, to *common.Address, data []byte) error {
	if c.used == users {
		return errors.New("every user has sent its transaction")
	}
	key := user(c.used)
	c.used++
	tx, err := types.SignNewTx(key, types.LatestSignerForChainID(big.NewInt(ChainID)), &types.DynamicFeeTx{
		ChainID: big.NewInt(ChainID), To: to, Data: data, Gas: 10_000_000,
		GasFeeCap: big.NewInt(10 * params.GWei), GasTipCap: big.NewInt(params.GWei),
	})
	if err != nil {
		return fmt.Errorf("sign: %w", err)
	}
	if err := c.backend.Client().SendTransaction(ctx, tx); err != nil {
		return fmt.Errorf("send: %w", err)
	}
	return nil
}
