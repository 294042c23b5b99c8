package indexer

import "time"

// tempo says when to look for the next block: when it is due, by how often blocks
// came of late. A look that finds its block at once may have come late, so the next
// one comes a little earlier, or halves the doubt where that is large; one that
// comes too early is repeated soon, then less and less often. So a look in four
// finds nothing, and a block waits for an eighth of the time between two at most. A
// chain that stood still for a while is no slow one: one long wait says little,
// several blocks at once say a lot. It is pure.
type tempo struct {
	poll   time.Duration // the longest wait while nothing is known, or a block is overdue
	head   uint64        // the highest seen: backends behind one URL show different ones in turn
	seen   time.Time     // when that was
	every  time.Duration // between two blocks; 0: not known
	looked time.Time     // when the last look was
	misses int           // looks since the head was seen that found no newer one
	doubt  time.Duration // how long before it was seen the head may have come
}

const (
	tempoLeast = 10 * time.Millisecond
	tempoMost  = 12 * time.Second // no wait is longer: a chain that was slow may be fast again
	tempoEarly = 50               // a 50th of the time between two blocks earlier
	tempoAgain = 12               // a 12th later
	tempoSlow  = 8                // an 8th of what is new counts
	tempoDoubt = 8                // an 8th of the time between two blocks is no doubt
)

// look takes what a look at the head found.
func (t *tempo) look(now time.Time, head uint64) {
	pause := now.Sub(t.looked)
	t.looked = now
	if head <= t.head {
		t.misses++
		return
	}
	switch took := head - t.head; {
	case t.seen.IsZero():
	case took > 1:
		t.learn(now.Sub(t.seen)/time.Duration(took), true)
		t.doubt = t.every
	default:
		t.learn(now.Sub(t.seen), false)
		if t.doubt /= 2; t.misses > 0 {
			t.doubt = pause
		}
	}
	t.head, t.seen, t.misses = head, now, 0
}

// learn takes how long a new block took, or each of several.
func (t *tempo) learn(took time.Duration, several bool) {
	switch {
	case t.every == 0:
		t.every = min(took, t.poll)
	case several && took < t.every: // the look was too late
		t.every = took
	default:
		t.every += (min(took, 2*t.every) - t.every) / tempoSlow
	}
	t.every = min(max(t.every, tempoLeast), tempoMost)
}

// wait is how long to wait now.
func (t *tempo) wait(now time.Time) time.Duration {
	switch {
	case t.every == 0:
		return t.poll
	case t.misses == 0:
		early := t.every / tempoEarly
		if t.doubt > t.every/tempoDoubt {
			early = min(t.doubt, t.every) / 2
		}
		return max(t.seen.Add(t.every-early).Sub(now), 0)
	}
	return min(t.every/tempoAgain<<min(t.misses-1, 8), max(t.poll, t.every))
}
