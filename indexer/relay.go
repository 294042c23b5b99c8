package indexer

import (
	"context"
	"fmt"
	"time"

	"superindex/chain"
	"superindex/reorg"
)

// Sink is a destination: a table, a stream. It is safe for concurrent use by
// different streams.
type Sink interface {
	Name() string

	// Position is what the sink itself holds of the stream, written with its
	// rows. It must be called before the first Write, and again after one failed.
	Position(ctx context.Context, stream chain.Stream) (chain.Position, error)

	// Write returns nil only once the sink durably holds every step, in order.
	// All are of one stream. After an error or a restart steps may come again,
	// grouped otherwise, never with a gap. The sink keeps nothing of steps.
	Write(ctx context.Context, steps []chain.Step) error
}

// Bulk is a sink to which one large write costs less than many small ones.
type Bulk interface {
	// BulkRows is how many rows a write should have where history is read; 0 for
	// no matter how many.
	BulkRows() int
}

// relayBytes is how much a relay takes from the journal at once; decoded it is about
// twice as much in memory, once a network and sink.
const relayBytes = 4 << 20

// While history is read, a relay to a Bulk waits so long for more, and takes so many
// times as much: one relay at a time, since it is held in memory.
const (
	bulkLinger = 500 * time.Millisecond
	bulkReads  = 2
)

// relayIdle is after how long without a step a relay asks its sink again: somebody
// may have emptied it or put a back-up in its place.
const relayIdle = time.Minute

// Relay plays the steps of one stream, in order, into one sink. It belongs to one
// goroutine.
type Relay struct {
	stream  chain.Stream
	sink    Sink
	journal *reorg.Journal
	bytes   int
	after   chain.Seq
	placed  bool          // after is the sink's own position
	bulk    chan struct{} // takes one relay, which may gather much; nil for none
	watch   *watcher
}

// NewRelay takes at most so many bytes of steps at once; 0 means the default.
func NewRelay(stream chain.Stream, sink Sink, journal *reorg.Journal, bytes int, status *Status) *Relay {
	if bytes == 0 {
		bytes = relayBytes
	}
	watch := status.network(stream)
	watch.expects(sink.Name())
	return &Relay{stream: stream, sink: sink, journal: journal, bytes: bytes, watch: watch}
}

// Advance writes what follows the sink's position, and waits where nothing does.
// Where it starts is the sink's word alone; it asks for it at first and after
// every error, since a failed write may have taken effect.
func (r *Relay) Advance(ctx context.Context) error {
	if err := r.place(ctx); err != nil {
		return err
	}
	steps, err := r.next(ctx)
	if err != nil || len(steps) == 0 {
		return err
	}
	if rows := r.bulkRows(steps); rows > 0 {
		select {
		case r.bulk <- struct{}{}:
			defer func() { <-r.bulk }()
			if steps, err = r.gather(ctx, steps, rows); err != nil {
				return err
			}
		default:
		}
	}
	last := steps[len(steps)-1].Seq
	timer := r.watch.writing(r.sink.Name())
	err = r.sink.Write(ctx, steps)
	timer(err)
	if err != nil {
		r.placed = false
		return fmt.Errorf("write %s/%d to %d into %s: %w", r.stream, steps[0].Seq, last, r.sink.Name(), err)
	}
	if err := r.journal.Ack(r.sink.Name(), r.stream.Name, last); err != nil {
		return err
	}
	r.after = last
	r.watch.relayed(r.sink.Name(), last)
	return nil
}

// next waits for steps; none after relayIdle, when the sink is to be asked again.
func (r *Relay) next(ctx context.Context) ([]chain.Step, error) {
	idle, cancel := context.WithTimeout(ctx, relayIdle)
	defer cancel()
	steps, err := r.journal.Next(idle, r.stream.Name, r.after, r.bytes)
	if idle.Err() != nil && ctx.Err() == nil && len(steps) == 0 {
		r.placed = false
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%s to %s: %w", r.stream, r.sink.Name(), err)
	}
	return steps, nil
}

// bulkRows is how many rows the sink wants at once of what the steps are a part of;
// 0 for no more than there are: at the head nothing waits.
func (r *Relay) bulkRows(steps []chain.Step) int {
	sink, ok := r.sink.(Bulk)
	last := steps[len(steps)-1].Apply
	if !ok || r.bulk == nil || last == nil || len(last.Blocks) < 2 || last.Last.Number > last.Final.Number {
		return 0
	}
	return sink.BulkRows()
}

// gather adds what follows the steps until they have so many rows.
func (r *Relay) gather(ctx context.Context, steps []chain.Step, rows int) ([]chain.Step, error) {
	linger, cancel := context.WithTimeout(ctx, bulkLinger)
	defer cancel()
	for range bulkReads {
		if rowsOf(steps) >= rows {
			break
		}
		more, err := r.journal.Next(linger, r.stream.Name, steps[len(steps)-1].Seq, r.bytes)
		if linger.Err() != nil && len(more) == 0 {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s to %s: %w", r.stream, r.sink.Name(), err)
		}
		steps = append(steps, more...)
	}
	return steps, nil
}

func rowsOf(steps []chain.Step) (n int) {
	for i := range steps {
		if a := steps[i].Apply; a != nil {
			n += len(a.Blocks) + len(a.Events) + len(a.Transactions)
		}
	}
	return n
}

func (r *Relay) place(ctx context.Context) error {
	if r.placed {
		return nil
	}
	pos, err := r.sink.Position(ctx, r.stream)
	if err != nil {
		return fmt.Errorf("ask %s for its position in %s: %w", r.sink.Name(), r.stream, err)
	}
	after, err := r.journal.Resume(r.stream.Name, r.sink.Name(), pos)
	if err != nil {
		return err
	}
	r.after, r.placed = after, true
	r.watch.relayed(r.sink.Name(), after)
	st, err := r.journal.Stat(r.stream.Name)
	if err != nil {
		return err
	}
	if st.Head == after { // it may wait long for a step now; where there is one, its write says how it goes
		r.watch.fault(r.sink.Name(), nil)
	}
	return nil
}
