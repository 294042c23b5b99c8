package indexer

import (
	"context"
	"errors"
	"slices"
	"testing"

	"superindex/chain"
)

// limited is a node that gives at most so many blocks at once; each has one log.
type limited struct {
	most  uint64
	asked []Range
}

func (l *limited) Heads(context.Context) (Heads, error)                     { return Heads{}, nil }
func (l *limited) Headers(context.Context, []uint64) ([]chain.Block, error) { return nil, nil }

func (l *limited) Fetch(_ context.Context, r Range, _ Want) (f Fetched, err error) {
	l.asked = append(l.asked, r)
	if r.Len() > l.most {
		return f, ErrTooLarge
	}
	for n := r.From; n <= r.To; n++ {
		f.Blocks = append(f.Blocks, testBlock(n))
		f.All++
	}
	return f, nil
}

func testBlock(n uint64) chain.Block {
	return chain.Block{BlockRef: chain.BlockRef{Number: n, Hash: chain.Hash{byte(n), byte(n >> 8)}}, Parent: chain.Hash{byte(n - 1), byte((n - 1) >> 8)}}
}

func TestFetchHalvesWhatIsTooLarge(t *testing.T) {
	node := &limited{most: 30}
	s := &span{blocks: 100, most: 1000}
	f, err := s.fetch(t.Context(), node, Range{1, 100}, Want{Dense: true})
	if err != nil || len(f.Blocks) != 100 || f.All != 100 {
		t.Fatalf("%d blocks, %d logs, %v", len(f.Blocks), f.All, err)
	}
	for i, b := range f.Blocks {
		if b.Number != uint64(i+1) {
			t.Fatalf("block %d stands at %d", b.Number, i)
		}
	}
	if s.len() > 40 {
		t.Fatalf("it learned %d blocks of a node that gives 30", s.len())
	}
}

func TestOneBlockTooLargeIsAnError(t *testing.T) {
	s := &span{blocks: 4, most: 4}
	if _, err := s.fetch(t.Context(), &limited{}, Range{1, 4}, Want{}); !errors.Is(err, ErrTooLarge) {
		t.Fatal(err)
	}
}

func TestHalvesOfTwoForksAreTorn(t *testing.T) {
	low, high := Fetched{Blocks: []chain.Block{testBlock(1)}}, Fetched{Blocks: []chain.Block{testBlock(3)}}
	if _, err := join(low, high, true); !errors.Is(err, ErrTorn) {
		t.Fatal(err)
	}
}

func TestSpanLearns(t *testing.T) {
	s := &span{blocks: 100, most: 300}
	for _, c := range []struct {
		what string
		n    uint64
		f    Fetched
		err  error
		want uint64
	}{
		{"a small answer", 100, Fetched{All: 10}, nil, 151},
		{"a small answer to less than was allowed", 50, Fetched{All: 10}, nil, 151},
		{"a middling answer", 151, Fetched{All: answerLogs - 1}, nil, 151},
		{"many logs", 151, Fetched{All: answerLogs + 1}, nil, 75},
		{"many bytes", 75, Fetched{Bytes: answerBytes + 1}, nil, 37},
		{"a refusal", 37, Fetched{}, ErrTooLarge, 18},
		{"another error", 18, Fetched{}, errors.New("down"), 18},
		{"growth after a refusal", 18, Fetched{}, nil, 20},
	} {
		if s.learn(c.n, c.f, c.err); s.len() != c.want {
			t.Fatalf("after %s: %d blocks, want %d", c.what, s.len(), c.want)
		}
	}
}

func TestWalk(t *testing.T) {
	s := &span{blocks: 40, most: 40}
	var got []Range
	next := s.walk(1, 100)
	for r, ok := next(); ok; r, ok = next() {
		got = append(got, r)
	}
	if want := []Range{{1, 40}, {41, 80}, {81, 100}}; !slices.Equal(got, want) {
		t.Fatalf("%v, want %v", got, want)
	}
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
	var rows, last []int
	for _, p := range cut(blocks, events) {
		rows, last = append(rows, len(p.events)), append(last, int(p.last().Number))
	}
	if !slices.Equal(rows, []int{30_000, 30_000, 30_000, 1}) || !slices.Equal(last, []int{0, 1, 3, 4}) {
		t.Fatalf("steps of %v rows that end at %v", rows, last)
	}
	if blocks[0].WatchedLogs != 30_000 || blocks[3].WatchedLogs != 0 {
		t.Fatalf("%d and %d watched logs", blocks[0].WatchedLogs, blocks[3].WatchedLogs)
	}
}
