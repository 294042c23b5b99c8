package clickhouse

import (
	"encoding/binary"

	"github.com/ClickHouse/ch-go/proto"

	"superindex/chain"
)

// transactionRows are rows of raw_transactions.
type transactionRows struct {
	origin
	blockNumber       proto.ColUInt64
	blockHash         text
	blockTime         seconds
	txHash            text
	txIndex           proto.ColUInt32
	from, to, created text
	status            proto.ColUInt8
	gasUsed           proto.ColUInt64
	gasPrice, l1Fee   proto.ColUInt256
	method            text
}

func newTransactions() *table {
	r := &transactionRows{origin: newOrigin()}
	return newTable("raw_transactions", r.count, r.add, append(
		r.origin.columns(),
		in("block_number", &r.blockNumber),
		in("block_hash", &r.blockHash),
		in("block_time", &r.blockTime),
		in("tx_hash", &r.txHash),
		in("tx_index", &r.txIndex),
		in("from_address", &r.from),
		in("to_address", &r.to),
		in("contract_created", &r.created),
		in("status", &r.status),
		in("gas_used", &r.gasUsed),
		in("effective_gas_price", &r.gasPrice),
		in("l1_fee", &r.l1Fee),
		in("method", &r.method),
	))
}

func (r *transactionRows) count(step *chain.Step) int {
	if step.Apply == nil {
		return 0
	}
	return len(step.Apply.Transactions)
}

func (r *transactionRows) add(step *chain.Step, from, to int) {
	txs := step.Apply.Transactions[from:to]
	r.origin.add(step, len(txs))
	for i := range txs {
		tx := &txs[i]
		r.blockNumber.Append(tx.Block.Number)
		r.blockHash.hex(tx.Block.Hash[:])
		r.blockTime.add(tx.Time)
		r.txHash.hex(tx.Hash[:])
		r.txIndex.Append(tx.Index)
		r.from.hex(tx.From[:])
		r.to.address(tx.To)
		r.created.address(tx.Created)
		r.status.Append(tx.Status)
		r.gasUsed.Append(tx.GasUsed)
		r.gasPrice.Append(uint256(&tx.EffectiveGasPrice))
		r.l1Fee.Append(uint256(&tx.L1Fee))
		r.method.hex(tx.Method[:])
	}
}

// uint256 reads a big-endian number.
func uint256(b *[32]byte) proto.UInt256 {
	return proto.UInt256{
		High: proto.UInt128{High: binary.BigEndian.Uint64(b[:8]), Low: binary.BigEndian.Uint64(b[8:16])},
		Low:  proto.UInt128{High: binary.BigEndian.Uint64(b[16:24]), Low: binary.BigEndian.Uint64(b[24:])},
	}
}
