package indexer

import (
	"encoding/binary"
	"slices"
	"unsafe"

	"github.com/cespare/xxhash/v2"

	"superindex/chain"
	"superindex/decoder"
	"superindex/reorg"
)

// A step has at most so many rows, and about so many bytes, at most twice as many, so that
// a sink never splits what it inserts. One block may exceed it.
const (
	stepRows  = 50_000
	stepBytes = 8 << 20
)

// decode fills in what the events' logs mean. Arguments that turn out longer than what
// is left of a piece of m are copied out of it, for what the decoder put them into is as
// large as the piece.
func decode(t *decoder.Table, events []chain.Event, m *Memory) {
	const spare = 1 << 10 // bytes of an event's arguments, where its data is short
	for i := range events {
		piece := m.bytes.open(min(spare+3*len(events[i].Data), bytesPiece), bytesPiece)
		longer, _ := t.Decode(&events[i], piece)
		if cap(longer) == cap(piece) {
			m.bytes.all[m.bytes.at] = longer
			continue
		}
		events[i].Args = slices.Clone(events[i].Args)
		m.bytes.alone += len(events[i].Args)
		if len(piece) > 0 { // others like it would not fit either
			m.bytes.at++
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
	return int64(250*len(p.blocks) + 250*len(p.events) + txWeight*len(p.txs) + p.memory.given())
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

// weight is about what an event will take in the journal, with arguments that say what its
// topics and data do: some are longer than that, as text of control bytes is, or numbers in a
// list under long names. Where data is long it is what it can be at most.
func weight(e *chain.Event) int {
	const long = 4 << 10
	size := 160 + 3*len(e.Data) + 64*len(e.Topics)
	if len(e.Data) > long {
		size += 3 * len(e.Data)
	}
	return size
}

// prove says what a piece holds; that it is complete, nothing here proves.
func prove(events []chain.Event) chain.Proof {
	p := newProver()
	p.add(events)
	return p.proof()
}

// prover proves a piece some events after the other.
type prover struct {
	rows   int
	digest *xxhash.Digest
}

func newProver() *prover { return &prover{digest: xxhash.New()} }

// add takes the next events. What they are is gathered first: the digest of few bytes costs
// as much as that of many.
func (p *prover) add(events []chain.Event) {
	const fixed = len(chain.Hash{}) + 16 + len(chain.Address{})
	var room [4 << 10]byte
	gathered := room[:0]
	for i := range events {
		e := &events[i]
		if len(gathered)+fixed+len(chain.Hash{})*len(e.Topics)+len(e.Data) > len(room) {
			p.digest.Write(gathered)
			gathered = room[:0]
		}
		gathered = append(gathered, e.Block.Hash[:]...)
		gathered = binary.BigEndian.AppendUint64(gathered, e.Time)
		gathered = binary.BigEndian.AppendUint64(gathered, uint64(e.Index))
		gathered = append(gathered, e.Address[:]...)
		gathered = append(gathered, flat(e.Topics)...)
		gathered = append(gathered, e.Data...)
	}
	p.digest.Write(gathered)
	p.rows += len(events)
}

func (p *prover) proof() chain.Proof {
	return chain.Proof{Level: chain.LevelNone, Rows: uint32(p.rows), Digest: p.digest.Sum64()}
}

// flat is the topics one behind the other, where they lie.
func flat(topics []chain.Hash) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(topics))), len(topics)*len(chain.Hash{}))
}
