package indexer

import (
	"slices"
	"testing"

	"superindex/chain"
)

func testBlock(n uint64) chain.Block {
	return chain.Block{BlockRef: chain.BlockRef{Number: n, Hash: chain.Hash{byte(n), byte(n >> 8)}}, Parent: chain.Hash{byte(n - 1), byte((n - 1) >> 8)}}
}

func TestCut(t *testing.T) {
	var blocks []chain.Block
	var events []chain.Event
	for n := range uint64(3) {
		blocks = append(blocks, testBlock(n))
		for range 30_000 {
			events = append(events, chain.Event{Log: chain.Log{Block: testBlock(n).BlockRef}})
		}
	}
	blocks = append(blocks, testBlock(3), testBlock(4)) // 3 is without an event
	events = append(events, chain.Event{Log: chain.Log{Block: testBlock(4).BlockRef, Data: make([]byte, stepBytes)}})
	var txs []chain.Tx
	for n := range uint64(5) {
		txs = append(txs, chain.Tx{Block: testBlock(n).BlockRef}, chain.Tx{Block: testBlock(n).BlockRef})
	}
	var rows, last, made []int
	for _, p := range cut(piece{blocks: blocks, events: events, txs: txs}) {
		rows, last, made = append(rows, len(p.events)), append(last, int(p.last().Number)), append(made, len(p.txs))
		if first := p.blocks[0].Number; p.txs[0].Block.Number != first || p.events[0].Block.Number < first {
			t.Errorf("piece from block %d has %+v", first, p.txs)
		}
	}
	if !slices.Equal(rows, []int{30_000, 30_000, 30_000, 1}) || !slices.Equal(last, []int{0, 1, 3, 4}) {
		t.Fatalf("steps of %v rows that end at %v", rows, last)
	}
	if !slices.Equal(made, []int{2, 2, 4, 2}) {
		t.Fatalf("steps of %v transactions", made)
	}
	if blocks[0].WatchedLogs != 30_000 || blocks[3].WatchedLogs != 0 {
		t.Fatalf("%d and %d watched logs", blocks[0].WatchedLogs, blocks[3].WatchedLogs)
	}
}
