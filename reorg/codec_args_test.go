package reorg

import (
	"bytes"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"superindex/chain"
)

// event is one with these arguments, whose topics behind the first and whose data are words
// that end with these bytes.
func decoded(args string, topics [][]byte, data ...[]byte) chain.Event {
	word := func(b []byte) (h chain.Hash) {
		copy(h[len(h)-len(b):], b)
		return h
	}
	e := chain.Event{Decoding: chain.Decoded, Name: "E", Signature: "E()", Args: []byte(args)}
	e.Topics, e.Data = []chain.Hash{{0xdd}}, []byte{}
	for _, t := range topics {
		e.Topics = append(e.Topics, word(t))
	}
	for _, d := range data {
		w := word(d)
		e.Data = append(e.Data, w[:]...)
	}
	return e
}

func account(of byte) []byte { return bytes.Repeat([]byte{of}, 20) }

// listed writes events as a list, finds the same ones in it, and returns what they take: all of
// it, and the last one alone.
func listed(t *rapid.T, events []chain.Event) (all, last int) {
	blocks := []chain.Block{{BlockRef: ref(1, 'a')}}
	for i := range events {
		events[i].Block, events[i].Index = blocks[0].BlockRef, uint32(i)
	}
	var w, short encoder
	w.events(blocks, events)
	short.events(blocks, events[:len(events)-1])
	r := decoder{b: w.b, memory: new(memory)}
	got := r.events(blocks)
	if r.failed || r.left() > 0 || len(got) != len(events) {
		t.Fatalf("%d events are read of %d, %d bytes are left", len(got), len(events), r.left())
	}
	for i := range got {
		a, b := &events[i], &got[i]
		if !bytes.Equal(a.Args, b.Args) || !bytes.Equal(a.Data, b.Data) || fmt.Sprint(a.Topics) != fmt.Sprint(b.Topics) || a.Name != b.Name || a.Decoding != b.Decoding || a.Index != b.Index {
			t.Fatalf("event %d is %+v, want %+v", i, b, a)
		}
	}
	return len(w.b), len(w.b) - len(short.b)
}

// An event whose arguments are like those of the ones before it takes only what differs, and
// whatever the arguments are, they are what they were.
func TestOutlines(t *testing.T) {
	one, two := account(1), account(2)
	transfer := func(from, to []byte, value string) chain.Event {
		return decoded(fmt.Sprintf(`{"from":"0x%x","to":"0x%x","value":%q}`, from, to, value), [][]byte{from, to}, []byte{1, 2})
	}
	swap := func(amount int, ok bool, to []byte) chain.Event {
		args := fmt.Sprintf(`{"amounts":["%d","-7"],"tick":-%d,"ok":%v,"in":{"to":"0x%x"}}`, amount, amount, ok, to)
		return decoded(args, nil, []byte{1}, to)
	}
	id := bytes.Repeat([]byte{9}, 32)
	for _, c := range []struct {
		name   string
		events []chain.Event
		last   int // bytes that the last event may take: some for its place, address and form, words, and texts
	}{
		{"transfers", []chain.Event{transfer(one, two, "5"), transfer(two, one, "6"), transfer(two, two, "1234")}, 4 + 2*21 + 1 + 3 + 1 + 5},
		{"to itself first", []chain.Event{transfer(one, one, "5"), transfer(one, one, "6"), transfer(two, one, "7")}, 4 + 2*21 + 1 + 3 + 1 + 2},
		{"numbers, words and tuples", []chain.Event{swap(1, true, one), swap(2, false, two), swap(33, true, two)}, 4 + 1 + 2 + 21 + 1 + 3 + 3 + 4 + 5},
		{"a whole word", []chain.Event{decoded(fmt.Sprintf(`{"id":"0x%x"}`, id), [][]byte{id}), decoded(fmt.Sprintf(`{"id":"0x%x"}`, id), [][]byte{id}), decoded(fmt.Sprintf(`{"id":"0x%x"}`, id), [][]byte{id})}, 4 + 33 + 1 + 1},
		{"not in topics or data", []chain.Event{decoded(`{"a":"0x01"}`, nil), decoded(`{"a":"0x02"}`, nil), decoded(`{"a":"0x03"}`, nil)}, 4 + 1 + 1 + 5},
		{"a text with a quote", []chain.Event{decoded(`{"a":"x\"y","b":1}`, nil), decoded(`{"a":"x\"y","b":2}`, nil), decoded(`{"a":"x\"y","b":3}`, nil)}, 6 + 19},
		{"large digits", []chain.Event{decoded(`{"a":"0xAB"}`, nil, []byte{0xab}), decoded(`{"a":"0xAB"}`, nil, []byte{0xab}), decoded(`{"a":"0xAB"}`, nil, []byte{0xab})}, 6 + 2 + 13},
		{"names that change", []chain.Event{decoded(`{"a":1}`, nil), decoded(`{"b":1}`, nil), decoded(`{"a":1}`, nil), decoded(`{"b":2}`, nil), decoded(`{"a":3}`, nil)}, 4 + 1 + 1 + 2},
		{"nothing", []chain.Event{decoded(`{}`, nil), decoded(`{}`, nil), decoded(`{}`, nil)}, 5 + 4},
		{"no object", []chain.Event{decoded(`"`, nil), decoded(`"a`, nil), decoded(`1`, nil), decoded(``, nil), decoded(`:`, nil)}, 8},
	} {
		rapid.Check(t, func(t *rapid.T) {
			if _, last := listed(t, c.events); last > c.last {
				t.Errorf("%s: the last event takes %d bytes, want %d at most", c.name, last, c.last)
			}
		})
	}
}

