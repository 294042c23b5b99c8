package world

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"superindex/chain"
	"superindex/reorg"
)

// World is everything, and what must hold of it.
type World struct {
	chain *Chain
	node  *Node
	table *Table
	log   *Log

	disk   *Disk
	daemon *Daemon

	watched    Set
	start      uint64
	clock      time.Duration // how far the clock is off
	quota      uint64
	keep       time.Duration
	relayBytes int
	loads      Loading // as the sinks load; without calls they do not

	// What the invariants are checked against; the sinks of a process that runs by
	// itself write side by side.
	mu     sync.Mutex
	steps  map[chain.JournalID]*history
	broken error // the first violation that a sink saw
	excuse bool  // somebody lost, restored or emptied something: a relay may be red
	diary  []note
}

// note is one thing that happened; the last of them are shown with a failure.
type note struct {
	what string
	args []any
}

func (w *World) note(what string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.diary = append(w.diary, note{what, args})
}

// Diary is what happened last, for the reader of a failure.
func (w *World) Diary() (lines []string) {
	for _, n := range w.diary[max(0, len(w.diary)-200):] {
		lines = append(lines, fmt.Sprintf(n.what, n.args...))
	}
	return lines
}

// history is what one journal has said, as its readers saw it.
type history struct {
	order  []chain.Seq
	digest map[chain.Seq]uint64
	begins map[chain.Seq]bool
	window *reorg.Tracker // the fold over the steps
	final  chain.BlockRef
}

func (w *World) newFaults() *Faults { return &Faults{after: -1, check: w.checkWrite} }

// Context is one that ends by itself, in the bubble's time: nothing may wait longer.
func (w *World) context() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 5*time.Second)
}

// observe reads what the journal has taken since the last look, and checks
// invariants 1, 2, 3 and 5.
func (w *World) observe() error {
	if w.broken != nil {
		return w.broken
	}
	j := w.daemon.journal
	st, err := j.Stat(Stream.Name)
	if err != nil {
		return err
	}
	h := w.steps[j.ID()]
	if h == nil {
		h = &history{digest: map[chain.Seq]uint64{}, begins: map[chain.Seq]bool{}}
		w.steps[j.ID()] = h
	}
	if err := h.kept(st); err != nil {
		return err
	}
	if n := len(h.order); n == 0 || h.order[n-1] < st.Head {
		if err := h.read(w, j, st); err != nil {
			return err
		}
	}
	return h.sameWindow(j)
}

// kept: what was acknowledged is still there, and nothing else is in its place. A
// restored folder has forgotten its end: the history is cut there.
func (h *history) kept(st reorg.Stat) error {
	for len(h.order) > 0 && h.order[len(h.order)-1] > st.Head {
		return fmt.Errorf("invariant 1: step %d is gone, the journal ends at %d", h.order[len(h.order)-1], st.Head)
	}
	if want, ok := h.digest[st.Head]; ok && want != st.Digest {
		return fmt.Errorf("invariant 1: step %d changed", st.Head)
	}
	return nil
}

func (h *history) read(w *World, j *reorg.Journal, st reorg.Stat) error {
	after := chain.Seq(0)
	if n := len(h.order); n > 0 {
		after = h.order[n-1]
	}
	if after < st.Cut { // steps came and went unseen: the fold starts again from what stands now
		return h.trust(j, st)
	}
	steps, err := j.Next(context.Background(), Stream.Name, after, 1<<30)
	if err != nil {
		return err
	}
	for i := range steps {
		if err := h.take(w, &steps[i]); err != nil {
			return err
		}
	}
	return nil
}

// trust takes the journal's word where the steps that led there were not seen.
func (h *history) trust(j *reorg.Journal, st reorg.Stat) (err error) {
	h.order, h.digest = []chain.Seq{st.Head}, map[chain.Seq]uint64{st.Head: st.Digest}
	h.window, err = j.Tracker(Stream.Name)
	h.final = st.Final
	return err
}

