package loadnode

import (
	"crypto/ecdsa"
	"encoding/binary"
	"fmt"
	"math/big"
	"math/rand/v2"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/trie"
)

// body is what the blocks of one body have in common. It is read only.
type body struct {
	header   types.Header // without number, time, parent and fork
	receipts types.Receipts
	logs     []*types.Log // of all receipts, in order; nothing that a block says is in them
	watched  []bool       // of each log: its contract is watched

	shownLogs     template // eth_getLogs, without the brackets
	shownReceipts template // eth_getBlockReceipts, without the brackets
	shownHashes   template // eth_getBlockByNumber(n, false)
	shownFull     template // eth_getBlockByNumber(n, true)
	shownHead     template // of a subscription to newHeads
}

// maker makes bodies; each from a source of chance of its own.
type maker struct {
	o        Options
	key      *ecdsa.PrivateKey
	from     common.Address
	signer   types.Signer
	watched  []common.Address
	is       map[common.Address]bool // watched
	strange  []common.Address        // as many contracts that nobody watches
	accounts []common.Address
}

func newMaker(o Options) (*maker, error) {
	key, err := crypto.ToECDSA(crypto.Keccak256(seeded("key", o.Seed)))
	if err != nil {
		return nil, fmt.Errorf("make the sender's key: %w", err)
	}
	m := &maker{o: o, key: key, from: crypto.PubkeyToAddress(key.PublicKey), signer: types.NewEIP155Signer(new(big.Int).SetUint64(o.ChainID))}
	m.watched = addresses("watched", o.Seed, o.Addresses)
	m.is = make(map[common.Address]bool, len(m.watched))
	for _, a := range m.watched {
		m.is[a] = true
	}
	m.strange = addresses("strange", o.Seed, o.Addresses)
	m.accounts = addresses("account", o.Seed, 5000)
	return m, nil
}

func seeded(what string, numbers ...uint64) []byte {
	b := []byte(what)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func addresses(what string, seed uint64, n int) []common.Address {
	all := make([]common.Address, n)
	for i := range all {
		all[i] = common.BytesToAddress(crypto.Keccak256(seeded(what, seed, uint64(i)))[12:])
	}
	return all
}

// empty is the body of block 0.
func (m *maker) empty() (*body, error) {
	return m.assemble(nil, nil, rand.New(rand.NewPCG(m.o.Seed, 0)))
}

// body makes the i-th body.
func (m *maker) body(i int) (*body, error) {
	r := rand.New(rand.NewPCG(m.o.Seed, uint64(i)+1))
	emitters := []*rand.Zipf{
		rand.NewZipf(r, m.o.Zipf, 1, uint64(len(m.watched)-1)), rand.NewZipf(r, m.o.Zipf, 1, uint64(len(m.strange)-1)),
	}
	var txs []*types.Transaction
	var receipts types.Receipts
	for n := range m.o.Transactions {
		logs := (n+1)*m.o.Logs/m.o.Transactions - n*m.o.Logs/m.o.Transactions
		receipt := &types.Receipt{Status: types.ReceiptStatusSuccessful, GasUsed: 21_000 + uint64(logs)*30_000}
		for range logs {
			receipt.Logs = append(receipt.Logs, m.log(r, emitters))
		}
		tx, err := m.transaction(r, uint64(i*m.o.Transactions+n), receipt)
		if err != nil {
			return nil, err
		}
		txs, receipts = append(txs, tx), append(receipts, receipt)
	}
	return m.assemble(txs, receipts, r)
}

// log is one of an address that is watched or not, as Share says.
func (m *maker) log(r *rand.Rand, emitters []*rand.Zipf) *types.Log {
	l := m.event(r)
	if r.Float64() < m.o.Share {
		l.Address = m.watched[emitters[0].Uint64()]
	} else {
		l.Address = m.strange[emitters[1].Uint64()]
	}
	return l
}

// transaction is a signed call of the contract of the first log.
func (m *maker) transaction(r *rand.Rand, nonce uint64, receipt *types.Receipt) (*types.Transaction, error) {
	to := m.pick(r)
	if len(receipt.Logs) > 0 {
		to = receipt.Logs[0].Address
	}
	input := append([]byte{0xa9, 0x05, 0x9c, 0xbb}, common.LeftPadBytes(m.pick(r).Bytes(), 32)...)
	tx, err := types.SignNewTx(m.key, m.signer, &types.LegacyTx{
		Nonce: nonce, GasPrice: big.NewInt(1_000_000), Gas: 2 * receipt.GasUsed, To: &to, Value: new(big.Int),
		Data: append(input, amount(r)...),
	})
	if err != nil {
		return nil, fmt.Errorf("sign a transaction: %w", err)
	}
	return tx, nil
}

// assemble computes roots and blooms and renders the body.
func (m *maker) assemble(txs []*types.Transaction, receipts types.Receipts, r *rand.Rand) (*body, error) {
	b := &body{receipts: receipts, header: types.Header{
		UncleHash: types.EmptyUncleHash, Coinbase: common.HexToAddress("0x4200000000000000000000000000000000000011"),
		Root: random(r), MixDigest: random(r),
		Difficulty: new(big.Int), Number: new(big.Int), GasLimit: 60_000_000, BaseFee: big.NewInt(1_000_000),
	}}
	for i, receipt := range receipts {
		b.header.GasUsed += receipt.GasUsed
		receipt.CumulativeGasUsed = b.header.GasUsed
		receipt.Bloom = types.CreateBloom(receipt)
		receipt.TxHash, receipt.TransactionIndex = txs[i].Hash(), uint(i)
		for _, l := range receipt.Logs {
			l.TxHash, l.TxIndex, l.Index = receipt.TxHash, uint(i), uint(len(b.logs))
			b.logs, b.watched = append(b.logs, l), append(b.watched, m.is[l.Address])
		}
	}
	b.header.Bloom = types.MergeBloom(receipts)
	b.header.TxHash = types.DeriveSha(types.Transactions(txs), trie.NewStackTrie(nil))
	b.header.ReceiptHash = types.DeriveSha(receipts, trie.NewStackTrie(nil))
	err := b.render(txs, m.from)
	return b, err
}
