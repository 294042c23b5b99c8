package clickhouse

import (
	"testing"

	"superindex/chain"
)

// withTransactions gives the last block of a step n transactions.
func withTransactions(step chain.Step, n int) chain.Step {
	block := step.Apply.Blocks[len(step.Apply.Blocks)-1]
	for i := range n {
		step.Apply.Transactions = append(step.Apply.Transactions, chain.Tx{
			Block: block.BlockRef, Time: block.Time, Hash: chain.Hash{0xaa, byte(i)}, Index: uint32(i),
			From: chain.Address{0xf0, byte(i)}, To: &chain.Address{0x70}, Status: 1, GasUsed: 21_000, Method: [4]byte{0xa9, 0x05, 0x9c, 0xbb},
		})
	}
	return step
}

func TestATransactionsRow(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	step := withTransactions(h.apply(7, 7, 'a', 1), 2)
	create := &step.Apply.Transactions[1]
	create.To, create.Created, create.Status, create.Method = nil, &chain.Address{0xcc}, 0, [4]byte{}
	create.EffectiveGasPrice[31], create.L1Fee = 7, [32]byte{0: 0xff, 15: 1, 23: 2, 31: 3}
	h.safe = h.ref(7, 'a')
	w.write(w.sink(), step, h.apply(8, 7, 'a', 0))

	block := h.ref(7, 'a').Hash.String()
	w.want("SELECT toString((network, chain_id, block_number, block_hash, block_time, tx_hash, tx_index)) FROM transactions WHERE tx_index = 0",
		"('op',"+w.read("SELECT toString(chain_id) FROM events")[0]+",7,'"+block+"','2023-11-14 22:13:34','0xaa00000000000000000000000000000000000000000000000000000000000000',0)")
	w.want("SELECT toString((from_address, to_address, contract_created, status, gas_used, effective_gas_price, l1_fee, method, finality, seq)) FROM transactions ORDER BY tx_index",
		"('0xf000000000000000000000000000000000000000','0x7000000000000000000000000000000000000000','',1,21000,0,0,'0xa9059cbb','safe',1099511627777)",
		"('0xf001000000000000000000000000000000000000','','0xcc00000000000000000000000000000000000000',0,21000,7,"+
			"115339776388732929035197660848497720713558431154961344049678720915961406291971,'0x00000000','safe',1099511627777)")
}

func TestARevertRemovesTransactions(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	steps := []chain.Step{
		withTransactions(h.apply(1, 2, 'a', 1), 2), withTransactions(h.apply(3, 3, 'a', 0), 1), h.revert(2, 'a', chain.Reorg),
		withTransactions(h.apply(3, 3, 'b', 1), 3), h.revert(2, 'a', chain.Reorg), withTransactions(h.apply(3, 3, 'a', 0), 1), // A -> B -> A
	}
	const rows = "SELECT toString((block_number, tx_index, block_hash)) FROM transactions ORDER BY ALL"
	two, three := h.ref(2, 'a').Hash.String(), h.ref(3, 'a').Hash.String()
	want := []string{"(2,0,'" + two + "')", "(2,1,'" + two + "')", "(3,0,'" + three + "')"}
	w.write(sink, steps...)
	w.want(rows, want...)
	for from := range steps { // whatever comes again changes nothing
		w.write(sink, steps[from:]...)
		w.want(rows, want...)
	}
}

// A step that was cut before its position leaves its transactions above it.
func TestTransactionsAboveThePosition(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	w.write(sink, h.apply(1, 1, 'a', 0))
	cut := withTransactions(h.apply(2, 2, 'a', 0), 1)
	cut.Apply.Blocks = nil
	if err := sink.writeRows(t.Context(), []chain.Step{cut}); err != nil {
		t.Fatal(err)
	}
	position, err := sink.Position(t.Context(), h.stream)
	if err != nil || position.Seq != cut.Seq-1 || position.High != cut.Seq || position.HighDigest != cut.Digest {
		t.Errorf("position %+v, %v", position, err)
	}
}