func (h *history) take(w *World, s *chain.Step) error {
	if n := len(h.order); n > 0 && s.Seq <= h.order[n-1] {
		return fmt.Errorf("invariant 2: Seq %d after %d", s.Seq, h.order[n-1])
	}
	h.order = append(h.order, s.Seq)
	h.digest[s.Seq] = s.Digest
	switch {
	case s.Revert != nil && s.Revert.Cause == chain.Begin:
		h.begins[s.Seq] = true
		h.window = &reorg.Tracker{}
		h.final = s.Revert.To
	case s.Revert != nil && s.Revert.To.Number < h.final.Number:
		return fmt.Errorf("invariant 5: revert to %v below the finalized %v", s.Revert.To, h.final)
	case s.Apply != nil:
		if s.Apply.Final.Number < h.final.Number {
			return fmt.Errorf("invariant 5: finalized went back from %v to %v", h.final, s.Apply.Final)
		}
		if s.Apply.Final != h.final && !w.chain.finalized(s.Apply.Final) {
			return fmt.Errorf("invariant 5: %v was taken for finalized", s.Apply.Final)
		}
		h.final = s.Apply.Final
	case s.Fill != nil && s.Fill.To.Number > h.final.Number:
		return fmt.Errorf("a fill up to %v is above the finalized %v", s.Fill.To, h.final)
	}
	if h.window != nil {
		h.window.Play(s)
	}
	return nil
}

// sameWindow is invariant 3.
func (h *history) sameWindow(j *reorg.Journal) error {
	have, err := j.Tracker(Stream.Name)
	if err != nil || h.window == nil {
		return err
	}
	if !slices.Equal(have.Blocks(), h.window.Blocks()) || have.Final() != h.window.Final() || have.Safe() != h.window.Safe() {
		return fmt.Errorf("invariant 3: the window is %v (final %v), the steps imply %v (final %v)",
			have.Blocks(), have.Final(), h.window.Blocks(), h.window.Final())
	}
	return nil
}

// checkWrite is invariant 4: a sink is given steps in order, perhaps repeated,
// never with a gap.
func (w *World) checkWrite(sink string, held chain.Position, steps []chain.Step) error {
	for i := range steps {
		w.note("%s holds %d, gets %s", sink, held.Seq, short{steps[i]})
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	h := w.steps[steps[0].Journal]
	if h == nil {
		return nil // a second process, whose journal nobody observes
	}
	if err := h.inOrder(held, steps); err != nil && w.broken == nil {
		w.broken = fmt.Errorf("invariant 4: %s holds %d: %w", sink, held.Seq, err)
	}
	return w.broken
}

func (h *history) inOrder(held chain.Position, steps []chain.Step) error {
	at, known := slices.BinarySearch(h.order, steps[0].Seq)
	if !known {
		return nil // not observed yet
	}
	if follows := at == 0 || h.order[at-1] <= held.Seq; !follows && !h.begins[steps[0].Seq] {
		return fmt.Errorf("step %d leaves out %d", steps[0].Seq, h.order[at-1])
	}
	for i := 1; i < len(steps) && at+i < len(h.order); i++ {
		if steps[i].Seq != h.order[at+i] {
			return fmt.Errorf("step %d follows %d", steps[i].Seq, steps[i-1].Seq)
		}
	}
	return nil
}

// short shows a step in a line.
type short struct{ chain.Step }

func (s short) String() string {
	switch id := fmt.Sprintf("%.4x/%d", s.Journal[:2], s.Seq); {
	case s.Apply != nil:
		return fmt.Sprintf("%s apply %d to %d, %d events, final %d", id, s.Apply.Parent.Number, s.Apply.Last.Number, len(s.Apply.Events), s.Apply.Final.Number)
	case s.Revert != nil:
		return fmt.Sprintf("%s %v to %d", id, s.Revert.Cause, s.Revert.To.Number)
	default:
		return fmt.Sprintf("%s fill %d to %d", id, s.Fill.From, s.Fill.To.Number)
	}
}

// oneFork: at every instant the rows that users read are of one fork.
func (w *World) oneFork() error {
	for name, view := range map[string][]chain.Log{"log": w.log.View(), "table": w.table.View()} {
		for i := 1; i < len(view); i++ {
			a, b := view[i-1].Block, view[i].Block
			if a.Number == b.Number && a.Hash != b.Hash {
				return fmt.Errorf("%s: rows of two forks at %d", name, a.Number)
			}
		}
	}
	return nil
}

// equal compares what users read with the chain.
func (w *World) equal() error {
	watched := map[chain.Address]bool{}
	for _, a := range w.watched {
		watched[a] = true
	}
	want := w.chain.Canonical(w.start, watched)
	for name, view := range map[string][]chain.Log{"log": w.log.View(), "table": w.table.View()} {
		same := func(a, b chain.Log) bool { return keyOf(a) == keyOf(b) && a.TxHash == b.TxHash && a.Time == b.Time }
		if !slices.EqualFunc(want, view, same) {
			return fmt.Errorf("%s is not the chain:\nwant %v\ngot  %v", name, brief(want), brief(view))
		}
	}
	return nil
}

func brief(logs []chain.Log) (out []string) {
	for _, l := range logs {
		out = append(out, fmt.Sprintf("%v/%d", l.Block, l.Index))
	}
	return out
}
