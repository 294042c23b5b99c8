package poller

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// GateOptions say what a feed may spend.
type GateOptions struct {
	Feed     string
	PerHour  int               // requests; 0 without limit
	Burst    int               // of them, at once; 0 is 1
	Tries    int               // of one request, where the network or the server fails; 0 is 3
	MaxBytes int64             // of one body; 0 is 32 MiB
	Timeout  time.Duration     // of one try, with its body; 0 is 1 minute
	Next     http.RoundTripper // nil is Go's own, with the environment's proxy
	Metrics  *Metrics
}

// Gate is the way of every request of a feed: it spends the budget, retries what
// the network or the server failed at, tells a limit by its *LimitedError, and ends a
// body that is too large. It is safe for concurrent use.
type Gate struct {
	opts  GateOptions
	limit *rate.Limiter
}

// NewGate makes a gate.
func NewGate(o GateOptions) *Gate {
	limit := rate.Inf
	if o.PerHour > 0 {
		limit = rate.Limit(float64(o.PerHour) / time.Hour.Seconds())
	}
	if o.Tries == 0 {
		o.Tries = 3
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = 32 << 20
	}
	if o.Timeout == 0 {
		o.Timeout = time.Minute
	}
	if o.Next == nil {
		o.Next = http.DefaultTransport
	}
	return &Gate{o, rate.NewLimiter(limit, max(1, o.Burst))}
}

// Client is an HTTP client that goes through the gate, and follows redirects
// through it too.
func (g *Gate) Client() *http.Client { return &http.Client{Transport: g} }

// The waits between the tries of one request.
const (
	retryFirst = time.Second
	retryMost  = 30 * time.Second
)

// RoundTrip implements http.RoundTripper. A request with a body must have GetBody,
// as http.NewRequest makes it.
func (g *Gate) RoundTrip(req *http.Request) (*http.Response, error) {
	for try := 1; ; try++ {
		resp, err := g.try(req)
		var limited *LimitedError
		switch {
		case errors.As(err, &limited), req.Context().Err() != nil:
			return nil, err
		case err == nil && resp.StatusCode < 500:
			return resp, nil
		case try >= g.opts.Tries:
			return resp, err
		}
		if err == nil {
			err = resp.Body.Close()
		}
		sleep(req.Context(), backoff(try, retryFirst, retryMost))
		if req.Context().Err() != nil {
			return nil, errors.Join(err, context.Cause(req.Context()))
		}
	}
}

// try makes one request, once the budget has one.
func (g *Gate) try(req *http.Request) (*http.Response, error) {
	if err := g.limit.Wait(req.Context()); err != nil {
		return nil, fmt.Errorf("wait for the budget: %w", err)
	}
	ctx, cancel := context.WithTimeout(req.Context(), g.opts.Timeout)
	again := req.Clone(ctx)
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			cancel()
			return nil, fmt.Errorf("repeat a request: %w", err)
		}
		again.Body = body
	}
	resp, err := g.opts.Next.RoundTrip(again)
	if err == nil {
		resp.Body = &bounded{bufio.NewReader(resp.Body), resp.Body, g.opts.MaxBytes, cancel}
		err = limitOf(resp)
	} else {
		cancel()
	}
	g.opts.Metrics.requested(g.opts.Feed, resp, err)
	if err != nil && resp != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	return resp, err
}

// limitOf reports whether the answer is one of a source that wants to be left
// alone: 429, whatever asks for a Retry-After, and a page for people where data was
// asked for, which is how a firewall says it.
func limitOf(resp *http.Response) error {
	after := retryAfter(resp.Header.Get("Retry-After"), time.Now())
	if resp.StatusCode == http.StatusTooManyRequests || after > 0 && resp.StatusCode >= 400 {
		return &LimitedError{after, strconv.Itoa(resp.StatusCode)}
	}
	if resp.StatusCode == http.StatusOK && isPage(resp) {
		return &LimitedError{after, "an HTML page instead of data"}
	}
	return nil
}

func isPage(resp *http.Response) bool {
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") {
		return true
	}
	body, ok := resp.Body.(*bounded)
	if !ok || resp.Request != nil && resp.Request.Method == http.MethodHead {
		return false
	}
	start, _ := body.buffer.Peek(16) // what fails here fails again when it is read
	return bytes.HasPrefix(bytes.TrimLeft(start, " \t\r\n"), []byte("<"))
}

// retryAfter reads seconds or a date; 0 for neither.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		return max(0, time.Duration(seconds)*time.Second)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, at.Sub(now))
	}
	return 0
}

// bounded is a body that ends with an error where it is too large, and whose
// request ends when it is closed.
type bounded struct {
	buffer *bufio.Reader
	body   io.Closer
	left   int64
	cancel context.CancelFunc
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	if b.left < 0 {
		return 0, ErrTooLarge
	}
	if int64(len(p)) > b.left+1 {
		p = p[:b.left+1]
	}
	n, err := b.buffer.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n - 1, ErrTooLarge
	}
	return n, err
}

// Close implements io.Closer.
func (b *bounded) Close() error {
	b.cancel()
	return b.body.Close()
}

// requested counts a request by how it came out.
func (m *Metrics) requested(feed string, resp *http.Response, err error) {
	var limited *LimitedError
	outcome := "ok"
	switch {
	case errors.As(err, &limited):
		outcome = "limited"
	case err != nil || resp.StatusCode >= 500:
		outcome = "failed"
	case resp.StatusCode == http.StatusNotModified:
		outcome = "not_modified"
	case resp.StatusCode >= 400:
		outcome = "refused"
	}
	m.requests.WithLabelValues(feed, outcome).Inc()
}
