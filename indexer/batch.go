package indexer

import (
	"encoding/binary"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"superindex/chain"
	"superindex/decoder"
	"superindex/reorg"
)

// A step is at most this large, so that a sink never splits what it inserts. One
// block may exceed it.
const (
	stepRows  = 50_000
	stepBytes = 8 << 20
)

// decode fills in what the events' logs mean. Arguments that turn out longer than
// expected are where the decoder put them, and no longer in m.
func decode(t *decoder.Table, events []chain.Event, m *Memory) {
	const spare = 1 << 10 // bytes of an event's arguments, where its data is short
	for i := range events {
		piece := m.bytes.open(min(spare+3*len(events[i].Data), bytesPiece), bytesPiece)
		if longer, _ := t.Decode(&events[i], piece); cap(longer) == cap(piece) {
			m.bytes.all[m.bytes.at] = longer
		}
	}
}

// piece is a part of a range that makes one step.
type piece struct {
	blocks []chain.Block
	events []chain.Event
	txs    []chain.Tx

	// Of a whole range only:
	steps  []drafted
	room   int64   // that was taken for it
	memory *Memory // where its events lie
}

// drafted is what a step adds, but for what depends on the steps before it.
type drafted struct {
	batch *chain.Batch
	draft *reorg.Draft
}

// bytes is about what a range takes in memory.
func (p piece) bytes() int64 {
	all := 250*len(p.blocks) + txWeight*len(p.txs)
	for i := range p.events {
		all += 100 + weight(&p.events[i])
	}
	return int64(all)
}

func (p piece) last() chain.BlockRef { return p.blocks[len(p.blocks)-1].BlockRef }

// cut splits a range at block boundaries into pieces of a step's size, and counts
// each block's watched logs. The pieces are parts of the range.
func cut(r piece) (pieces []piece) {
	var from, to struct{ block, event, tx int } // what the piece begins and ends with
	size := 0
	for i := range r.blocks {
		before, bytes, number := to, 0, r.blocks[i].Number
		for ; to.event < len(r.events) && r.events[to.event].Block.Number <= number; to.event++ {
			bytes += weight(&r.events[to.event])
		}
		for ; to.tx < len(r.txs) && r.txs[to.tx].Block.Number <= number; to.tx++ {
			bytes += txWeight
		}
		r.blocks[i].WatchedLogs = uint32(to.event - before.event)
		if rows := to.event - from.event + to.tx - from.tx; i > from.block && (rows > stepRows || size+bytes > stepBytes) {
			pieces = append(pieces, r.part(from.block, i, from.event, before.event, from.tx, before.tx))
			from, size = before, 0
			from.block = i
		}
		size += bytes
	}
	return append(pieces, r.part(from.block, len(r.blocks), from.event, to.event, from.tx, to.tx))
}

// part is blocks, events and transactions from..to, to excluded.
func (p piece) part(block, blocks, event, events, tx, txs int) piece {
	return piece{blocks: p.blocks[block:blocks:blocks], events: p.events[event:events:events], txs: p.txs[tx:txs:txs]}
}

// txWeight is about what a transaction takes in the journal.
const txWeight = 220

// weight is about what an event takes in the journal.
func weight(e *chain.Event) int { return 160 + len(e.Data) + len(e.Args) + 32*len(e.Topics) }

// prove says what a piece holds; that it is complete, nothing here proves.
func prove(events []chain.Event) chain.Proof {
	d := xxhash.New()
	var key [len(chain.Hash{}) + 16 + len(chain.Address{})]byte
	for i := range events {
		e := &events[i]
		rest := key[copy(key[:], e.Block.Hash[:]):]
		binary.BigEndian.PutUint64(rest, e.Time)
		binary.BigEndian.PutUint64(rest[8:], uint64(e.Index))
		copy(rest[16:], e.Address[:])
		d.Write(key[:])
		d.Write(flat(e.Topics))
		d.Write(e.Data)
	}
	return chain.Proof{Level: chain.LevelNone, Rows: uint32(len(events)), Digest: d.Sum64()}
}

// flat is the topics one behind the other, where they lie.
func flat(topics []chain.Hash) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(topics))), len(topics)*len(chain.Hash{}))
}
