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

// Status is what the engine knows of itself: the source of /api/status, of the
// metrics and of the terminal. It is safe for concurrent use.
type Status struct {
	mu       sync.Mutex
	networks map[string]*watcher
	stages   map[string]*Stages
}

// NewStatus knows of no network yet.
func NewStatus() *Status {
	return &Status{networks: map[string]*watcher{}, stages: map[string]*Stages{}}
}

// NetworkStatus is one network at one instant.
type NetworkStatus struct {
	Network string         `json:"network"`
	ChainID uint64         `json:"chain_id"`
	Latest  chain.BlockRef `json:"latest"` // the node's three heads
	Safe    chain.BlockRef `json:"safe"`
	Final   chain.BlockRef `json:"finalized"`
	Indexed chain.BlockRef `json:"indexed"` // the last block in the journal
	// IndexedTime and HeadSeen are when that block was made, and when the node last answered.
	IndexedTime time.Time    `json:"indexed_time"`
	HeadSeen    time.Time    `json:"head_seen"`
	Seq         chain.Seq    `json:"seq"` // the last step
	Steps       uint64       `json:"steps"`
	Blocks      uint64       `json:"blocks"`
	Events      uint64       `json:"events"`
	Reorgs      uint64       `json:"reorgs"`
	LastReorg   chain.Revert `json:"-"`
	// Faults are what stands in the way now, by part ("writer", "fill", a sink's name).
	Faults map[string]string `json:"faults,omitempty"`
	Sinks  []SinkStatus      `json:"sinks"`
	spent  [stages]time.Duration
	Recent []chain.Event `json:"-"` // the last decoded events, newest last
}

// SinkStatus is one network in one sink.
type SinkStatus struct {
	Name    string        `json:"name"`
	Seq     chain.Seq     `json:"seq"` // the last step that it holds
	Writes  uint64        `json:"writes"`
	Failed  uint64        `json:"failed"`
	Seconds float64       `json:"seconds"` // spent writing
	Took    time.Duration `json:"last_write_ns"`
}

// Snapshot is every network, by name.
func (s *Status) Snapshot() []NetworkStatus {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []NetworkStatus
	for _, name := range slices.Sorted(maps.Keys(s.networks)) {
		all = append(all, s.networks[name].snapshot())
	}
	return all
}

// Stages is where the time of a network is to be counted.
func (s *Status) Stages(network string) *Stages {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stagesOf(network)
}

func (s *Status) stagesOf(network string) *Stages {
	if s.stages[network] == nil {
		s.stages[network] = new(Stages)
	}
	return s.stages[network]
}

func (s *Status) network(stream chain.Stream) *watcher {
	s.mu.Lock()
	defer s.mu.Unlock()
	w := s.networks[stream.Name]
	if w == nil {
		w = &watcher{
			now:    NetworkStatus{Network: stream.Name, ChainID: stream.ChainID},
			stages: s.stagesOf(stream.Name), sinks: map[string]*SinkStatus{}, faults: map[string]string{},
		}
		s.networks[stream.Name] = w
	}
	return w
}

// recentEvents is how many events the terminal can show.
const recentEvents = 32

// watcher takes down what happens to one network.
type watcher struct {
	stages *Stages

	mu     sync.Mutex
	now    NetworkStatus
	sinks  map[string]*SinkStatus
	faults map[string]string
}

func (w *watcher) snapshot() NetworkStatus {
	w.mu.Lock()
	defer w.mu.Unlock()
	st := w.now
	st.spent = w.stages.all()
	st.Faults, st.Recent = maps.Clone(w.faults), slices.Clone(st.Recent)
	for _, name := range slices.Sorted(maps.Keys(w.sinks)) {
		st.Sinks = append(st.Sinks, *w.sinks[name])
	}
	return st
}

func (w *watcher) heads(h Heads) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now.Latest, w.now.Safe, w.now.Final, w.now.HeadSeen = h.Latest, h.Safe, h.Final, time.Now()
}

// resumed takes where the journal stood at the start.
func (w *watcher) resumed(seq chain.Seq, head chain.BlockRef) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now.Seq, w.now.Indexed = seq, head
}

// decode makes events of logs, on the clock.
func (w *watcher) decode(t *decoder.Table, logs []chain.Log) []chain.Event {
	began := time.Now()
	defer func() { w.stages.Add(Decode, time.Since(began)) }()
	return decode(t, logs)
}

// append gives a step to the journal, on the clock, and takes down what it did. The
// step has its Seq then.
func (w *watcher) append(ctx context.Context, journal *reorg.Journal, step *chain.Step, notes ...reorg.Note) (err error) {
	began := time.Now()
	step.Seq, err = journal.Append(ctx, step, notes...)
	w.stages.Add(ToJournal, time.Since(began))
	if err != nil {
		return fmt.Errorf("append to %s: %w", step.Stream, err)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now.take(step)
	return nil
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
		n.Recent = append(n.Recent, s.Apply.Events[max(0, len(s.Apply.Events)-recentEvents):]...)
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

// writing returns what to call when the write has ended.
func (w *watcher) writing(sink string) func(error) {
	began := time.Now()
	return func(err error) {
		w.mu.Lock()
		defer w.mu.Unlock()
		s := w.sink(sink)
		s.Took = time.Since(began)
		w.stages.Add(ToSink, s.Took)
		s.Seconds += s.Took.Seconds()
		s.Writes++
		if err != nil {
			s.Failed++
		}
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
