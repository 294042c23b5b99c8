package world

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"superindex/chain"
)

var errSink = errors.New("the sink fails")

// Faults is what goes wrong in a sink's next writes: after how many effects it
// fails; negative means never. An effect is a message or a step.
type Faults struct {
	mu    sync.Mutex
	after int
	dead  bool // the process that writes has died: nothing it does takes effect
	check func(sink string, held chain.Position, steps []chain.Step) error
}

// effect counts one effect down.
func (f *Faults) effect() error {
	if f.dead {
		return errSink
	}
	if f.after == 0 {
		f.after = -1
		return errSink
	}
	if f.after > 0 {
		f.after--
	}
	return nil
}

// key orders logs as users read them.
type key struct {
	number uint64
	index  uint32
	hash   chain.Hash
}

func keyOf(l chain.Log) key { return key{l.Block.Number, l.Index, l.Block.Hash} }

func sorted(rows map[key]chain.Log) []chain.Log {
	return slices.SortedFunc(maps.Values(rows), func(a, b chain.Log) int {
		return cmp.Or(cmp.Compare(a.Block.Number, b.Block.Number), cmp.Compare(a.Index, b.Index))
	})
}

// Table is the model of a ReplacingMergeTree(seq) with a deleted column, and of
// the row that holds its position. It survives the processes that write to it.
type Table struct {
	rows map[key]version
	pos  chain.Position
}

type version struct {
	log     chain.Log
	step    *chain.Step // that wrote it: Seq and Digest stand in the row
	deleted bool
}

// held is the position with what the rows themselves say.
func (t *Table) held() chain.Position {
	pos := t.pos
	for _, v := range t.rows {
		if v.step.Seq > pos.High {
			pos.High, pos.HighDigest = v.step.Seq, v.step.Digest
		}
	}
	return pos
}

// View is what users read.
func (t *Table) View() []chain.Log {
	rows := map[key]chain.Log{}
	for k, v := range t.rows {
		if !v.deleted {
			rows[k] = v.log
		}
	}
	return sorted(rows)
}

// Copy is a back-up.
func (t *Table) Copy() *Table { return &Table{maps.Clone(t.rows), t.pos} }

func (t *Table) put(l chain.Log, by *chain.Step) {
	if old, ok := t.rows[keyOf(l)]; !ok || by.Seq >= old.step.Seq {
		t.rows[keyOf(l)] = version{l, by, false}
	}
}

// bury marks the rows of earlier steps, where of is true, as deleted.
func (t *Table) bury(by *chain.Step, of func(chain.Log) bool) {
	for k, v := range t.rows {
		if v.step.Seq < by.Seq && !v.deleted && of(v.log) {
			t.rows[k] = version{v.log, by, true}
		}
	}
}

func (t *Table) play(s *chain.Step) {
	switch {
	case s.Apply != nil:
		for _, e := range s.Apply.Events {
			t.put(e.Log, s)
		}
	case s.Revert != nil:
		t.bury(s, func(l chain.Log) bool { return l.Block.Number > s.Revert.To.Number })
	case s.Fill != nil:
		for _, e := range s.Fill.Events {
			t.put(e.Log, s)
		}
		t.bury(s, func(l chain.Log) bool { return inFill(s.Fill, l) })
	}
}

func inFill(f *chain.Fill, l chain.Log) bool {
	return l.Block.Number >= f.From && l.Block.Number <= f.To.Number && (len(f.Addresses) == 0 || slices.Contains(f.Addresses, l.Address))
}

// TableSink is one process's client of a Table: an indexer.Sink.
type TableSink struct {
	*Faults
	table *Table
	held  *chain.Position // what Position returned; nil after a failure
}

// Name implements indexer.Sink.
func (s *TableSink) Name() string { return "table" }

// Position implements indexer.Sink.
func (s *TableSink) Position(context.Context, chain.Stream) (chain.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return chain.Position{}, errSink
	}
	pos := s.table.pos
	s.held = &pos
	return s.table.held(), nil
}

// Write implements indexer.Sink: rows first, step by step, the position last.
func (s *TableSink) Write(_ context.Context, steps []chain.Step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.held == nil || *s.held != s.table.pos {
		s.held = nil
		return fmt.Errorf("%w: another process wrote", errSink)
	}
	if err := s.check(s.Name(), s.table.pos, steps); err != nil {
		return err
	}
	for i := range steps {
		if err := s.effect(); err != nil {
			s.held = nil
			return err
		}
		step := steps[i]
		if r := step.Revert; r != nil && r.To.Number < s.table.pos.Final.Number {
			s.table.pos.Final = r.To // first: rows below what was final may be gone from here on
			*s.held = s.table.pos
		}
		s.table.play(&step)
	}
	last := &steps[len(steps)-1]
	s.table.pos.Journal, s.table.pos.Seq, s.table.pos.Digest = last.Journal, last.Seq, last.Digest
	s.table.pos.Final, s.table.pos.Watch = after(s.table.pos, steps)
	*s.held = s.table.pos
	if err := s.effect(); err != nil { // it all took effect, but nobody knows
		s.held = nil
		return err
	}
	return nil
}

// after is the finalized block and the watch set on record once these steps are held.
func after(pos chain.Position, steps []chain.Step) (final chain.BlockRef, watch chain.WatchID) {
	final, watch = pos.Final, pos.Watch
	for i := range steps {
		switch s := &steps[i]; {
		case s.Apply != nil:
			final, watch = s.Apply.Final, s.Apply.Watch
		case s.Revert != nil && (s.Revert.Cause == chain.Begin || s.Revert.To.Number < final.Number):
			final = s.Revert.To
		}
	}
	return final, watch
}
