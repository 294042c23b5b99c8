package clickhouse

import (
	"github.com/ClickHouse/ch-go/proto"

	"superindex/chain"
)

// origin is what the rows of a network's step have in common.
type origin struct {
	chainID proto.ColUInt64
	network *words[string]
	seq     proto.ColUInt64
	digest  proto.ColUInt64
}

func newOrigin() origin { return origin{network: newWords[string]()} }

// add is for so many rows of a step.
func (o *origin) add(step *chain.Step, rows int) {
	o.chainID = repeated(o.chainID, step.Stream.ChainID, rows)
	word(o.network, step.Stream.Name, rows)
	o.seq = repeated(o.seq, uint64(step.Seq), rows)
	o.digest = repeated(o.digest, step.Digest, rows)
}

func (o *origin) columns() proto.Input {
	return proto.Input{
		in("chain_id", &o.chainID), in("network", o.network), in("seq", &o.seq), in("digest", &o.digest),
	}
}

// eventRows are rows of raw_events.
type eventRows struct {
	origin
	blockNumber proto.ColUInt64
	blockHash   hashes
	blockTime   seconds
	logIndex    proto.ColUInt32
	txHash      hashes
	txIndex     proto.ColUInt32
	address     *words[chain.Address]
	event       *words[string]
	signature   *words[string]
	decoding    choices
	args        text
	topics      hashLists
	data        text
}

func newEvents() *table {
	r := &eventRows{
		origin: newOrigin(), address: newWords[chain.Address](), event: newWords[string](), signature: newWords[string](),
		decoding: choices{of: "Enum8('decoded' = 1, 'ambiguous' = 2, 'raw' = 3)"},
	}
	return newTable("raw_events", r.count, r.add, append(
		r.origin.columns(),
		in("block_number", &r.blockNumber),
		in("block_hash", &r.blockHash),
		in("block_time", &r.blockTime),
		in("log_index", &r.logIndex),
		in("tx_hash", &r.txHash),
		in("tx_index", &r.txIndex),
		in("address", r.address),
		in("event", r.event),
		in("signature", r.signature),
		in("decoding", &r.decoding),
		in("args", &r.args),
		in("topics", &r.topics),
		in("data", &r.data),
	))
}

func (r *eventRows) count(step *chain.Step) int {
	if step.Apply == nil {
		return 0
	}
	return len(step.Apply.Events)
}

func (r *eventRows) add(step *chain.Step, from, to int) {
	events := step.Apply.Events[from:to]
	r.origin.add(step, len(events))
	for i := range events {
		e := &events[i]
		r.blockNumber.Append(e.Block.Number)
		r.blockHash.add(&e.Block.Hash)
		r.blockTime.add(e.Time)
		r.logIndex.Append(e.Index)
		r.txHash.add(&e.TxHash)
		r.txIndex.Append(e.TxIndex)
		if r.address.add(e.Address, e.Address[0], 1) {
			r.address.values.hex(e.Address[:])
		}
		word(r.event, e.Name, 1)
		word(r.signature, e.Signature, 1)
		r.decoding.Append(decodingCode(e.Decoding))
		r.args.bytes(e.Args)
		r.topics.add(e.Topics)
		r.data.bytes(e.Data)
	}
}

// decodingCode is the number that the table has for it.
func decodingCode(d chain.Decoding) uint8 {
	switch d {
	case chain.Decoded:
		return 1
	case chain.Ambiguous:
		return 2
	}
	return 3
}
