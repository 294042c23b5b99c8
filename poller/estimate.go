package poller

import (
	"maps"
	"slices"
	"time"
)

// Count is how often a feed makes one kind of request.
type Count struct {
	Kind string  `json:"kind"`
	Asks int     `json:"asks"`
	Cost float64 `json:"cost"` // requests or points

	Bytes int64 `json:"bytes,omitempty"` // where they are many
}

// Estimate is what the rounds of a feed cost if all is as the feed assumes.
type Estimate struct {
	Feed      string  `json:"feed"`
	Resources int     `json:"resources"` // at the end of the first round
	First     []Count `json:"first"`     // from nothing, or from where the journal is, until nothing is due
	Steady    []Count `json:"steady"`    // everything that is due again after that, once
}

// Cost is the sum of a round.
func Cost(round []Count) (sum float64) {
	for _, c := range round {
		sum += c.Cost
	}
	return sum
}

// rounds is more than any first round takes: a plan that never ends is cut there.
const rounds = 10_000

// Plan plays a feed's first and its steady round without asking for anything. known
// are the resources of earlier rounds; none plays it from nothing.
func Plan(feed Feed, known []Resource, now time.Time, every time.Duration) Estimate {
	all, named := map[string]*Resource{}, map[string]bool{}
	for _, r := range known {
		all[r.ID] = &r
	}
	for _, id := range feed.Resources() {
		named[id] = true
		if all[id] == nil {
			all[id] = &Resource{ID: id}
		}
	}
	e := Estimate{Feed: feed.Name()}
	e.First = play(feed, all, named, now, every)
	again := now
	for _, r := range all {
		if followed(all, named, r) {
			e.Resources++
			if r.Due.After(again) {
				again = r.Due
			}
		}
	}
	e.Steady = play(feed, all, named, again, every)
	return e
}

// play plans until nothing is due.
func play(feed Feed, all map[string]*Resource, named map[string]bool, now time.Time, every time.Duration) []Count {
	counts := map[string]*Count{}
	due, _ := dueAt(now, all, named, len(all))
	for range rounds {
		if len(due) == 0 {
			break
		}
		asks, idle := split(feed.Plan(now, due), due)
		due = nil // of the next round
		settled := func(ask, after []Resource) {
			for _, r := range settle(now, every, ask, after, func(r Resource) (Resource, bool) { return adopt(all, named, r) }) {
				all[r.ID] = &r
				if !r.Due.After(now) && followed(all, named, &r) {
					due = append(due, r)
				}
			}
		}
		settled(idle, nil)
		for _, a := range asks {
			settled(a.Of, a.Expect)
			if a.Cost == 0 {
				continue // it asks for nothing
			}
			if counts[a.Kind] == nil {
				counts[a.Kind] = &Count{Kind: a.Kind}
			}
			counts[a.Kind].Asks++
			counts[a.Kind].Cost += a.Cost
			counts[a.Kind].Bytes += a.Bytes
		}
		order(due)
	}
	var out []Count
	for _, kind := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, *counts[kind])
	}
	return out
}
