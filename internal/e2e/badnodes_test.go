package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
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

// item is one call of a batch, or its answer.
type item struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method,omitempty"`
	Result  json.RawMessage `json:"result,omitempty"`
	Error   json.RawMessage `json:"error,omitempty"`
}

// items reads the calls of a request, or the answers to one.
func items(text []byte) (all []item) {
	if json.Unmarshal(text, &all) != nil {
		all = make([]item, 1)
		_ = json.Unmarshal(text, &all[0])
	}
	return all
}

// notEVM answers as a node of a chain of another kind: it knows none of the methods.
func notEVM(w http.ResponseWriter, r *http.Request) {
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		return // the caller is gone
	}
	all := items(asked)
	for i := range all {
		all[i] = item{Version: "2.0", ID: all[i].ID, Error: json.RawMessage(`{"code":-32601,"message":"Method not found"}`)}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(all)
}

// page answers as a web site does.
func page(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html")
	fmt.Fprint(w, "<!DOCTYPE html>\n<html><head><title>Welcome</title></head><body>Sign in</body></html>\n")
}

// truncated gives only half of what a node answers to a question for logs.
func truncated(node http.Handler) http.Handler {
	return onLogs(node, func(w io.Writer, _ json.RawMessage, answer []byte) { _, _ = w.Write(answer[:len(answer)/2]) })
}

// hugeAnswer is the size of what huge gives, in bytes.
const hugeAnswer = 200 << 20

// huge answers a question for logs with one log whose data is 200 MB of text.
func huge(node http.Handler) http.Handler {
	return onLogs(node, func(w io.Writer, id json.RawMessage, answer []byte) {
		for i, a := range items(answer) {
			_, _ = io.WriteString(w, "[,"[min(i, 1):min(i, 1)+1])
			if bytes.Equal(a.ID, id) {
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":[{"address":"%s","topics":[],"data":"0x`, id, contract(0))
				zeros := bytes.Repeat([]byte("0"), 1<<20)
				for range hugeAnswer / len(zeros) {
					if _, err := w.Write(zeros); err != nil {
						return // the caller has had enough
					}
				}
				_, _ = io.WriteString(w, `"}]}`)
				continue
			}
			_ = json.NewEncoder(w).Encode(a)
		}
		_, _ = io.WriteString(w, "]")
	})
}

// onLogs lets the node answer, and where logs are asked for spoils its answer; id
// is that question's.
func onLogs(node http.Handler, spoil func(w io.Writer, id json.RawMessage, answer []byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(asked))
		for _, call := range items(asked) {
			if call.Method == "eth_getLogs" {
				answer := httptest.NewRecorder()
				node.ServeHTTP(answer, r)
				w.Header().Set("Content-Type", "application/json")
				spoil(w, call.ID, answer.Body.Bytes())
				return
			}
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
