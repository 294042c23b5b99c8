package harness

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"sync"

	"superindex/benchmarks/loadnode"
)

// inside carries requests to a load node in this process, without a network. Where
// it has a cache, an answer is made once and lies in memory from then on.
type inside struct {
	node *loadnode.Node

	mu    sync.Mutex
	cache map[string][]byte // nil: none
}

// RoundTrip implements http.RoundTripper.
func (t *inside) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, fmt.Errorf("read the request: %w", err)
	}
	text := t.answer(body)
	return &http.Response{
		StatusCode: http.StatusOK, Status: "200 OK", Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {"application/json"}}, ContentLength: int64(len(text)),
		Body: io.NopCloser(bytes.NewReader(text)), Request: req,
	}, nil
}

func (t *inside) answer(body []byte) []byte {
	t.mu.Lock()
	text, kept := t.cache[string(body)]
	t.mu.Unlock()
	if kept {
		return text
	}
	text = inMemory(t.node, body)
	if t.cache != nil {
		t.mu.Lock()
		t.cache[string(body)] = text
		t.mu.Unlock()
	}
	return text
}

// inMemory is a node's answer.
func inMemory(n *loadnode.Node, body []byte) []byte {
	req, err := http.NewRequest(http.MethodPost, "http://in.memory", bytes.NewReader(body)) //nolint:noctx // it goes nowhere
	if err != nil {
		return nil // the URL is a constant
	}
	w := &buffer{header: http.Header{}}
	n.ServeHTTP(w, req)
	return w.Bytes()
}

// buffer is an http.ResponseWriter that keeps what it is given.
type buffer struct {
	bytes.Buffer
	header http.Header
}

// Header implements http.ResponseWriter.
func (b *buffer) Header() http.Header { return b.header }

// WriteHeader implements http.ResponseWriter; a load node in memory refuses nothing.
func (b *buffer) WriteHeader(int) {}
