package indexer

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
	"superindex/reorg"
)

// bulkSink takes down how many steps each write had, and each call of next in a load.
type bulkSink struct {
	writes []int
	fails  error         // of the next load
	takes  time.Duration // until that
	at     chain.Position
}

func (s *bulkSink) Name() string { return "bulk" }

func (s *bulkSink) Position(context.Context, chain.Stream) (chain.Position, error) {
	return s.at, nil
}

func (s *bulkSink) hold(steps []chain.Step) {
	last := steps[len(steps)-1]
	s.at = chain.Position{Journal: last.Journal, Seq: last.Seq, Digest: last.Digest, High: last.Seq, HighDigest: last.Digest}
}

func (s *bulkSink) Write(_ context.Context, steps []chain.Step) error {
	s.writes = append(s.writes, -len(steps))
	s.hold(steps)
	return nil
}

func (s *bulkSink) Load(ctx context.Context, _ chain.Stream, next func(context.Context) ([]chain.Step, error), held func(chain.Seq) error) error {
	for {
		steps, err := next(ctx)
		if err != nil || len(steps) == 0 {
			return err
		}
		s.writes = append(s.writes, len(steps))
		if err := s.fails; err != nil {
			s.fails = nil
			time.Sleep(s.takes)
			return err
		}
		s.hold(steps)
		if err := held(steps[len(steps)-1].Seq); err != nil {
			return err
		}
	}
}

// relayed is a relay of one step a look into a bulkSink, and what fills its journal.
type relayed struct {
	*testing.T
	*Relay
	sink  *bulkSink
	head  chain.BlockRef
	final chain.BlockRef
}

func newRelayed(t *testing.T) *relayed {
	stream := chain.Stream{Name: "op", ChainID: 10}
	o := reorg.Defaults()
	o.FS, o.Sinks = vfs.NewMem(), []string{"bulk"}
	j, err := reorg.Open("journal", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { j.Close() })
	if _, err := j.Begin(t.Context(), reorg.Beginning{Stream: stream, Sinks: map[string]chain.Position{"bulk": {}}, Whole: true}); err != nil {
		t.Fatal(err)
	}
	sink := &bulkSink{}
	return &relayed{T: t, Relay: NewRelay(stream, sink, j, 1, NewStatus()), sink: sink}
}

// apply appends a step of two blocks, below finalized where it is history.
func (r *relayed) apply(history bool) {
	b := &chain.Batch{Parent: r.head}
	for range 2 {
		r.head = chain.BlockRef{Number: r.head.Number + 1, Hash: chain.Hash{byte(r.head.Number + 1)}}
		b.Blocks = append(b.Blocks, chain.Block{BlockRef: r.head})
	}
	if b.Last = r.head; history {
		r.final = r.head
	}
	b.Final = r.final
	if _, err := r.journal.Append(r.Context(), &chain.Step{Stream: r.stream, Apply: b}); err != nil {
		r.Fatal(err)
	}
}

func (r *relayed) advance() {
	if err := r.Advance(r.Context()); err != nil {
		r.Fatal(err)
	}
}

// wrote checks the writes since the last look; those of a load are above 0.
func (r *relayed) wrote(want ...int) {
	r.Helper()
	if !slices.Equal(r.sink.writes, want) {
		r.Errorf("writes of %v steps, want %v", r.sink.writes, want)
	}
	r.sink.writes = nil
	if st, err := r.journal.Stat("op"); err != nil || r.after > st.Head {
		r.Errorf("it stands at %d of %d, %v", r.after, st.Head, err)
	}
}

// While history is read a relay loads a sink that wants much at once; at the head, and
// where another relay loads, it writes what is there.
func TestARelayLoadsHistory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t)
		for range 3 {
			r.apply(true)
		}
		r.advance() // the beginning
		r.wrote(-1)
		r.advance()
		r.wrote(1, 1, 1)

		r.apply(true)
		r.bulk <- struct{}{}
		r.advance()
		<-r.bulk
		r.wrote(-1)

		r.apply(true)
		r.apply(false)
		r.apply(false)
		r.advance() // what is no history ends the load
		r.wrote(1)
		r.advance() // and is written then
		r.advance()
		r.wrote(-1, -1)

		r.apply(true)
		r.apply(true)
		away := errors.New("away")
		r.sink.fails = away
		if err := r.Advance(t.Context()); !errors.Is(err, away) || r.placed {
			t.Errorf("a load that failed: %v; the sink is asked again: %v", err, !r.placed)
		}
	})
}

// A sink, or the way to it, that is too slow for a load is written to in small, and asked to
// load again later: with every load lost it still gets on.
func TestALoadThatFailsIsWrittenInSmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t)
		r.advance()
		r.sink.writes = nil
		for range 4 {
			r.apply(true)
		}
		slow := errors.New("no answer within 2m0s")
		for range 2 {
			r.sink.fails, r.sink.takes = slow, 2*time.Minute
			if err := r.Advance(t.Context()); !errors.Is(err, slow) {
				t.Fatalf("the load: %v", err)
			}
			r.wrote(1)
			time.Sleep(time.Minute)
			r.advance()
			r.wrote(-1)
			time.Sleep(time.Minute)
		}
		r.advance() // one that does not fail
		r.wrote(1, 1)
	})
}

// A load waits for more while the writer has history to bring, and not at its end; it
// ends when another relay is to have its turn.
func TestALoadWaitsForTheWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRelayed(t)
		r.advance()
		r.sink.writes = nil
		var writer sync.WaitGroup
		more := func(n int, pause time.Duration) {
			writer.Go(func() {
				for range n {
					time.Sleep(pause)
					r.apply(true)
				}
			})
		}
		r.watch.heads(Heads{Final: chain.BlockRef{Number: 8}})
		began := time.Now()
		more(4, bulkLinger/2) // eight blocks
		r.advance()
		r.wrote(1, 1, 1, 1)
		if took := time.Since(began); took != 2*bulkLinger {
			t.Errorf("it took %v: the writer was not awaited, or beyond its end", took)
		}
		writer.Wait()

		r.watch.heads(Heads{Final: chain.BlockRef{Number: 1000}})
		r.apply(true)
		began = time.Now()
		r.advance() // nothing follows
		r.wrote(1)
		if took := time.Since(began); took != bulkLinger {
			t.Errorf("it waited %v", took)
		}

		n := 2 * int(bulkTurn/(bulkLinger/2))
		more(n, bulkLinger/2)
		began = time.Now()
		r.advance()
		if took := time.Since(began); took < bulkTurn || took > bulkTurn+2*bulkLinger {
			t.Errorf("a turn of %v", took)
		}
		writer.Wait()
	})
}
