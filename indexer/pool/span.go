package pool

import (
	"errors"
	"sync"
	"time"

	"superindex/indexer"
	"superindex/indexer/ethrpc"
)

// span finds how many blocks to ask an endpoint for at once, so that no number
// needs to be known of it. Two things limit a request. How many blocks it may name
// is a fixed rule of the provider: it is taken from what the refusal says, or found
// by bisection, and then kept. How many logs an answer may have is compared with
// how many there are in a block of late. It is safe for concurrent use.
type span struct {
	most [2]uint64 // blocks of a request by our own choice: sparse, dense
	now  func() time.Time

	mu     sync.Mutex
	blocks limit
	depth  [2]density
	logs   float64 // an answer may have; never above answerLogs
	said   bool    // the endpoint said so itself: no need to look for more
	fill   float64 // how much of it is aimed at
}

// An answer of answerLogs logs or answerBytes is as large as one should be: with
// what is made of it, some 16 MiB, of which a writer holds twice as many as it
// makes calls at once.
const (
	answerLogs  = 20_000
	answerBytes = 8 << 20
)

// Aiming at all of what an answer may have would often be too much, by chance.
const (
	fillMost  = 0.98
	fillLeast = 0.3
	fillLess  = 0.85  // times, for an answer that was too large
	fillMore  = 0.005 // more, for one that was not
)

// density is what a block has in it, of late.
type density struct{ logs, bytes float64 }

func newSpan(sparse, dense uint64) *span {
	return &span{most: [2]uint64{sparse, dense}, now: time.Now, blocks: limit{next: spanFirst}, logs: answerLogs, fill: fillMost}
}

// spanFirst is how many blocks are asked for before anything is known.
const spanFirst = 100

// The most blocks of a request below finalized, and above it, where each has its header
// in the answer.
const (
	mostSparse = 10_000
	mostDense  = 100
)

func kindOf(dense bool) int {
	if dense {
		return 1
	}
	return 0
}

// len is how many blocks to ask for.
func (s *span) len(dense bool) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := kindOf(dense)
	n, d := min(s.most[of], s.blocks.length(s.now())), s.depth[of]
	if d.logs > 0 {
		n = min(n, uint64(s.fill*s.logs/d.logs))
	}
	if d.bytes > 0 {
		n = min(n, uint64(s.fill*answerBytes/d.bytes))
	}
	return max(n, 1)
}

// cap is how many blocks one request may name; 0 while none was refused.
func (s *span) cap() uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blocks.known()
}

// learn takes what came of asking for n blocks.
func (s *span) learn(n uint64, dense bool, f indexer.Fetched, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	of, verdict := kindOf(dense), ethrpc.VerdictOf(err)
	switch {
	case err == nil:
		s.depth[of].update(n, f)
		s.fill = min(fillMost, s.fill+fillMore)
		if s.blocks.taken(n); !s.said {
			s.logs = min(answerLogs, s.logs*1.01)
		}
	case verdict.Kind == ethrpc.TooManyBlocks:
		s.blocks.refused(s.now(), n, verdict.Blocks)
	case verdict.Kind == ethrpc.TooManyCalls:
		s.most[of] = max(1, min(s.most[of], n/2))
	case errors.Is(err, indexer.ErrTooLarge), verdict.Kind == ethrpc.Silent:
		s.overflowed(n, &s.depth[of], verdict.Logs)
	}
}

// overflowed: an answer of n blocks was too large, or did not come in time; most is
// how many logs it may have, 0 where that was not said. Several that were under way
// together count once.
func (s *span) overflowed(n uint64, d *density, most int) {
	expected := float64(n) * d.logs
	switch {
	case most > 0:
		if s.said && expected <= s.fill*s.logs { // it was known, and yet the answer had more than it should
			s.fill = max(fillLeast, s.fill*fillLess)
		}
		s.logs, s.said = min(float64(most), answerLogs), true
		d.logs = max(d.logs, s.logs/float64(n))
	case expected >= 1:
		s.logs = max(1, min(s.logs, expected*0.75))
	default:
		s.blocks.next = max(1, min(s.blocks.next, n/2))
	}
}

// update follows what is in a block: up at once by half, down slowly.
func (d *density) update(n uint64, f indexer.Fetched) {
	d.logs = follow(d.logs, float64(f.All)/float64(n))
	d.bytes = follow(d.bytes, float64(f.Bytes)/float64(n))
}

func follow(old, seen float64) float64 {
	switch {
	case old == 0:
		return seen
	case seen > old:
		return (old + seen) / 2
	}
	return old + (seen-old)/5
}

// limit finds the most blocks that a request may name. It is pure.
type limit struct {
	next      uint64 // to ask for
	good, bad uint64 // the most that was taken, the least that was refused; bad is 0 while none was
	since     time.Time
	hold      time.Duration // until it is tried whether the limit was lifted
}

const (
	limitHold  = time.Hour
	limitHolds = 24 * time.Hour
	limitClose = 32 // good and bad have met when they differ by a 32nd
)

func (l *limit) length(now time.Time) uint64 {
	if l.bad > 0 && now.Sub(l.since) > max(l.hold, limitHold) {
		l.hold = min(2*max(l.hold, limitHold), limitHolds)
		l.next, l.bad, l.since = l.bad, 0, now
	}
	return l.next
}

func (l *limit) known() uint64 {
	if l.bad == 0 {
		return 0
	}
	return l.next
}

func (l *limit) taken(n uint64) {
	l.good = max(l.good, n)
	switch {
	case n < l.next:
	case l.bad == 0:
		l.next *= 4
	default:
		l.between()
	}
}

func (l *limit) refused(now time.Time, n, said uint64) {
	l.since = now
	if l.bad == 0 || n < l.bad {
		l.bad = n
	}
	if said > 0 && said < n {
		l.good, l.bad, l.next = said, said+1, said
		return
	}
	if l.good >= l.bad {
		l.good = l.bad / 2
	}
	l.between()
}

// between takes the middle of what was taken and what was refused, until they meet.
func (l *limit) between() {
	if l.bad-l.good <= max(1, l.good/limitClose) {
		l.next = max(1, l.good)
		return
	}
	l.next = max(1, l.good+(l.bad-l.good)/2)
}

// cut is the last block of the first part of a range that was too large.
func cut(r indexer.Range, err error) uint64 {
	v := ethrpc.VerdictOf(err)
	if v.Works != (indexer.Range{}) && v.Works.From == r.From && v.Works.To >= r.From && v.Works.To < r.To {
		return v.Works.To
	}
	if v.Kind == ethrpc.TooManyBlocks && v.Blocks > 0 && v.Blocks < r.Len() {
		return r.From + even(r.Len(), v.Blocks) - 1
	}
	return r.From + r.Len()/2 - 1
}

// even is the length of the parts of n when none may be longer than most.
func even(n, most uint64) uint64 {
	parts := (n + most - 1) / most
	return (n + parts - 1) / parts
}
