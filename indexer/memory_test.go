package indexer

import (
	"bytes"
	"runtime"
	"testing"

	"superindex/chain"
	"superindex/decoder"
)

// What is given stays what was put into it until all is taken back, whatever its
// size, and appending to it touches nothing else.
func TestMemory(t *testing.T) {
	var m Memory
	for range 3 {
		var given [][]byte
		for i := range 400 {
			b := m.Bytes(i * 101 % (bytesPiece / 2))
			for j := range b {
				b[j] = byte(i)
			}
			given = append(given, b)
			_ = append(b, 0xff)
		}
		for i, b := range given {
			if want := bytes.Repeat([]byte{byte(i)}, i*101%(bytesPiece/2)); !bytes.Equal(b, want) {
				t.Fatalf("given %d: %d bytes, not what was put there", i, len(b))
			}
		}
		m.Reset(nil)
	}
}

// A range as large as the one before takes no new memory: reading, decoding.
func TestMemoryIsUsedAgain(t *testing.T) {
	table := decoder.New(decoder.Sources{Layouts: []*decoder.Layout{transfer()}})
	logs := transfers(2000)
	var m Memory
	got := testing.AllocsPerRun(5, func() {
		events := m.Events()
		for i := range logs {
			e := chain.Event{Log: logs[i].Log}
			e.Topics, e.Data = m.Topics(3), m.Bytes(32)
			copy(e.Topics, logs[i].Topics)
			copy(e.Data, logs[i].Data)
			events = append(events, e)
		}
		decode(table, events, &m)
		if last := events[len(events)-1]; last.Decoding != chain.Decoded || len(m.Events()) > 0 {
			t.Fatalf("%+v", last)
		}
		m.Reset(events)
	})
	if got > 0 {
		t.Errorf("%v allocations for a range of %d logs", got, len(logs))
	}
}

// Arguments that turn out longer than expected hold no more than they take, and are few.
func TestLongArgumentsAreCounted(t *testing.T) {
	layout, err := decoder.Parse("event Note(string text)")
	if err != nil {
		t.Fatal(err)
	}
	const nuls = 1000 // each of which is six bytes of JSON
	data := make([]byte, 32+32+1024)
	data[31], data[62], data[63] = 32, nuls>>8, nuls&0xff
	events := make([]chain.Event, 3000)
	for i := range events {
		events[i].Log = chain.Log{Address: chain.Address{1}, Topics: []chain.Hash{layout.Topic0()}, Data: data}
	}
	var m Memory
	before := live()
	decode(decoder.New(decoder.Sources{Layouts: []*decoder.Layout{layout}}), events, &m)
	held := live() - before
	for i := range events {
		if e := &events[i]; e.Decoding != chain.Decoded || len(e.Args) < 6*nuls {
			t.Fatalf("event %d: %v, %d bytes of arguments", i, e.Decoding, len(e.Args))
		}
	}
	t.Logf("%d bytes held, %d given, %d of them alone", held, m.given(), m.bytes.alone)
	if held > 2*m.given() || m.bytes.alone > m.given()/5 {
		t.Errorf("%d bytes held, %d given, %d of them alone", held, m.given(), m.bytes.alone)
	}
	m.Reset(events)
	if b := m.Bytes(1); m.given() != 1 || len(b) != 1 {
		t.Errorf("%d bytes given", m.given())
	}
}

// live is how many bytes are in use.
func live() int {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int(s.HeapAlloc)
}

// What was made for one large log is counted, and not kept.
func TestLargeLogsAreNotKept(t *testing.T) {
	m := new(Memory)
	small, large := chain.Event{}, chain.Event{}
	small.Topics, small.Data, large.Data = m.Topics(2), m.Bytes(100), m.Bytes(1<<20)
	if n := m.given(); n != 2*32+100+1<<20 {
		t.Errorf("%d bytes were given", n)
	}
	m.Reset([]chain.Event{small, large})
	if kept := m.Events()[:2]; kept[1].Data != nil || m.given() != 0 {
		t.Errorf("%d bytes kept, %d are given", len(kept[1].Data), m.given())
	}
}

// What no range uses is bounded, and a network at its head keeps little of it.
func TestIdleMemoryIsBounded(t *testing.T) {
	var s memories
	for range 9 {
		s.give(&Memory{bytes: pieces[byte]{all: make([][]byte, spareBytes/bytesPiece/8)}}, nil)
	}
	if len(s.spare) != 8 || s.bytes != spareBytes {
		t.Errorf("%d of 9 kept, %d bytes", len(s.spare), s.bytes)
	}
	s.take()
	s.give(new(Memory), make([]chain.Event, 10))
	s.rest()
	if len(s.spare) > 0 || s.bytes != 0 {
		t.Errorf("%d kept at rest, %d bytes", len(s.spare), s.bytes)
	}
	small := new(Memory)
	small.Bytes(1)
	s.give(small, make([]chain.Event, 10))
	if s.rest(); s.take() != small || s.bytes != 0 {
		t.Errorf("another one is given, %d bytes are left", s.bytes)
	}
}
