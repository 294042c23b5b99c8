package indexer

import (
	"slices"
	"time"
)

// State says in a word how a stream stands.
type State string

// A stream is Synced only if nothing at all speaks against it.
const (
	Red         State = "red"          // something stands in the way, or nothing moves
	Starting    State = "starting"     // no head, no step was seen yet
	CatchingUp  State = "catching_up"  // the endpoint has blocks that the journal has not
	HeadStale   State = "head_stale"   // the journal has all, but the endpoint's head is old, or lower than ours
	SinksBehind State = "sinks_behind" // a sink lacks steps that the journal has
	Filling     State = "filling"      // the head is there; history of late addresses is not
	Synced      State = "synced"       // every sink holds the head, and the head is fresh
)

// headSeenWithin is how old an endpoint's word may be; it is asked every second.
const headSeenWithin = 15 * time.Second

func (n *NetworkReport) judge(now time.Time) State {
	switch {
	case len(n.Faults) > 0 || len(n.Stalled) > 0:
		return Red
	case n.Seq == 0, n.ChainID != 0 && n.HeadSeen.IsZero():
		return Starting
	case n.ChainID != 0 && n.Behind > few:
		return CatchingUp
	case n.ChainID != 0 && n.stale(now):
		return HeadStale
	}
	for _, s := range n.Sinks {
		if s.Lag > 0 {
			return SinksBehind
		}
	}
	if n.Owed > 0 {
		return Filling
	}
	return Synced
}

// Moves reports whether the stream of a network goes on at an instant, or would if
// there were new blocks: its endpoint was seen of late, unless it still has much to
// read from it, and neither its reading nor its journal stands still. How its sinks
// do does not matter.
func (n *NetworkStatus) Moves(now time.Time) bool {
	stuck := func(stage string) bool {
		return stage == stalledBegin || stage == ToJournal.String() || stage == WaitRPC.String()
	}
	switch {
	case n.ChainID == 0, n.HeadSeen.IsZero(), n.Faults["writer"] != "", slices.ContainsFunc(n.Stalled, stuck):
		return false
	}
	return n.Behind > few || now.Sub(n.HeadSeen) <= headSeenWithin
}

// stale: what the endpoint showed as its head is not what the chain's head is now.
func (n *NetworkReport) stale(now time.Time) bool {
	return now.Sub(n.HeadSeen) > headSeenWithin || now.Sub(n.LatestTime) >= n.patience() || n.Indexed.Number > n.Latest.Number+few
}
