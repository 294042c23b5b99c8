package clickhouse

import (
	"context"
	"sync"
	"time"

	"superindex/chain"
)

// turns lets streams that write at the same time share their statements: each costs the
// engine 2 ms and more before it does anything. It is safe for concurrent use.
type turns struct {
	write func(context.Context, []*entry) // sets the entries' errors; called by one at a time
	pace  func() time.Duration            // between the beginnings of two turns

	running chan struct{} // holds one while a turn waits or is written
	mu      sync.Mutex
	next    *turn     // takes more entries; nil for none
	began   time.Time // when the last one did
}

// entry is what one stream brings to a turn.
type entry struct {
	of    chain.Stream
	st    *stream
	held  chain.Position // where the stream stands, as its writer knows
	steps []chain.Step   // whose rows the turn is to write; none where they are there
	next  state          // where the stream stands then; the turn's to find where it has steps
	moves bool           // next is not what is on record
	err   error
}

// turn is some entries that are written together.
type turn struct {
	entries []*entry
	waiting int // those whose caller still waits
	cancel  context.CancelFunc
	done    chan struct{} // closed when the errors are there
}

func newTurns(write func(context.Context, []*entry), pace func() time.Duration) *turns {
	return &turns{write: write, pace: pace, running: make(chan struct{}, 1)}
}

// do returns once the entry is written, begun after the call; or ctx is over: then it
// may be written all the same. The first of a turn writes it, until none of its callers waits.
func (q *turns) do(ctx context.Context, e *entry) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	q.mu.Lock()
	t, first := q.next, q.next == nil
	shared := ctx
	if first {
		t = &turn{done: make(chan struct{})}
		shared, t.cancel = context.WithCancel(context.WithoutCancel(ctx))
		q.next = t
	}
	t.entries = append(t.entries, e)
	t.waiting++
	q.mu.Unlock()

	stop := context.AfterFunc(ctx, func() { q.leave(t) })
	defer stop()
	if first {
		q.lead(shared, t)
		return e.err
	}
	select {
	case <-t.done:
		return e.err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave ends the turn that nobody waits for any more.
func (q *turns) leave(t *turn) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t.waiting--; t.waiting == 0 {
		t.cancel()
		q.close(t)
	}
}

// close lets the turn take no more entries. The caller holds the lock.
func (q *turns) close(t *turn) {
	if q.next == t {
		q.next = nil
	}
}

// lead waits until it is the turn's turn, and writes what has come together.
func (q *turns) lead(ctx context.Context, t *turn) {
	defer t.cancel()
	defer close(t.done)
	q.running <- struct{}{}
	defer func() { <-q.running }()
	pace := time.NewTimer(time.Until(q.began.Add(q.pace())))
	defer pace.Stop()
	select {
	case <-pace.C:
	case <-ctx.Done(): // seen by whatever is asked first
	}
	q.mu.Lock()
	q.close(t)
	q.began = time.Now()
	q.mu.Unlock()
	q.write(ctx, t.entries)
}
