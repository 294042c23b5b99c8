package clickhouse

import (
	"context"
	"sync"
	"time"
)

// commitLinger is how long the first of some streams whose rows are there waits for
// others that are writing theirs. Rows can be read before; only the next steps of the
// stream wait for the position.
const commitLinger = 100 * time.Millisecond

// commits writes positions of many streams at once: each INSERT makes a part of twelve
// files, and it and its rows are synced. At the head of 34 networks that is a third of
// what the engine does. It is safe for concurrent use.
type commits struct {
	write   func(context.Context, []entry) error // of one turn at a time
	running chan struct{}                        // holds one while a turn is written

	mu    sync.Mutex
	next  *turn         // that takes more entries; nil for none
	under int           // streams that write rows
	none  chan struct{} // closed while there are none
}

// turn is some entries that are written together.
type turn struct {
	entries []entry
	done    chan struct{} // closed when err is there
	err     error
}

func newCommits(write func(context.Context, []entry) error) *commits {
	c := &commits{write: write, running: make(chan struct{}, 1), none: make(chan struct{})}
	close(c.none)
	return c
}

// begin says that a stream writes rows, until end: who commits may wait for it.
func (c *commits) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under++; c.under == 1 {
		c.none = make(chan struct{})
	}
}

func (c *commits) end() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.under--; c.under == 0 {
		close(c.none)
	}
}

// commit returns once the entry is written, begun after the call; or ctx is over: then
// it may be written all the same. The first of a turn writes it, by its own ctx.
func (c *commits) commit(ctx context.Context, e entry) error {
	c.mu.Lock()
	t := c.next
	if t != nil {
		t.entries = append(t.entries, e)
		c.mu.Unlock()
		select {
		case <-t.done:
			return t.err
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	t = &turn{entries: []entry{e}, done: make(chan struct{})}
	c.next = t
	none := c.none
	c.mu.Unlock()

	defer close(t.done)
	t.err = c.lead(ctx, t, none)
	return t.err
}

// lead waits for the turn and for others, and writes what has come together.
func (c *commits) lead(ctx context.Context, t *turn, none <-chan struct{}) error {
	linger := time.NewTimer(commitLinger)
	defer linger.Stop()
	select {
	case <-none:
	case <-linger.C:
	case <-ctx.Done(): // seen below
	}
	c.running <- struct{}{}
	defer func() { <-c.running }()
	c.mu.Lock()
	c.next = nil
	c.mu.Unlock()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	return c.write(ctx, t.entries)
}
