package sources

import (
	"net/http"
	"net/http/httptest"
	"sync"
)

// Wire is an http.RoundTripper that calls a handler without a network, and notes
// what was asked, so that a test can run in a bubble of testing/synctest.
type Wire struct {
	Handler http.Handler

	// Fault answers instead of the handler where it returns true; n counts from 1.
	Fault func(n int, w http.ResponseWriter, r *http.Request) bool

	mu    sync.Mutex
	asked []string
	count int
}

// RoundTrip implements http.RoundTripper.
func (c *Wire) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	c.asked = append(c.asked, r.URL.Path)
	c.count++
	n := c.count
	c.mu.Unlock()
	w := httptest.NewRecorder()
	if c.Fault == nil || !c.Fault(n, w, r) {
		c.Handler.ServeHTTP(w, r)
	}
	resp := w.Result()
	resp.Request = r
	return resp, nil
}

// Asked are the paths of the requests since the last call.
func (c *Wire) Asked() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	asked := c.asked
	c.asked = nil
	return asked
}
