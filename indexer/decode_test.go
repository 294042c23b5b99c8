package indexer

import (
	"testing"

	"superindex/chain"
	"superindex/decoder"
)

// transfers are n logs of a token, as a range of them comes from a node.
func transfers(n int) []chain.Event {
	topic0 := transfer().Topic0()
	events := make([]chain.Event, n)
	for i := range events {
		events[i].Log = chain.Log{
			Block: chain.BlockRef{Number: uint64(1 + i/100), Hash: chain.Hash{byte(i / 100)}}, Time: uint64(1000 + i/100),
			Index: uint32(i % 100), Address: chain.Address{1},
			Topics: []chain.Hash{topic0, {31: byte(i)}, {31: 7}}, Data: make([]byte, 32),
		}
	}
	return events
}

func transfer() *decoder.Layout {
	l, err := decoder.Parse("event Transfer(address indexed from, address indexed to, uint256 value)")
	if err != nil {
		panic(err)
	}
	return l
}

// Decoding allocates for a range, not for its events; so does cutting it into steps.
func TestDecodeAllocations(t *testing.T) {
	table := decoder.New(decoder.Sources{Layouts: []*decoder.Layout{transfer()}})
	events := transfers(8000)
	var blocks []chain.Block
	for i := range 80 {
		blocks = append(blocks, chain.Block{BlockRef: chain.BlockRef{Number: uint64(1 + i)}})
	}
	got := testing.AllocsPerRun(3, func() {
		var m Memory
		decode(table, events, &m)
		for _, p := range cut(piece{blocks: blocks, events: events}) {
			prove(p.events)
		}
	})
	if got > 100 {
		t.Errorf("%v allocations for %d events", got, len(events))
	}
	for i := range events {
		if e := &events[i]; e.Decoding != chain.Decoded || e.Name != "Transfer" || len(e.Args) == 0 || cap(e.Args) != len(e.Args) {
			t.Fatalf("event %d: %+v", i, e)
		}
	}
}

func BenchmarkDecode(b *testing.B) {
	table := decoder.New(decoder.Sources{Layouts: []*decoder.Layout{transfer()}})
	events := transfers(8000)
	b.ReportAllocs()
	for b.Loop() {
		decode(table, events, new(Memory))
	}
	b.ReportMetric(float64(b.N)*float64(len(events))/b.Elapsed().Seconds(), "events/s")
}
