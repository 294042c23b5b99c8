package clickhouse

import (
	"context"
	"slices"
	"time"

	"superindex/chain"
)

// A Write of no more than so many rows, and bytes of data, arguments and bodies, shares
// its INSERTs with other streams'. A larger one has its own: it is worth a statement.
const (
	sharedRows  = 2000
	sharedBytes = 1 << 20
)

// Streams that have a turn of their own each would keep the engine busy: at the head of
// 34 networks, with a block a second each, two or three share one.
const (
	pacePerStream = 2 * time.Millisecond
	longestPace   = 75 * time.Millisecond
)

// pace is between the beginnings of two turns.
func (s *Sink) pace() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	return min(longestPace, pacePerStream*time.Duration(len(s.streams)))
}

// shares says that the steps' rows may be written together with other streams': what
// they remove depends on nothing that is there.
func shares(steps []chain.Step) bool {
	rows, bytes := 0, 0
	for i := range steps {
		switch s := &steps[i]; {
		case s.Apply != nil:
			r, b := sizeOf(steps[i : i+1])
			rows, bytes = rows+r, bytes+b
		case s.Rows != nil:
			rows += len(s.Rows.Rows)
			for j := range s.Rows.Rows {
				bytes += len(s.Rows.Rows[j].Body)
			}
		default:
			return false
		}
	}
	return rows <= sharedRows && bytes <= sharedBytes
}

// turnTimeout bounds the statements of a turn, for which everybody waits.
const turnTimeout = 30 * time.Second

// writeTurn writes the rows of the entries. An entry that failed keeps its error and is
// left out of what follows.
func (s *Sink) writeTurn(ctx context.Context, all []*entry) {
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	s.place(ctx, withSteps(all))
	s.writeShared(ctx, withSteps(all))
}

// sound are the entries that did not fail.
func sound(all []*entry) (left []*entry) {
	for _, e := range all {
		if e.err == nil {
			left = append(left, e)
		}
	}
	return left
}

// withSteps are those of them whose rows are to be written.
func withSteps(all []*entry) (left []*entry) {
	for _, e := range sound(all) {
		if len(e.steps) > 0 {
			left = append(left, e)
		}
	}
	return left
}

func fail(all []*entry, err error) {
	for _, e := range all {
		e.err = err
	}
}

// place finds what the entries lead to, and refuses those whose stream somebody else
// wrote to.
func (s *Sink) place(ctx context.Context, all []*entry) {
	if len(all) == 0 {
		return
	}
	states, err := s.readStates(ctx)
	if err != nil {
		fail(all, err)
		return
	}
	for _, e := range all {
		stored, err := states.of(e.of)
		if e.err = err; err == nil {
			e.err = e.st.fence(e.of, e.held, stored.Position)
		}
		e.next = stored.after(e.steps)
		e.moves = e.next != stored
	}
}

// writeShared makes one INSERT a table of the entries' rows. Where these are refused,
// each entry is written by itself: one must not stop the others.
func (s *Sink) writeShared(ctx context.Context, all []*entry) {
	if len(all) == 0 {
		return
	}
	t := s.inserts.Get().(inserts)
	defer s.inserts.Put(t)
	var steps []chain.Step
	for _, e := range all {
		steps = append(steps, e.steps...)
	}
	err := s.insertAll(ctx, t, steps)
	if err == nil {
		return
	}
	for i, e := range all {
		if len(all) == 1 || !ofRows(err) {
			fail(all[i:], err)
			return
		}
		if e.err = s.insertAll(ctx, t, e.steps); e.err != nil {
			err = e.err
		}
	}
}

// ofRows says that an INSERT failed of what its rows or its table are, and not of what
// the server can do at present.
func ofRows(err error) bool {
	switch code(err) {
	case 0, 75, 159, 202, 241, 243, 252: // the connection; file, time, queries, memory, disk, parts
		return chain.IsFatal(err)
	}
	return true
}

// commit writes where the entries lead, once their rows are on the disk.
func (s *Sink) commit(ctx context.Context, all []*entry) {
	if all = sound(all); len(all) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, turnTimeout)
	defer cancel()
	if err := s.durable(0); err != nil { // the rows
		fail(all, err)
		return
	}
	var moved []*entry
	for _, e := range all {
		if e.moves {
			e.st.doubt.Store(&e.next.Position)
			moved = append(moved, e)
		}
	}
	if len(moved) == 0 {
		return
	}
	if err := s.insertStates(ctx, moved); err != nil {
		fail(moved, err)
	}
}

// keep puts where the entries lead on the disk: with the rows of the next turn, if
// there is one.
func (s *Sink) keep(all []*entry) {
	moved := slices.DeleteFunc(sound(all), func(e *entry) bool { return !e.moves })
	if len(moved) == 0 {
		return
	}
	if err := s.durable(s.pace()); err != nil {
		fail(moved, err)
	}
}
