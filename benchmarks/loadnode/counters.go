package loadnode

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

// Counters are what a node was asked for since it was made.
type Counters struct {
	Requests uint64            `json:"requests"` // answered; over HTTP or WebSocket
	Refused  uint64            `json:"refused"`  // requests, or items, over the rate
	Bytes    uint64            `json:"bytes"`    // of answers
	Items    map[string]uint64 `json:"items"`    // calls by method
}

type counters struct {
	requests, refused, bytes atomic.Uint64
	first                    atomic.Int64 // when the first request came, nanoseconds since 1970; 0 before

	mu    sync.Mutex
	items map[string]uint64
}

// request counts one that is answered.
func (c *counters) request() {
	if c.requests.Add(1) == 1 {
		c.first.Store(time.Now().UnixNano())
	}
}

func (c *counters) item(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.items == nil {
		c.items = map[string]uint64{}
	}
	if _, known := c.items[method]; known || len(c.items) < 32 { // a caller must not grow it
		c.items[method]++
	}
}

// Counters are the figures as of now.
func (n *Node) Counters() Counters {
	c := &n.counters
	c.mu.Lock()
	defer c.mu.Unlock()
	return Counters{c.requests.Load(), c.refused.Load(), c.bytes.Load(), maps.Clone(c.items)}
}

// First is when the first request came; zero before.
func (n *Node) First() time.Time {
	if at := n.counters.first.Load(); at != 0 {
		return time.Unix(0, at)
	}
	return time.Time{}
}
