package clickhouse

import (
	"encoding/hex"

	"superindex/chain"
)

// eventRows are rows of raw_events.
type eventRows struct {
	origin
	blockNumber []uint64
	blockHash   texts
	blockTime   []int64
	logIndex    []uint32
	txHash      texts
	txIndex     []uint32
	address     []string
	event       []string
	signature   []string
	decoding    []string
	args        texts
	topics      texts // of all rows
	topicCounts []int // how many of them are each row's
	data        texts

	addresses map[chain.Address]string // the text of each address met since the last reset
}

var eventColumns = []string{
	"chain_id", "network", "seq", "digest", "block_number", "block_hash", "block_time", "log_index", "tx_hash", "tx_index",
	"address", "event", "signature", "decoding", "args", "topics", "data",
}

func (r *eventRows) values() []any {
	return []any{
		r.chainID, r.network, r.seq, r.digest,
		r.blockNumber, r.blockHash.strings(), r.blockTime, r.logIndex, r.txHash.strings(), r.txIndex,
		r.address, r.event, r.signature, r.decoding, r.args.strings(), r.topicLists(), r.data.strings(),
	}
}

func (r *eventRows) add(step *chain.Step, events []chain.Event) {
	r.grow(events)
	for i := range events {
		e := &events[i]
		r.origin.add(step)
		r.blockNumber = append(r.blockNumber, e.Block.Number)
		r.blockHash.hash(e.Block.Hash)
		r.blockTime = append(r.blockTime, int64(e.Time))
		r.logIndex = append(r.logIndex, e.Index)
		r.txHash.hash(e.TxHash)
		r.txIndex = append(r.txIndex, e.TxIndex)
		r.address = append(r.address, r.addressText(e.Address))
		r.event = append(r.event, e.Name)
		r.signature = append(r.signature, e.Signature)
		r.decoding = append(r.decoding, e.Decoding.String())
		r.args.bytes(e.Args)
		for _, topic := range e.Topics {
			r.topics.hash(topic)
		}
		r.topicCounts = append(r.topicCounts, len(e.Topics))
		r.data.hex(e.Data)
	}
}

// grow makes room at once for the texts of these events, which are most of what
// they take.
func (r *eventRows) grow(events []chain.Event) {
	const hash = 2 + 2*len(chain.Hash{})
	var topics, args, data int
	for i := range events {
		topics += len(events[i].Topics)
		args += len(events[i].Args)
		data += 2 + 2*len(events[i].Data)
	}
	n := len(events)
	r.blockHash.grow(n, n*hash)
	r.txHash.grow(n, n*hash)
	r.topics.grow(topics, topics*hash)
	r.args.grow(n, args)
	r.data.grow(n, data)
}

// addressText makes each address's text once: few addresses emit most events.
func (r *eventRows) addressText(a chain.Address) string {
	text, ok := r.addresses[a]
	if !ok {
		if r.addresses == nil {
			r.addresses = map[chain.Address]string{}
		}
		text = a.String()
		r.addresses[a] = text
	}
	return text
}

func (r *eventRows) topicLists() [][]string {
	all := r.topics.strings()
	lists := make([][]string, 0, len(r.topicCounts))
	for _, n := range r.topicCounts {
		lists = append(lists, all[:n:n])
		all = all[n:]
	}
	return lists
}

// size is how many bytes of text the rows have.
func (r *eventRows) size() (n int) {
	for _, t := range r.texts() {
		n += len(t.buffer)
	}
	return n
}

func (r *eventRows) texts() []*texts {
	return []*texts{&r.blockHash, &r.txHash, &r.args, &r.topics, &r.data}
}

func (r *eventRows) reset() {
	r.origin.reset()
	for _, t := range r.texts() {
		t.reset()
	}
	r.blockNumber, r.blockTime, r.logIndex, r.txIndex = r.blockNumber[:0], r.blockTime[:0], r.logIndex[:0], r.txIndex[:0]
	r.address, r.event, r.signature, r.decoding = r.address[:0], r.event[:0], r.signature[:0], r.decoding[:0]
	r.topicCounts = r.topicCounts[:0]
	clear(r.addresses)
}

func appendHex(dst, b []byte) []byte { return hex.AppendEncode(append(dst, '0', 'x'), b) }
