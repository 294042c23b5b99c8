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
	write, commit func(context.Context, []*entry) // one after the other; each sets the entries' errors, and is called by one at a time
	keep          func([]*entry)                  // the last, which many may be at
	pace          func() time.Duration            // between the beginnings of two turns

	writing, committing chan struct{} // each holds one while a turn is at it, or waits for its time

	mu    sync.Mutex
	next  *turn     // takes more entries; nil for none
	began time.Time // when the last one did
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
	waiting int // those whose ctx is not over
	cancel  context.CancelFunc
	done    chan struct{} // closed when the errors are there
}

func newTurns(write, commit func(context.Context, []*entry), keep func([]*entry), pace func() time.Duration) *turns {
	return &turns{write: write, commit: commit, keep: keep, pace: pace, writing: make(chan struct{}, 1), committing: make(chan struct{}, 1)}
}

// do returns once the entry is written, begun after the call, or failed: its steps are not
// looked at any more. The first of a turn writes it, until no caller's ctx is left.
func (q *turns) do(ctx context.Context, e *entry) error {
	if err := context.Cause(ctx); err != nil {
		return err
	}
	q.mu.Lock()
	t, first := q.next, q.next == nil
	var shared context.Context
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
		if err := q.lead(shared, t); err != nil {
			fail(t.entries, err)
		}
		close(t.done)
	}
	<-t.done
	return e.err
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

// lead waits until it is the turn's turn, and writes what has come together. The rows of
// the next turn are written while this one is synced and commits.
func (q *turns) lead(ctx context.Context, t *turn) error {
	defer t.cancel()
	err := alone(ctx, q.writing, func() error {
		pace := time.NewTimer(time.Until(q.began.Add(q.pace())))
		defer pace.Stop()
		select {
		case <-pace.C:
		case <-ctx.Done(): // it takes no more entries: see leave
			return context.Cause(ctx)
		}
		q.mu.Lock()
		q.close(t)
		q.began = time.Now()
		q.mu.Unlock()
		q.write(ctx, t.entries)
		return nil
	})
	if err != nil {
		return err
	}
	err = alone(ctx, q.committing, func() error {
		q.commit(ctx, t.entries)
		return nil
	})
	if err != nil {
		return err
	}
	q.keep(t.entries)
	return nil
}

// alone calls do while nobody else has the place.
func alone(ctx context.Context, place chan struct{}, do func() error) error {
	select {
	case place <- struct{}{}:
		defer func() { <-place }()
		return do()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
