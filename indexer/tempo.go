package indexer

import "time"

// tempo says when to look for the next block: when it is due, by how often blocks
// came of late. A look that finds its block at once may have come late, so the next
// one comes a little earlier; one that comes too early is repeated soon, then less
// and less often. So a look in four finds nothing, and a block waits for an eighth
// of the time between two at most. It is pure.
type tempo struct {
	poll   time.Duration // the longest wait while nothing is known, or a block is overdue
	head   uint64        // the highest seen: backends behind one URL show different ones in turn
	seen   time.Time     // when that was
	every  time.Duration // between two blocks; 0: not known
	misses int           // looks since then that found no newer one
}

const (
	tempoLeast = 10 * time.Millisecond
	tempoMost  = 12 * time.Second // no wait is longer: a chain that was slow may be fast again
	tempoEarly = 50               // a 50th of the time between two blocks earlier
	tempoAgain = 12               // a 12th later
	tempoSlow  = 8                // an 8th of what is new counts
)

// look takes what a look at the head found.
func (t *tempo) look(now time.Time, head uint64) {
	if head <= t.head {
		t.misses++
		return
	}
	if !t.seen.IsZero() {
		took := min(now.Sub(t.seen)/time.Duration(head-t.head), tempoMost)
		if t.every == 0 {
			t.every = took
		}
		t.every = max(t.every+(took-t.every)/tempoSlow, tempoLeast)
	}
	t.head, t.seen, t.misses = head, now, 0
}

// wait is how long to wait now.
func (t *tempo) wait(now time.Time) time.Duration {
	switch {
	case t.every == 0:
		return t.poll
	case t.misses == 0:
		return max(t.seen.Add(t.every-t.every/tempoEarly).Sub(now), 0)
	}
	return min(t.every/tempoAgain<<min(t.misses-1, 8), max(t.poll, t.every))
}
