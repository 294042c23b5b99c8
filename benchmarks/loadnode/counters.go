package loadnode

import (
	"maps"
	"sync"
	"sync/atomic"
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

	mu    sync.Mutex
	items map[string]uint64
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
