package loadnode

import (
	"encoding/binary"
	"math/rand/v2"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
)

// kind is an event that contracts emit.
type kind struct {
	weight    int    // of 100
	signature string // its Keccak-256 is topic 0
	accounts  int    // topics that are accounts
	ids       int    // topics that are small numbers
	amounts   int    // words of data
	ticks     int    // words of data that are small numbers, after the amounts
}

// The mix is what a token-heavy chain emits; about one log of twenty nobody can
// decode, as in real logs of OP Mainnet (94 % of which a table of 3,900 knows).
var kinds = []kind{
	{56, "Transfer(address,address,uint256)", 2, 0, 1, 0},
	{12, "Approval(address,address,uint256)", 2, 0, 1, 0},
	{4, "Sync(uint112,uint112)", 0, 0, 2, 0},
	{6, "Swap(address,uint256,uint256,uint256,uint256,address)", 2, 0, 4, 0},
	{10, "Swap(address,address,int256,int256,uint160,uint128,int24)", 2, 0, 4, 1},
	{4, "Transfer(address,address,uint256)", 2, 1, 0, 0}, // of a token that is one of a kind
	{3, "Deposit(address,uint256)", 1, 0, 1, 0},
	{5, "Unheard(address,uint256,uint256)", 1, 1, 1, 0},
}

// event is a log without its contract.
func (m *maker) event(r *rand.Rand) *types.Log {
	if m.o.Data > 0 {
		return m.message(r)
	}
	dice := r.IntN(100)
	for _, k := range kinds {
		if dice -= k.weight; dice < 0 {
			return m.common(r, k)
		}
	}
	return m.common(r, kinds[0])
}

func (m *maker) common(r *rand.Rand, k kind) *types.Log {
	l := &types.Log{Topics: []common.Hash{topic(k.signature)}, Data: []byte{}}
	for range k.accounts {
		l.Topics = append(l.Topics, common.BytesToHash(m.pick(r).Bytes()))
	}
	for range k.ids {
		l.Topics = append(l.Topics, small(r))
	}
	for range k.amounts {
		l.Data = append(l.Data, amount(r)...)
	}
	for range k.ticks {
		l.Data = append(l.Data, small(r).Bytes()...)
	}
	return l
}

// message is an event whose data has the size that the options ask for, as far as
// whole words, and the two before the text, allow.
func (m *maker) message(r *rand.Rand) *types.Log {
	text := make([]byte, max(0, m.o.Data-2*32)/32*32)
	for i := range text {
		text[i] = byte(' ' + r.UintN(90))
	}
	data := append(number(32).Bytes(), number(uint64(len(text))).Bytes()...)
	return &types.Log{
		Topics: []common.Hash{topic("AccountMetadataEmitted(uint256,bytes32,bytes)"), small(r), random(r)},
		Data:   append(data, text...),
	}
}

func (m *maker) pick(r *rand.Rand) common.Address { return m.accounts[r.IntN(len(m.accounts))] }

func topic(signature string) common.Hash { return crypto.Keccak256Hash([]byte(signature)) }

func number(n uint64) (h common.Hash) {
	binary.BigEndian.PutUint64(h[24:], n)
	return h
}

func small(r *rand.Rand) common.Hash { return number(r.Uint64N(100_000)) }

func random(r *rand.Rand) (h common.Hash) {
	for i := 0; i < len(h); i += 8 {
		binary.BigEndian.PutUint64(h[i:], r.Uint64())
	}
	return h
}

// amount is a word that holds a number of up to 88 bits, as tokens of 18 decimals
// have, mostly of round figures.
func amount(r *rand.Rand) []byte {
	h := number(r.Uint64() >> r.UintN(40))
	if r.IntN(4) == 0 {
		h[21], h[22], h[23] = byte(r.Uint32()), byte(r.Uint32()), byte(r.Uint32())
	}
	return h[:]
}
