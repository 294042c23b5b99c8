package opchain

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rlp"
)

// depositType is the transaction type of deposits.
const depositType = 0x7e

// Deposit is a transaction that comes from L1: nobody signs it, and it may mint.
type Deposit struct {
	Source common.Hash // unique
	From   common.Address
	To     *common.Address `rlp:"nil"` // nil creates a contract
	Mint   *big.Int        `rlp:"nil"` // wei
	Value  *big.Int        // wei
	Gas    uint64
	System bool
	Data   []byte
}

func (d *Deposit) encode() (hexutil.Bytes, error) {
	body, err := rlp.EncodeToBytes(d)
	if err != nil {
		return nil, fmt.Errorf("encode a deposit: %w", err)
	}
	return append(hexutil.Bytes{depositType}, body...), nil
}

// Soneium's forks, seconds since 1970; those before Holocene are active at genesis.
const (
	Holocene = 1738573200
	Isthmus  = 1746806401
	Jovian   = 1764691201
)

// What a sequencer says of an L1 that is not there.
const (
	baseFeeScalar     = 2269
	blobBaseFeeScalar = 1055762
	l1BaseFee         = 7_000_000_000
	l1BlobBaseFee     = 1_000_000
	daFootprintScalar = 400
)

// The sender and the receiver of the L1-attributes deposit.
var (
	depositor = common.HexToAddress("0xDeaDDEaDDeAdDeAdDEAdDEaddeAddEAdDEAd0001")
	l1Block   = common.HexToAddress("0x4200000000000000000000000000000000000015")
	batcher   = common.HexToAddress("0x6887246668a3b87F54DeB3b94Ba47a6f63F32985")
)

// l1Attributes is the deposit that begins every block: what L1 was like, packed as
// the fork that is active at this time wants it.
func l1Attributes(number, time uint64) *Deposit {
	var b bytes.Buffer
	put := func(values ...any) {
		for _, v := range values {
			_ = binary.Write(&b, binary.BigEndian, v) // into memory
		}
	}
	b.Write(crypto.Keccak256([]byte(l1Setter(time)))[:4])
	put(uint32(baseFeeScalar), uint32(blobBaseFeeScalar), number /* sequence number */, time-12, number)
	b.Write(common.LeftPadBytes(big.NewInt(l1BaseFee).Bytes(), 32))
	b.Write(common.LeftPadBytes(big.NewInt(l1BlobBaseFee).Bytes(), 32))
	b.Write(crypto.Keccak256([]byte("l1 block"), binary.BigEndian.AppendUint64(nil, number)))
	b.Write(common.LeftPadBytes(batcher[:], 32))
	if time >= Isthmus {
		put(uint32(0), uint64(0)) // the operator fee
	}
	if time >= Jovian {
		put(uint16(daFootprintScalar))
	}
	return &Deposit{
		Source: crypto.Keccak256Hash([]byte("l1 attributes"), binary.BigEndian.AppendUint64(nil, number), binary.BigEndian.AppendUint64(nil, time)),
		From:   depositor, To: &l1Block, Value: new(big.Int), Gas: 1_000_000, Data: b.Bytes(),
	}
}

// l1Setter is the method that takes the attributes.
func l1Setter(time uint64) string {
	switch {
	case time >= Jovian:
		return "setL1BlockValuesJovian()"
	case time >= Isthmus:
		return "setL1BlockValuesIsthmus()"
	}
	return "setL1BlockValuesEcotone()"
}
