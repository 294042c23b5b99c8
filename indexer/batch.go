package indexer

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"

	"superindex/chain"
	"superindex/decoder"
)

// A step is at most this large, so that a sink never splits what it inserts. One
// block may exceed it.
const (
	stepRows  = 50_000
	stepBytes = 8 << 20
)

// decode makes events of logs.
func decode(t *decoder.Table, logs []chain.Log) []chain.Event {
	events := make([]chain.Event, len(logs))
	var buf []byte
	for i := range logs {
		events[i].Log = logs[i]
		buf, _ = t.Decode(&events[i], buf)
	}
	return events
}

// piece is a part of a range that makes one step.
type piece struct {
	blocks []chain.Block
	events []chain.Event
}

func (p piece) last() chain.BlockRef { return p.blocks[len(p.blocks)-1].BlockRef }

// cut splits a range at block boundaries into pieces of a step's size, and counts
// each block's watched logs.
func cut(blocks []chain.Block, events []chain.Event) (pieces []piece) {
	var p piece
	size := 0
	for i := range blocks {
		n, bytes := 0, 0
		for n < len(events) && events[n].Block.Number <= blocks[i].Number {
			bytes += weight(&events[n])
			n++
		}
		if len(p.blocks) > 0 && (len(p.events)+n > stepRows || size+bytes > stepBytes) {
			pieces, p, size = append(pieces, p), piece{}, 0
		}
		blocks[i].WatchedLogs = uint32(n)
		p.blocks = append(p.blocks, blocks[i])
		p.events = append(p.events, events[:n]...)
		events, size = events[n:], size+bytes
	}
	return append(pieces, p)
}

// weight is about what an event takes in the journal.
func weight(e *chain.Event) int { return 160 + len(e.Data) + len(e.Args) + 32*len(e.Topics) }

// prove says what a piece holds; that it is complete, nothing here proves.
func prove(events []chain.Event) chain.Proof {
	d := xxhash.New()
	var number [16]byte
	for i := range events {
		e := &events[i]
		binary.BigEndian.PutUint64(number[:], e.Time)
		binary.BigEndian.PutUint64(number[8:], uint64(e.Index))
		d.Write(e.Block.Hash[:])
		d.Write(number[:])
		d.Write(e.Address[:])
		for j := range e.Topics {
			d.Write(e.Topics[j][:])
		}
		d.Write(e.Data)
	}
	return chain.Proof{Level: chain.LevelNone, Rows: uint32(len(events)), Digest: d.Sum64()}
}
