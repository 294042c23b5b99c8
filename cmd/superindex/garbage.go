package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"sync"
)

// How much garbage may lie about before it is collected. In percent of what is live: Go's
// own 100 lets a backfill of many networks take half as much memory again. But about so
// many bytes at least: one network's is live with 30 to 70 MiB, and what NATS makes of a
// million events had these marked 175 times, a fifth of the daemon's time. A heap of a few
// MiB may grow severalfold before the next look.
const (
	garbagePercent = 50
	garbageLeast   = 80 << 20
	garbageMost    = 400 // percent
)

// collect sets from now on, after each collection, when the next one is due; until
// stop. The operator's GOGC holds in its place.
func collect() (stop func()) {
	if os.Getenv("GOGC") != "" {
		return func() {}
	}
	c := &collection{live: []metrics.Sample{{Name: "/gc/heap/live:bytes"}}}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.before = c.set()
	c.again()
	return c.stop
}

// collection is what one collection leaves for the next.
type collection struct {
	mu      sync.Mutex
	live    []metrics.Sample
	percent int
	before  int // what held until collect
	over    bool
}

func (c *collection) stop() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	debug.SetGCPercent(c.before)
}

// again calls set, with the lock, once the collection under way, or the next one, has
// found that nobody holds what is made here.
func (c *collection) again() {
	runtime.SetFinalizer(&struct{ *collection }{c}, func(*struct{ *collection }) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if !c.over {
			c.set()
			c.again()
		}
	})
}

// set returns the percentage until now. The lock is held.
func (c *collection) set() (before int) {
	metrics.Read(c.live)
	percent := share(c.live[0].Value.Uint64())
	if percent == c.percent {
		return percent
	}
	c.percent = percent
	return debug.SetGCPercent(percent)
}

// share is how much garbage may lie about in percent of what is live, in tens: to change
// it stops all goroutines for a moment.
func share(live uint64) int {
	percent := uint64(garbageMost)
	if live > 0 {
		percent = min(percent, garbageLeast*100/live)
	}
	return int(max(percent/10*10, garbagePercent))
}
