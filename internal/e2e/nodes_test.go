package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
)

// stage is an endpoint whose answers change while it is asked.
type stage struct{ now atomic.Pointer[http.Handler] }

func newStage(h http.Handler) *stage {
	s := new(stage)
	s.play(h)
	return s
}

func (s *stage) play(h http.Handler) { s.now.Store(&h) }

// ServeHTTP implements http.Handler.
func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) { (*s.now.Load()).ServeHTTP(w, r) }

// notEVM answers as a node of a chain of another kind: it knows none of the methods.
func notEVM(w http.ResponseWriter, r *http.Request) {
	var asked []struct {
		ID json.RawMessage `json:"id"`
	}
	text, err := io.ReadAll(r.Body)
	if err == nil {
		if err = json.Unmarshal(text, &asked); err != nil {
			asked = append(asked[:0], struct {
				ID json.RawMessage `json:"id"`
			}{json.RawMessage("1")})
		}
	}
	var all []string
	for _, call := range asked {
		all = append(all, fmt.Sprintf(`{"jsonrpc":"2.0","error":{"code":-32601,"message":"Method not found"},"id":%s}`, call.ID))
	}
	w.Header().Set("Content-Type", "application/json")
	fmt.Fprintf(w, "[%s]", strings.Join(all, ","))
}

// page answers as a web site does.
func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Sign in</body></html>\n")
}

// truncated gives only half of what a node answers to a question for logs.
func truncated(node http.Handler) http.Handler {
	return onLogs(node, func(w http.ResponseWriter, r *http.Request) {
		whole := httptest.NewRecorder()
		node.ServeHTTP(whole, r)
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
	})
}

// hugeAnswer is what huge gives, in bytes.
const hugeAnswer = 200 << 20

// huge answers a question for logs with one log whose data is 200 MB of text.
func huge(node http.Handler) http.Handler {
	return onLogs(node, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `[{"jsonrpc":"2.0","id":1,"result":[{"address":"%s","topics":[],"data":"0x`, contract(0))
		zeros := bytes.Repeat([]byte("0"), 1<<20)
		for range hugeAnswer / len(zeros) {
			if _, err := w.Write(zeros); err != nil {
				return // the caller has had enough
			}
		}
		fmt.Fprint(w, `"}]}]`)
	})
}

// onLogs answers questions for logs, and lets the node answer all others.
func onLogs(node http.Handler, logs http.HandlerFunc) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(asked))
		if bytes.Contains(asked, []byte("eth_getLogs")) {
			logs(w, r)
			return
		}
		node.ServeHTTP(w, r)
	})
}

// closed is a loopback address where nobody listens, until the test does.
func closed(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// serveAt serves at an address that was closed.
func serveAt(t *testing.T, address string, h http.Handler) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewUnstartedServer(h)
	s.Listener.Close()
	s.Listener = l
	s.Start()
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
}
