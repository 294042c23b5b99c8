package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/ethclient"

	"superindex/chain"
	"superindex/internal/assets"
	"superindex/internal/devchain/opchain"
)

// The people of the OP chain: what carol does is of no interest, but where it
// touches alice or the listed contract.
var (
	alice = common.HexToAddress("0x00000000000000000000000000000000000a11ce") // listed
	carol = common.HexToAddress("0x00000000000000000000000000000000000ca201")
)

// logger is a contract that logs what it is called with: its first word as topic,
// the rest as data.
var logger = common.FromHex("0x600e8060095f395ff3365f5f375f35602036036020a100")

// Show 3 of the providers' issue: a real op-geth, through four forks of the OP Stack
// and a reorg. Every transaction that concerns somebody listed is in the warehouse,
// and no other, with each value as the node gives it.
func TestOPGeth(t *testing.T) {
	if _, err := assets.Find(assets.OpGeth); err != nil {
		t.Skip(err)
	}
	node, err := opchain.Start(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	s := &sequencer{T: t, node: node, client: dialChain(t, node.URL())}
	s.listed, s.other = s.deploy(), s.deploy()
	s.build(0)
	of := chain.Stream{Name: "soneium", ChainID: opchain.ChainID}
	watched := []chain.Address{chain.Address(s.listed), chain.Address(alice)}
	net := network(t, of, node.URL(), watched...)
	net.Receipts = true
	e := newEngine(t, net)
	stop := e.run(t)
	for _, fork := range []uint64{0, opchain.Holocene, opchain.Isthmus, opchain.Jovian} {
		s.act()
		s.build(fork)
		s.act()
		s.build(0)
	}
	s.must(node.Settle(t.Context(), node.Head()-3, 5))
	e.settle(t, s.client)
	node.Back(2)
	for range 3 {
		s.act()
		s.build(opchain.Jovian)
	}
	e.settle(t, s.client)
	if _, err := e.stores(t).Compare(t.Context(), s.client, of, watched); err != nil {
		t.Error(err)
	}
	want, got := s.transactions(), inWarehouse(t, e)
	stop()
	if len(got) != len(want) {
		t.Errorf("%d transactions of the node, %d in the warehouse", len(want), len(got))
	}
	for i := range min(len(want), len(got)) {
		if got[i] != want[i] {
			t.Fatalf("of the node %+v\nin the warehouse %+v", want[i], got[i])
		}
	}
	kinds := map[string]int{}
	for _, tx := range want {
		kinds["l1 fee "+fmt.Sprint(tx.L1Fee != "0")]++
		kinds["status "+fmt.Sprint(tx.Status)]++
		kinds["creation "+fmt.Sprint(tx.Created != "")]++
	}
	t.Logf("%d transactions of %d blocks, %d reorgs undone: %v", len(want), node.Head(), e.status.Snapshot()[0].Reorgs, kinds)
	if len(kinds) != 6 || e.status.Snapshot()[0].Reorgs != 1 {
		t.Error("too little happened")
	}
}

// sequencer is who makes the chain.
type sequencer struct {
	*testing.T
	node          *opchain.Chain
	client        *ethclient.Client
	listed, other common.Address // contracts
	acts          int
}

func (s *sequencer) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func (s *sequencer) deploy() common.Address {
	s.Helper()
	at, err := s.node.Send(s.Context(), nil, logger)
	s.must(err)
	return at
}

func (s *sequencer) build(time uint64) {
	s.Helper()
	s.must(s.node.Build(s.Context(), time))
}

// act puts one transaction of every sort into the next block.
func (s *sequencer) act() {
	s.Helper()
	s.acts++
	said := append(common.LeftPadBytes(big.NewInt(int64(s.acts)).Bytes(), 32), fmt.Sprint("act ", s.acts)...)
	for _, to := range []*common.Address{&s.listed, &s.other, nil} {
		data := said
		if to == nil {
			data = logger
		}
		_, err := s.node.Send(s.Context(), to, data)
		s.must(err)
	}
	for _, d := range []opchain.Deposit{
		{From: carol, To: &s.listed, Data: said, Gas: 100_000},
		{From: carol, To: &s.other, Data: said, Gas: 100_000},
		{From: carol, To: &alice, Mint: big.NewInt(7), Value: big.NewInt(7), Gas: 100_000},
		{From: alice, To: &s.other, Data: said, Gas: 100_000},
		{From: alice, To: &s.listed, Data: said, Gas: 21_500}, // fails: too little gas
	} {
		if d.Value == nil {
			d.Value = new(big.Int)
		}
		s.must(s.node.Deposit(&d))
	}
}

// opTx is a row of the view transactions, as text where numbers are large.
type opTx struct {
	Block, Time             uint64
	BlockHash, Hash         string
	Index                   uint32
	From, To, Created       string
	Status                  uint8
	GasUsed                 uint64
	GasPrice, L1Fee, Method string
}

// transactions reads, block by block and without our client, what concerns the
// listed.
func (s *sequencer) transactions() (all []opTx) {
	s.Helper()
	concerns := func(a *common.Address) bool { return a != nil && (*a == alice || *a == s.listed) }
	for number := uint64(1); number <= s.node.Head(); number++ {
		var block struct {
			Hash         common.Hash
			Timestamp    hexutil.Uint64
			Transactions []struct{ Input hexutil.Bytes }
		}
		var receipts []struct {
			TransactionHash     common.Hash
			TransactionIndex    hexutil.Uint
			From                common.Address
			To, ContractAddress *common.Address
			Status, GasUsed     hexutil.Uint64
			EffectiveGasPrice   *hexutil.Big
			L1Fee               *hexutil.Big
			Logs                []struct{ Address common.Address }
		}
		s.call(&block, "eth_getBlockByNumber", hexutil.Uint64(number), true)
		s.call(&receipts, "eth_getBlockReceipts", hexutil.Uint64(number))
		for i, r := range receipts {
			emitted := false
			for _, l := range r.Logs {
				emitted = emitted || l.Address == s.listed
			}
			if !emitted && !concerns(&r.From) && !concerns(r.To) && !concerns(r.ContractAddress) {
				continue
			}
			method := common.RightPadBytes(block.Transactions[i].Input, 4)[:4]
			all = append(all, opTx{
				Block: number, Time: uint64(block.Timestamp), BlockHash: block.Hash.Hex(), Hash: r.TransactionHash.Hex(),
				Index: uint32(r.TransactionIndex), From: lower(&r.From), To: lower(r.To), Created: lower(r.ContractAddress),
				Status: uint8(r.Status), GasUsed: uint64(r.GasUsed), GasPrice: decimal(r.EffectiveGasPrice), L1Fee: decimal(r.L1Fee),
				Method: hexutil.Encode(method),
			})
		}
	}
	return all
}

func (s *sequencer) call(into any, method string, args ...any) {
	s.Helper()
	var answer json.RawMessage
	s.must(s.client.Client().CallContext(s.Context(), &answer, method, args...))
	s.must(json.Unmarshal(answer, into))
}

func lower(a *common.Address) string {
	if a == nil {
		return ""
	}
	return hexutil.Encode(a[:])
}

func decimal(n *hexutil.Big) string {
	if n == nil {
		return "0"
	}
	return n.ToInt().String()
}

func inWarehouse(t *testing.T, e *engine) (all []opTx) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	rows, err := dialWarehouse(t, e.warehouse.ReaderDSN()).Query(ctx, `
		SELECT block_number, toUInt64(toUnixTimestamp(block_time)), block_hash, tx_hash, tx_index, from_address, to_address, contract_created,
			status, gas_used, toString(effective_gas_price), toString(l1_fee), method
		FROM superindex.transactions ORDER BY block_number, tx_index`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var tx opTx
		if err := rows.Scan(&tx.Block, &tx.Time, &tx.BlockHash, &tx.Hash, &tx.Index, &tx.From, &tx.To, &tx.Created,
			&tx.Status, &tx.GasUsed, &tx.GasPrice, &tx.L1Fee, &tx.Method); err != nil {
			t.Fatal(err)
		}
		all = append(all, tx)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}