// Whatever topics, data and arguments are, they are read as they were.
func TestAnyEvents(t *testing.T) {
	words := rapid.SliceOfN(rapid.SampledFrom([][]byte{{}, {1}, account(1), account(2), account(0xab), bytes.Repeat([]byte{9}, 32)}), 0, 4)
	part := rapid.SampledFrom([]string{
		`{"a":"0x` + fmt.Sprintf("%x", account(1)) + `"`, `"0x0101"`, `0x`, `{`, `}`, `,`, `:`, `"`, `\`, `"b":`, `12`, `true`, `"x\"y"`, `[1,"2"]`,
		fmt.Sprintf(`,"b":"0x%x"`, account(0xab)), fmt.Sprintf(`,"c":"0x%064x"`, account(0xab)), `}`,
	})
	rapid.Check(t, func(t *rapid.T) {
		var events []chain.Event
		for range rapid.IntRange(1, 2*atOnce).Draw(t, "events") / rapid.IntRange(1, 40).Draw(t, "part") {
			args := ""
			for _, s := range rapid.SliceOfN(part, 0, 4).Draw(t, "args") {
				args += s
			}
			e := decoded(args, words.Draw(t, "topics"), words.Draw(t, "data")...)
			e.Data = append(e.Data, rapid.SliceOfN(rapid.Byte(), 0, 3).Draw(t, "odd")...)
			e.Topics = e.Topics[rapid.IntRange(0, 1).Draw(t, "anonymous"):]
			events = append(events, e)
		}
		if len(events) > 0 {
			listed(t, events)
		}
	})
}

// What says that it is longer than its bytes allow is refused, before there is room for it.
func TestBrokenLengths(t *testing.T) {
	blocks := []chain.Block{{BlockRef: ref(1, 'a')}}
	event := func(rest ...byte) []byte { // a list of one, of 64 bytes, behind its address and form
		b := append([]byte{1, 64, onward}, make([]byte, wordSize)...)
		b = append(append(b, 0, 0), make([]byte, len(chain.Address{}))...)
		return append(append(b, 0, 0, byte(chain.Decoded), 0, 0), rest...)
	}
	long := encoder{b: []byte{1}}
	long.uint(1 << 40)
	for name, b := range map[string][]byte{
		"a list":                       {200, 1},
		"all of its events":            append(long.b, event()[2:]...),
		"data":                         event(128, 1, 0),
		"data of no whole words":       event(63, 0, 0, 0),
		"a word":                       event(65, 33),
		"fewer than there is room for": event(4, 1, 2, 0, 0),
		"an outline's values":          event(0, 1, 65, 0, 0),
		"an outline's digits":          event(65, 32, 1, 1, 0, 33, 0, 0),
		"digits behind the data":       event(65, 32, 1, 1, 0, 16, 17, 0),
		"an outline that is not there": event(0, 2, 0),
	} {
		r := decoder{b: b, memory: new(memory)}
		if events := r.events(blocks); !r.failed || len(events) > 0 {
			t.Errorf("%s: %d events, %d bytes are left", name, len(events), r.left())
		} else if cap(r.memory.text) > 64 {
			t.Errorf("%s: room for %d bytes was made", name, cap(r.memory.text))
		}
	}
	r := decoder{b: event(65, 32, 1, 1, 0, 16, 0, 0), memory: new(memory)} // which is whole
	if events := r.events(blocks); r.failed || len(events) != 1 || string(events[0].Args) != string(bytes.Repeat([]byte("0"), 32)) {
		t.Errorf("%+v, %v", events, r.failed)
	}
}
