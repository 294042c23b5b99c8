package indexer

import (
	"cmp"
	"maps"
	"slices"
	"time"
)

// Progress is how fast a stream moves, over the last half minute.
type Progress struct {
	BlocksPerSecond float64 `json:"blocks_per_second"`
	EventsPerSecond float64 `json:"events_per_second"`
	Behind          uint64  `json:"behind_blocks"`  // from the indexed block to the head
	BehindSeconds   float64 `json:"behind_seconds"` // the same in the blocks' own time

	// Left is in how many seconds every sink holds the head, at this pace; absent
	// where that is not known, or never.
	Left *float64 `json:"seconds_left,omitempty"`

	// Bottleneck is what the stream waits for: a stage or a sink's name; empty at the
	// head. Busy is the seconds a second that each of them spent.
	Bottleneck string             `json:"bottleneck,omitempty"`
	Busy       map[string]float64 `json:"busy,omitempty"`
}

// sample is a status at an instant.
type sample struct {
	at time.Time
	NetworkStatus
}

// progressWindow is over how long rates are taken.
const progressWindow = 30 * time.Second

// few blocks or steps behind is at the head: some are always on their way.
const few = 3

func (n *NetworkStatus) behind() {
	n.Behind = n.Latest.Number - min(n.Indexed.Number, n.Latest.Number)
	if n.Behind > 0 && !n.LatestTime.IsZero() && !n.IndexedTime.IsZero() {
		n.BehindSeconds = max(0, n.LatestTime.Sub(n.IndexedTime).Seconds())
	}
}

// progress compares two samples, of which the second is the later; full: the journal
// has no room.
func progress(first, last sample, full bool) (p Progress) {
	seconds := last.at.Sub(first.at).Seconds()
	if seconds <= 0 {
		return p
	}
	rate := func(from, to uint64) float64 { return float64(to-min(from, to)) / seconds }
	p.BlocksPerSecond, p.EventsPerSecond = rate(first.Blocks, last.Blocks), rate(first.Events, last.Events)
	p.Busy = busy(first, last, seconds)
	last.behind()
	atHead := last.Behind <= few
	left := last.left(p.BlocksPerSecond - rate(first.Latest.Number, last.Latest.Number))
	for i := range last.Sinks {
		s := &last.Sinks[i]
		atHead = atHead && s.Lag <= few
		if i < len(first.Sinks) && s.Lag > few {
			left = longer(left, float64(s.Lag), rate(uint64(first.Sinks[i].Seq), uint64(s.Seq)))
		}
	}
	p.Left = left
	if !atHead {
		p.Bottleneck = last.bottleneck(p.Busy, full)
	}
	return p
}

// busy is the seconds a second that stages and sinks spent.
func busy(first, last sample, seconds float64) map[string]float64 {
	all := map[string]float64{}
	for stage := range stages - 1 { // the sinks stand for themselves
		all[stage.String()] = (last.spent[stage] - first.spent[stage]).Seconds() / seconds
	}
	for i, s := range last.Sinks {
		if i < len(first.Sinks) {
			all[s.Name] = (s.Seconds - first.Sinks[i].Seconds) / seconds
		}
	}
	return all
}

// left is how long the writer needs to come to a head to which it gains so many
// blocks a second.
func (n *NetworkStatus) left(gain float64) *float64 {
	zero := 0.0
	if n.Behind <= few {
		return &zero
	}
	return longer(&zero, float64(n.Behind), gain)
}

// longer is the longer of a time and of work at a rate; nil is for ever.
func longer(than *float64, work, rate float64) *float64 {
	if than == nil || rate <= 0 {
		return nil
	}
	seconds := max(*than, work/rate)
	return &seconds
}

// From these shares of the time on a sink or the journal is what limits the stream.
const (
	sinkBusy    = 0.8
	journalBusy = 0.5
)

// bottleneck is the first of these:
//   - of the sinks that lag and write nearly all the time, the one that lags most;
//     where the journal is full or has all blocks, of all that lag;
//   - the journal, where appending takes half of the time;
//   - what of the fetching takes most time.
func (n *NetworkStatus) bottleneck(busy map[string]float64, full bool) string {
	var slowest SinkStatus
	for _, s := range n.Sinks {
		if s.Lag > few && (busy[s.Name] > sinkBusy || full || n.Behind <= few) && s.Lag > slowest.Lag {
			slowest = s
		}
	}
	if slowest.Name != "" {
		return slowest.Name
	}
	if busy[ToJournal.String()] > journalBusy {
		return ToJournal.String()
	}
	fetching := []string{WaitRPC.String(), Parse.String(), Decode.String()}
	return slices.MaxFunc(fetching, func(a, b string) int { return cmp.Compare(busy[a], busy[b]) })
}

// look is made every second: it takes a sample, and finds where work waits and
// nothing moves.
func (w *watcher) look(now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	st := w.state(now)
	st.Recent, st.Faults = nil, nil
	w.samples = append(w.samples, sample{now, st})
	old := 0
	for now.Sub(w.samples[old].at) > progressWindow {
		old++
	}
	w.samples = slices.Delete(w.samples, 0, old)
	w.now.Stalled = w.stalled(now, st.work(w.appending > 0 || w.full))
}

// mark is where a stage last stood, and since when.
type mark struct {
	at    [2]uint64
	since time.Time
}

// stalled are the stages whose work has not moved for too long.
func (w *watcher) stalled(now time.Time, work map[string][2]uint64) (stages []string) {
	maps.DeleteFunc(w.marks, func(stage string, _ mark) bool { _, waits := work[stage]; return !waits })
	for stage, at := range work {
		if m, known := w.marks[stage]; !known || m.at != at {
			w.marks[stage] = mark{at, now}
		}
		if now.Sub(w.marks[stage].since) >= w.now.patience() {
			stages = append(stages, stage)
		}
	}
	slices.Sort(stages)
	return stages
}
