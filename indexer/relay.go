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

// Bulk is a sink to which a large write costs less than many small ones.
type Bulk interface {
	// Load holds what next gives, as Write would, until next gives nothing: in writes
	// as large as the sink likes, for which it takes more while it writes. held is told
	// the last step of each write once all of it is held. Both are called one at a time.
	// Every step is an Apply; the sink looks at those that a call of next gave until the
	// next call but one begins: others lie where they were then.
	Load(ctx context.Context, stream chain.Stream, next func(context.Context) ([]chain.Step, error), held func(chain.Seq) error) error
}

// relayBytes is how much a relay takes from the journal at once; decoded it is about
// twice as much in memory, once a network and sink.
const relayBytes = 4 << 20

// While history is read, a relay to a Bulk loads, and waits so long for more where the
// writer has more to bring: one relay of each sink at a time, each for so long, since a load
// is held in memory, here and in the sink. The others write what they have.
const (
	bulkLinger = 500 * time.Millisecond
	bulkTurn   = 10 * time.Second
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
	rest    []chain.Step  // read and not yet written: what ended a load
	small   time.Time     // until then it does not load: a load failed of which nothing was held
	bulk    chan struct{} // of the sink's relays: takes one, which may gather much
	watch   *watcher
}

// NewRelay takes at most so many bytes of steps at once; 0 means the default.
func NewRelay(stream chain.Stream, sink Sink, journal *reorg.Journal, bytes int, status *Status) *Relay {
	if bytes == 0 {
		bytes = relayBytes
	}
	watch := status.network(stream)
	watch.expects(sink.Name())
	return &Relay{stream: stream, sink: sink, journal: journal, bytes: bytes, bulk: make(chan struct{}, 1), watch: watch}
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
	if sink, ok := r.sink.(Bulk); ok && history(steps) && !time.Now().Before(r.small) {
		select {
		case r.bulk <- struct{}{}:
			defer func() { <-r.bulk }()
			return r.load(ctx, sink, steps)
		default:
		}
	}
	return r.write(ctx, steps)
}

func (r *Relay) write(ctx context.Context, steps []chain.Step) error {
	last := steps[len(steps)-1].Seq
	r.watch.writing(r.sink.Name())
	err := r.sink.Write(ctx, steps)
	r.watch.wrote(r.sink.Name(), err)
	if err != nil {
		r.placed = false
		return fmt.Errorf("write %s/%d to %d into %s: %w", r.stream, steps[0].Seq, last, r.sink.Name(), err)
	}
	return r.held(last)
}

// held takes down that the sink holds all up to this step.
func (r *Relay) held(last chain.Seq) error {
	if err := r.journal.Ack(r.sink.Name(), r.stream.Name, last); err != nil {
		return err
	}
	r.after = last
	r.watch.relayed(r.sink.Name(), last)
	return nil
}

// next waits for steps; none after relayIdle, when the sink is to be asked again.
func (r *Relay) next(ctx context.Context) ([]chain.Step, error) {
	if rest := r.rest; rest != nil {
		r.rest = nil
		return rest, nil
	}
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

// history says that the steps are a part of it: at the head nothing waits.
func history(steps []chain.Step) bool {
	for i := range steps {
		if steps[i].Apply == nil {
			return false
		}
	}
	last := steps[len(steps)-1].Apply
	return len(last.Blocks) > 1 && last.Last.Number <= last.Final.Number
}

// load writes the steps and the history that follows them. What follows is read into
// memory that goes with the load: at the head a relay holds none. Where nothing came of it
// the relay writes for as long as it took: a link may be too slow for as much as a load has.
func (r *Relay) load(ctx context.Context, sink Bulk, steps []chain.Step) error {
	name, began, given, reader := r.sink.Name(), time.Now(), steps, r.journal.Reader(r.stream.Name)
	before := r.after
	next := func(ctx context.Context) ([]chain.Step, error) {
		r.watch.resting(name)
		defer r.watch.writing(name)
		if steps != nil {
			given, steps = steps, nil
			return given, nil
		}
		more, err := r.more(ctx, reader, &given[len(given)-1], time.Since(began) < bulkTurn)
		if len(more) > 0 {
			given = more
		}
		return more, err
	}
	held := func(last chain.Seq) error {
		r.watch.wrote(name, nil)
		defer r.watch.writing(name)
		return r.held(last)
	}
	r.watch.writing(name)
	err := sink.Load(ctx, r.stream, next, held)
	if err == nil {
		r.watch.resting(name)
		return nil
	}
	r.watch.wrote(name, err)
	if r.placed, r.rest = false, nil; r.after == before {
		r.small = time.Now().Add(time.Since(began))
	}
	return fmt.Errorf("load %s after %d into %s: %w", r.stream, r.after, name, err)
}

// more is the history that follows a step; nothing where the turn is over, what
// follows is for a Write, or nothing came for a while.
func (r *Relay) more(ctx context.Context, reader *reorg.Reader, last *chain.Step, turn bool) ([]chain.Step, error) {
	linger := time.Duration(0)
	if !turn {
		return nil, nil
	} else if last.Apply.Last.Number < r.watch.finalized() {
		linger = bulkLinger
	}
	wait, cancel := context.WithTimeout(ctx, linger)
	defer cancel()
	more, err := reader.Next(wait, last.Seq, r.bytes)
	switch {
	case len(more) == 0 && wait.Err() != nil && ctx.Err() == nil:
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("%s to %s: %w", r.stream, r.sink.Name(), err)
	case !history(more):
		r.rest = more
		return nil, nil
	}
	return more, nil
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
