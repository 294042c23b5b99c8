package indexer

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"superindex/chain"
	"superindex/decoder"
	"superindex/reorg"
)

// recentEvents is how many events the terminal can show.
const recentEvents = 32

// watcher takes down what happens to one stream. It is safe for concurrent use.
type watcher struct {
	stages *Stages
	meters meters

	mu        sync.Mutex
	now       NetworkStatus
	sinks     map[string]*SinkStatus
	faults    map[string]string
	first     sighting // the first head that was seen
	appending int      // appends under way
	full      bool     // the journal had no room when the writer last asked
	samples   []sample // of the last window, ascending in time
	marks     map[string]mark
}

// sighting is a head and the time when it was made.
type sighting struct {
	number uint64
	made   time.Time
}

func (w *watcher) snapshot() NetworkStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	st := w.state(time.Now())
	st.Recent = slices.Clone(st.Recent)
	if n := len(w.samples); n > 1 {
		st.Progress = progress(w.samples[0], w.samples[n-1], w.full)
	}
	st.behind()
	return st
}

// state is the status but for its progress; Recent is still the watcher's own.
func (w *watcher) state(now time.Time) NetworkStatus {
	st := w.now
	st.spent, st.Faults, st.Stalled = w.stages.all(), maps.Clone(w.faults), slices.Clone(st.Stalled)
	for _, name := range slices.Sorted(maps.Keys(w.sinks)) {
		s := *w.sinks[name]
		if !s.since.IsZero() {
			s.Seconds += now.Sub(s.since).Seconds()
		}
		s.Lag = uint64(st.Seq - min(s.Seq, st.Seq))
		st.Sinks = append(st.Sinks, s)
	}
	return st
}

func (w *watcher) heads(h Heads) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now.Latest, w.now.Safe, w.now.Final, w.now.HeadSeen = h.Latest, h.Safe, h.Final, time.Now()
	w.now.Assumed = h.Assumed
	if h.Time == 0 {
		return
	}
	made := time.Unix(int64(h.Time), 0).UTC()
	w.now.LatestTime = made
	switch {
	case w.first.made.IsZero():
		w.first = sighting{h.Latest.Number, made}
	case h.Latest.Number > w.first.number:
		w.now.blockTime = made.Sub(w.first.made) / time.Duration(h.Latest.Number-w.first.number)
	}
}

// finalized is the block up to which the writer reads history.
func (w *watcher) finalized() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.now.Final.Number
}

// resumed takes where the journal stood at the start.
func (w *watcher) resumed(seq chain.Seq, head chain.BlockRef) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now.Seq, w.now.Indexed = seq, head
}

// waits takes whether the journal has no room for the stream.
func (w *watcher) waits(full bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.full = full
}

// decode decodes events, on the clock.
func (w *watcher) decode(t *decoder.Table, events []chain.Event, m *Memory) {
	began := time.Now()
	defer func() { w.stages.Add(Decode, time.Since(began)) }()
	decode(t, events, m)
}

// draft decodes and drafts what a batch adds, on the clock, and makes its Proof.
func (w *watcher) draft(drafts *reorg.Drafts, b *chain.Batch, t *decoder.Table, m *Memory) (*reorg.Draft, error) {
	began, decoding, proved := time.Now(), time.Duration(0), newProver()
	b.Proof = proved.proof()
	draft, err := drafts.Write(b, func(some []chain.Event) {
		began := time.Now()
		decode(t, some, m)
		decoding += time.Since(began)
		proved.add(some)
		b.Proof = proved.proof()
	})
	w.stages.Add(Decode, decoding)
	w.stages.Add(ToJournal, time.Since(began)-decoding)
	return draft, err
}

// append gives a step to the journal, on the clock, and takes down what it did. The
// step has its Seq then.
func (w *watcher) append(ctx context.Context, journal *reorg.Journal, step *chain.Step, notes ...reorg.Note) error {
	return w.appended(step, func() (chain.Seq, error) { return journal.Append(ctx, step, notes...) })
}

// appended is append by whatever appends the step.
func (w *watcher) appended(step *chain.Step, by func() (chain.Seq, error)) (err error) {
	began := time.Now()
	w.appends(1)
	step.Seq, err = by()
	w.appends(-1)
	w.stages.Add(ToJournal, time.Since(began))
	if err != nil {
		return fmt.Errorf("append to %s: %w", step.Stream, err)
	}
	if r := step.Revert; r != nil && r.Cause == chain.Reorg {
		w.meters.depth.WithLabelValues(step.Stream.Name).Observe(float64(r.Depth()))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now.take(step)
	return nil
}

func (w *watcher) appends(more int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.appending += more
}

// take counts a step that the journal has.
func (n *NetworkStatus) take(s *chain.Step) {
	n.Seq = s.Seq
	n.Steps++
	switch {
	case s.Apply != nil:
		n.Indexed = s.Apply.Last
		n.Blocks += s.Apply.Last.Number - s.Apply.Parent.Number
		n.Events += uint64(len(s.Apply.Events))
		for _, e := range s.Apply.Events[max(0, len(s.Apply.Events)-recentEvents):] {
			n.Recent = append(n.Recent, e.Clone()) // the step's memory is used again
		}
		n.Recent = slices.Delete(n.Recent, 0, max(0, len(n.Recent)-recentEvents))
		if last := len(s.Apply.Blocks) - 1; last >= 0 {
			n.IndexedTime = s.Apply.Blocks[last].When()
		}
	case s.Revert != nil:
		n.Indexed = s.Revert.To
		if s.Revert.Cause == chain.Reorg {
			n.Reorgs++
			n.LastReorg = *s.Revert
		}
	case s.Fill != nil:
		n.Events += uint64(len(s.Fill.Events))
	}
}

func (w *watcher) sink(name string) *SinkStatus {
	if w.sinks[name] == nil {
		w.sinks[name] = &SinkStatus{Name: name}
	}
	return w.sinks[name]
}

// expects makes a sink known before it is reached.
func (w *watcher) expects(sink string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sink(sink)
}

// writing starts the clock of a sink's write.
func (w *watcher) writing(sink string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sink(sink).since = time.Now()
}

// resting stops it for a while: the sink waits for what to write.
func (w *watcher) resting(sink string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.sink(sink)
	took := time.Since(s.since)
	w.stages.Add(ToSink, took)
	s.took += took
	s.Seconds += took.Seconds()
	s.since = time.Time{}
}

// wrote ends a write, and with it the clock.
func (w *watcher) wrote(sink string, err error) {
	w.resting(sink)
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.sink(sink)
	w.meters.writes.WithLabelValues(sink).Observe(s.took.Seconds())
	s.Took, s.took = s.took, 0
	s.Writes++
	if err != nil {
		s.Failed++
	}
}

func (w *watcher) relayed(sink string, to chain.Seq) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sink(sink).Seq = to
}

// fault takes down what stands in a part's way; nil when nothing does.
func (w *watcher) fault(part string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err == nil {
		delete(w.faults, part)
		return
	}
	w.faults[part] = err.Error()
}
