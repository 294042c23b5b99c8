package indexer

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
	"superindex/reorg"
)

// bulkSink takes down how many steps each write had.
type bulkSink struct{ writes []int }

func (s *bulkSink) Name() string  { return "bulk" }
func (s *bulkSink) BulkRows() int { return 6 }

func (s *bulkSink) Position(context.Context, chain.Stream) (p chain.Position, err error) {
	return p, nil
}

func (s *bulkSink) Write(_ context.Context, steps []chain.Step) error {
	s.writes = append(s.writes, len(steps))
	return nil
}

// While history is read a relay gathers rows for a sink that wants many, and waits
// for no more than a while; at the head it writes what is there.
func TestARelayGathersHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		stream := chain.Stream{Name: "op", ChainID: 10}
		o := reorg.Defaults()
		o.FS, o.Sinks = vfs.NewMem(), []string{"bulk"}
		j, err := reorg.Open("journal", o)
		if err != nil {
			t.Fatal(err)
		}
		defer j.Close()
		if _, err := j.Begin(t.Context(), reorg.Beginning{Stream: stream, Sinks: map[string]chain.Position{"bulk": {}}, Whole: true}); err != nil {
			t.Fatal(err)
		}
		var head, final chain.BlockRef
		apply := func(history bool) {
			b := &chain.Batch{Parent: head}
			for range 2 {
				head = chain.BlockRef{Number: head.Number + 1, Hash: chain.Hash{byte(head.Number + 1)}}
				b.Blocks = append(b.Blocks, chain.Block{BlockRef: head})
			}
			if b.Last = head; history {
				final = head
			}
			b.Final = final
			if _, err := j.Append(t.Context(), &chain.Step{Stream: stream, Apply: b}); err != nil {
				t.Fatal(err)
			}
		}
		for range 7 {
			apply(true)
		}
		sink := &bulkSink{}
		r := NewRelay(stream, sink, j, 1, NewStatus()) // one step a look
		r.bulk = make(chan struct{}, 1)
		advance := func() {
			if err := r.Advance(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		advance() // the beginning
		advance() // three steps of two blocks
		advance() // three more
		advance() // what is left, after a while
		for range 3 {
			apply(false)
		}
		advance()
		if want := []int{1, 3, 3, 1, 1}; !slices.Equal(sink.writes, want) {
			t.Errorf("writes of %v steps, want %v", sink.writes, want)
		}
	})
}
