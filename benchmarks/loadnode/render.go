package loadnode

import (
	"encoding/json"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
)

// render writes the body's four forms, members in the order in which geth has them.
func (b *body) render(txs []*types.Transaction, from common.Address) error {
	b.shownLogs.logs(b.logs)
	for i, receipt := range b.receipts {
		b.shownReceipts.comma(i).receipt(receipt, txs[i], from)
	}
	b.shownHashes.header(&b.header).add(`,"transactions":[`)
	b.shownFull.header(&b.header).add(`,"transactions":[`)
	for i, tx := range txs {
		b.shownHashes.comma(i).bytes(tx.Hash().Bytes())
		if err := b.shownFull.comma(i).transaction(i, tx, from); err != nil {
			return err
		}
	}
	b.shownHead.header(&b.header).add("}")
	b.shownHashes.add(`],"uncles":[]}`)
	b.shownFull.add(`],"uncles":[]}`)
	return nil
}

// comma goes before every element of a list but the first.
func (t *template) comma(i int) *template {
	if i > 0 {
		t.add(",")
	}
	return t
}

func (t *template) logs(logs []*types.Log) {
	for i, l := range logs {
		t.comma(i)
		t.cut()
		t.oneLog(l)
		t.cut()
	}
}

func (t *template) oneLog(l *types.Log) {
	t.add(`{"address":`).bytes(l.Address[:]).add(`,"topics":[`)
	for i := range l.Topics {
		t.comma(i).bytes(l.Topics[i][:])
	}
	t.add(`],"data":`).bytes(l.Data)
	t.add(`,"blockNumber":"`).hole(holeNumber)
	t.add(`","transactionHash":`).bytes(l.TxHash[:])
	t.add(`,"transactionIndex":`).quantity(uint64(l.TxIndex))
	t.add(`,"blockHash":"`).hole(holeHashTime)
	t.add(`","logIndex":`).quantity(uint64(l.Index)).add(`,"removed":false}`)
}

func (t *template) receipt(r *types.Receipt, tx *types.Transaction, from common.Address) {
	t.add(`{"blockHash":"`).hole(holeHash).add(`","blockNumber":"`).hole(holeNumber)
	t.add(`","contractAddress":null,"cumulativeGasUsed":`).quantity(r.CumulativeGasUsed)
	t.add(`,"effectiveGasPrice":`).quantity(tx.GasPrice().Uint64())
	t.add(`,"from":`).bytes(from[:]).add(`,"gasUsed":`).quantity(r.GasUsed).add(`,"logs":[`)
	for i, l := range r.Logs {
		t.comma(i).oneLog(l)
	}
	t.add(`],"logsBloom":`).bytes(r.Bloom[:]).add(`,"status":`).quantity(r.Status)
	t.add(`,"to":`).bytes(tx.To()[:]).add(`,"transactionHash":`).bytes(r.TxHash[:])
	t.add(`,"transactionIndex":`).quantity(uint64(r.TransactionIndex)).add(`,"type":"0x0"}`)
}

// header writes a block's members but its transactions, from the opening brace.
func (t *template) header(h *types.Header) *template {
	t.add(`{"baseFeePerGas":`).quantity(h.BaseFee.Uint64()).add(`,"difficulty":"0x0","extraData":"0x`).hole(holeFork)
	t.add(`","gasLimit":`).quantity(h.GasLimit).add(`,"gasUsed":`).quantity(h.GasUsed)
	t.add(`,"hash":"`).hole(holeHash).add(`","logsBloom":`).bytes(h.Bloom[:])
	t.add(`,"miner":`).bytes(h.Coinbase[:]).add(`,"mixHash":`).bytes(h.MixDigest[:])
	t.add(`,"nonce":"0x0000000000000000","number":"`).hole(holeNumber)
	t.add(`","parentHash":"`).hole(holeParent).add(`","receiptsRoot":`).bytes(h.ReceiptHash[:])
	t.add(`,"sha3Uncles":`).bytes(h.UncleHash[:]).add(`,"stateRoot":`).bytes(h.Root[:])
	return t.add(`,"timestamp":"`).hole(holeTime).add(`","transactionsRoot":`).bytes(h.TxHash[:])
}

// transaction writes one with what its block says of it.
func (t *template) transaction(i int, tx *types.Transaction, from common.Address) error {
	text, err := json.Marshal(tx)
	if err != nil {
		return fmt.Errorf("write a transaction: %w", err)
	}
	t.raw(text[:len(text)-1]).add(`,"blockHash":"`).hole(holeHash).add(`","blockNumber":"`).hole(holeNumber)
	t.add(`","from":`).bytes(from[:]).add(`,"transactionIndex":`).quantity(uint64(i)).add("}")
	return nil
}
