package pool

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"superindex/indexer/ethrpc"
)

// Gate lets the requests of one endpoint through: as fast as they come until the
// endpoint refuses one for its rate, from then on at a rate that it finds. A request counts as many
// calls as its batch has, as most providers count. It implements ethrpc.Gate.
//
// Requests go through in the order in which they came: the answers are wanted in that
// order, and one that is passed by keeps all that follow it waiting.
type Gate struct {
	places *semaphore.Weighted // of the requests under way, and of those that wait
	turn   *semaphore.Weighted // to be the next one; it is given in the order of asking

	mu    sync.Mutex
	rate  rate
	next  time.Time // when the calls let through so far are paid for
	shut  time.Time // nothing is let through before
	cut   time.Time // requests that began before say nothing of the rate since
	again int       // refusals in a row that did not say how long to wait

	made     meter           // calls let through
	good     meter           // calls that went well
	took     []time.Duration // of the last requests, a ring
	requests uint64
	failed   uint64
}

// NewGate lets at most so many calls a second through; 0: as many as the endpoint bears.
func NewGate(most float64) *Gate {
	g := &Gate{rate: rate{most: most, now: most}, places: semaphore.NewWeighted(mostPlaces), turn: semaphore.NewWeighted(1)}
	if most == 0 {
		g.places.TryAcquire(mostPlaces - fewPlaces)
	}
	return g
}

// So many requests are under way at once. Once the rate is known it is the rate that
// spares the endpoint, and as many may be as that takes, however late the answers come.
const (
	fewPlaces  = 16
	mostPlaces = 32
)

// patience is how long a request waits at a gate that is shut; it fails where it
// would have to wait longer, so that another endpoint is asked, or the fault shown.
const patience = 5 * time.Second

// ShutError says that an endpoint wants no request now.
type ShutError struct{ Wait time.Duration }

func (e *ShutError) Error() string {
	return fmt.Sprintf("rate limited for another %v", e.Wait.Round(time.Millisecond))
}

// RetryAfter implements indexer.Patient.
func (e *ShutError) RetryAfter() time.Duration { return e.Wait }

// Enter waits until a request of so many calls may be made.
func (g *Gate) Enter(ctx context.Context, calls int) error {
	if err := g.places.Acquire(ctx, 1); err != nil {
		return err
	}
	err := g.inTurn(ctx, calls)
	if err != nil {
		g.places.Release(1)
	}
	return err
}

// inTurn lets the requests through one after the other.
func (g *Gate) inTurn(ctx context.Context, calls int) error {
	if err := g.turn.Acquire(ctx, 1); err != nil {
		return err
	}
	defer g.turn.Release(1)
	for {
		wait, shut := g.pass(time.Now(), calls)
		switch {
		case shut > patience:
			return &ShutError{shut}
		case wait <= 0 && shut <= 0:
			return ctx.Err()
		}
		pause(ctx, max(wait, shut))
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
}

// pass lets a request through now, or says how long to wait: what it waits for may
// change.
func (g *Gate) pass(now time.Time, calls int) (wait, shut time.Duration) {
	g.mu.Lock()
	defer g.mu.Unlock()
	wait, shut = g.next.Sub(now), g.shut.Sub(now)
	if wait > 0 || shut > 0 {
		return wait, shut
	}
	g.made.add(now, calls)
	if g.next = now; g.rate.now > 0 {
		g.next = now.Add(time.Duration(float64(calls) / g.rate.now * float64(time.Second)))
	}
	return 0, 0
}

// delay is how long a request would wait now.
func (g *Gate) delay(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(g.next.Sub(now), g.shut.Sub(now), 0)
}

// shutFor is how long the endpoint wants no request.
func (g *Gate) shutFor(now time.Time) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	return max(g.shut.Sub(now), 0)
}

// Leave takes what came of a request of so many calls that took so long.
func (g *Gate) Leave(calls int, took time.Duration, err error) {
	defer g.places.Release(1)
	g.mu.Lock()
	defer g.mu.Unlock()
	now := time.Now()
	g.requests++
	if len(g.took) < latencies {
		g.took = append(g.took, took)
	} else {
		g.took[g.requests%latencies] = took
	}
	switch verdict := ethrpc.VerdictOf(err); {
	case err == nil:
		g.again = 0
		g.good.add(now, calls)
		g.rate.borne(now, calls, g.good.rate(now))
	case verdict.Kind == ethrpc.Limited:
		g.failed++
		g.refused(now, took, verdict.Wait)
	default:
		g.failed++
	}
}

// refused shuts the gate for as long as was asked, and slows down, once for all
// the requests that were under way together.
func (g *Gate) refused(now time.Time, took, wait time.Duration) {
	first := now.Add(-took).After(g.cut)
	if wait == 0 {
		if first {
			g.again++
		}
		wait = time.Second << min(max(g.again-1, 0), 5)
		wait = wait/2 + rand.N(wait/2)
	}
	if until := now.Add(wait); until.After(g.shut) {
		g.shut = until
	}
	if first {
		if g.rate.now == 0 {
			g.places.Release(mostPlaces - fewPlaces)
		}
		g.rate.refused(now, g.good.rate(now), g.made.rate(now))
		g.cut, g.next = now, now
	}
}

// latencies is how many requests the latency window holds.
const latencies = 128

// latency is a quantile of the last requests' time; 0 while there is none.
func (g *Gate) latency(quantile float64) time.Duration {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(g.took))
	return sorted[min(int(quantile*float64(len(sorted))), len(sorted)-1)]
}

// counts are what was asked and what failed, and the rate, 0 where none was met.
func (g *Gate) counts() (requests, failed uint64, rate float64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.requests, g.failed, g.rate.now
}
