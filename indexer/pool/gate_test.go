package pool

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"superindex/indexer/ethrpc"
)

// meterman is an endpoint that bears so many calls a second.
type meterman struct {
	rate, burst float64
	window      bool // it counts whole seconds, in place of a bucket that refills
	retry       time.Duration

	mu      sync.Mutex
	tokens  float64
	at      time.Time
	allowed int
	refused int
}

func (m *meterman) ask(now time.Time, calls float64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.window {
		if now.Truncate(time.Second) != m.at {
			m.at, m.tokens = now.Truncate(time.Second), m.rate
		}
	} else {
		m.tokens = min(m.burst, m.tokens+m.rate*now.Sub(m.at).Seconds())
		m.at = now
	}
	if m.tokens < calls {
		m.refused++
		return &ethrpc.Error{Verdict: ethrpc.Verdict{Kind: ethrpc.Limited, Wait: m.retry}}
	}
	m.tokens -= calls
	m.allowed++
	return nil
}

// A gate whose very first calls are refused goes on at half of the rate at which they
// were made, not at a call a second.
func TestTheFirstCallsAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := NewGate(0)
		for range 40 {
			if err := g.Enter(t.Context(), 1); err != nil {
				t.Fatal(err)
			}
			time.Sleep(50 * time.Millisecond)
			g.Leave(1, 50*time.Millisecond, errDown)
		}
		if err := g.Enter(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
		g.Leave(1, 2*time.Second, verdictError(ethrpc.Verdict{Kind: ethrpc.Limited, Wait: time.Second}))
		if _, _, rate := g.counts(); rate < 8 || rate > 12 {
			t.Errorf("%.1f calls a second, after 20 a second were made", rate)
		}
	})
}

// After the first 30 s, at least 95 % of what an endpoint bears is used, whatever
// its way of counting, with few refusals.
func TestTheGateFindsTheRate(t *testing.T) {
	for name, m := range map[string]*meterman{
		"a bucket of a second":    {rate: 25, burst: 25, retry: time.Second},
		"a bucket of 10 seconds":  {rate: 25, burst: 250, retry: time.Second},
		"a small bucket":          {rate: 25, burst: 5},
		"whole seconds":           {rate: 25, window: true, retry: time.Second},
		"a fast one":              {rate: 100, burst: 100, retry: time.Second},
		"one that does not say":   {rate: 25, burst: 25},
		"a call every other time": {rate: 2, burst: 2, retry: time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			g := NewGate(0)
			begin := time.Now()
			m.at, m.tokens = begin, m.burst
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			done := make(chan int)
			at30 := 0
			for range 32 { // as many as want to
				go func() {
					for ctx.Err() == nil {
						if g.Enter(ctx, 1) != nil {
							continue
						}
						time.Sleep(50 * time.Millisecond)
						err := m.ask(time.Now(), 1)
						time.Sleep(50 * time.Millisecond)
						g.Leave(1, 100*time.Millisecond, err)
					}
					done <- 0
				}()
			}
			time.Sleep(30 * time.Second)
			m.mu.Lock()
			at30 = m.allowed
			m.mu.Unlock()
			for range 32 {
				<-done
			}
			used := float64(m.allowed-at30) / (270 * m.rate)
			t.Logf("%s: %.3f of the rate, %d refused of %d", name, used, m.refused, m.allowed)
			if used < 0.95 || float64(m.refused) > 0.05*float64(m.allowed)+70 {
				t.Errorf("%s: %.3f of the rate used, %d refused of %d; the gate: %+v", name, used, m.refused, m.allowed, g.rate)
			}
		})
	}
}

// An endpoint that refuses everything for a while is asked ever more slowly, and never
// without a limit; what it bore before is not forgotten at the first of its refusals.
func TestRateOfAnEndpointThatRefusesAll(t *testing.T) {
	for _, most := range []float64{0, 25, 0.05} {
		now := time.Unix(1000, 0)
		r := rate{most: most, now: 20, cut: now.Add(-time.Minute), passed: 1200, calm: rateCalm, bore: 20}
		for i := range 60 {
			before := r.now
			now = now.Add(1500 * time.Millisecond)
			r.refused(now, 0, 0)
			if r.now <= 0 || r.now < min(0.69*before, r.least()) || i > 0 && r.now > before {
				t.Fatalf("most %g, refusal %d: from %g to %g", most, i, before, r.now)
			}
		}
	}
}
