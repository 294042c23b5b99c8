package e2e

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
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
	return onLogs(node, func(w io.Writer, _ item, answer []byte) { _, _ = w.Write(answer[:len(answer)/2]) })
}

// hugeAnswer is the size of what huge gives, in bytes.
const hugeAnswer = 200 << 20

// huge answers a question for logs with one log whose data is 200 MB of text, and one
// for blocks with their receipts with such a block.
func huge(node http.Handler) http.Handler {
	return onLogs(node, func(w io.Writer, call item, answer []byte) {
		begin, end := `{"extraData":"0x`, `"}}`
		if call.Method == "eth_getLogs" {
			begin, end = fmt.Sprintf(`[{"address":"%s","topics":[],"data":"0x`, contract(0)), `"}]}`
		}
		for i, a := range items(answer) {
			_, _ = io.WriteString(w, "[,"[min(i, 1):min(i, 1)+1])
			if bytes.Equal(a.ID, call.ID) {
				fmt.Fprintf(w, `{"jsonrpc":"2.0","id":%s,"result":%s`, call.ID, begin)
				zeros := bytes.Repeat([]byte("0"), 1<<20)
				for range hugeAnswer / len(zeros) {
					if _, err := w.Write(zeros); err != nil {
						return // the caller has had enough
					}
				}
				_, _ = io.WriteString(w, end)
				continue
			}
			_ = json.NewEncoder(w).Encode(a)
		}
		_, _ = io.WriteString(w, "]")
	})
}

// onLogs lets the node answer, and where logs or receipts are asked for spoils its
// answer: that to the question for logs, or else to the first.
func onLogs(node http.Handler, spoil func(w io.Writer, call item, answer []byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked, err := io.ReadAll(r.Body)
		if err != nil {
			return // the caller is gone
		}
		r.Body = io.NopCloser(bytes.NewReader(asked))
		calls := items(asked)
		at := slices.IndexFunc(calls, func(c item) bool { return c.Method == "eth_getLogs" })
		if at < 0 && !slices.ContainsFunc(calls, func(c item) bool { return c.Method == "eth_getBlockReceipts" }) {
			node.ServeHTTP(w, r)
			return
		}
		answer := httptest.NewRecorder()
		node.ServeHTTP(answer, r)
		w.Header().Set("Content-Type", "application/json")
		spoil(w, calls[max(at, 0)], answer.Body.Bytes())
	})
}

// shut is a loopback address that refuses connections until the test serves there.
// Its socket is bound, so that meanwhile nobody else is given the port.
type shut struct {
	file    *os.File
	address string
}

func newShut(t *testing.T) shut {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	s := shut{file: os.NewFile(uintptr(fd), "shut")}
	t.Cleanup(func() { _ = s.file.Close() }) // a second time does no harm
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	name, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	s.address = fmt.Sprint("127.0.0.1:", name.(*unix.SockaddrInet4).Port)
	return s
}

func (s shut) serve(t *testing.T, h http.Handler) {
	t.Helper()
	if err := unix.Listen(int(s.file.Fd()), unix.SOMAXCONN); err != nil {
		t.Fatal(err)
	}
	l, err := net.FileListener(s.file)
	if err := errors.Join(err, s.file.Close()); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewUnstartedServer(h)
	server.Listener.Close()
	server.Listener = l
	server.Start()
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
}
