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

func (o *origin) add(step *chain.Step) {
	o.chainID.Append(step.Stream.ChainID)
	word(o.network, step.Stream.Name)
	o.seq.Append(uint64(step.Seq))
	o.digest.Append(step.Digest)
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

func (r *eventRows) add(step *chain.Step, i int) (size int) {
	e := &step.Apply.Events[i]
	r.origin.add(step)
	r.blockNumber.Append(e.Block.Number)
	r.blockHash.add(&e.Block.Hash)
	r.blockTime.add(e.Time)
	r.logIndex.Append(e.Index)
	r.txHash.add(&e.TxHash)
	r.txIndex.Append(e.TxIndex)
	if r.address.add(e.Address) {
		r.address.values.hex(e.Address[:])
	}
	word(r.event, e.Name)
	word(r.signature, e.Signature)
	r.decoding.Append(decodingCode(e.Decoding))
	r.args.bytes(e.Args)
	r.topics.add(e.Topics)
	r.data.bytes(e.Data)
	return 256 + len(e.Args) + len(e.Data)
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
