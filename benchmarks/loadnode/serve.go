package loadnode

import (
	"compress/gzip"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// piece is about how much is written at once: what stays in a core's cache between
// the filling of the holes and the system call.
const piece = 256 << 10

// mostRequest is the most that a request may hold.
const mostRequest = 16 << 20

// ServeHTTP answers JSON-RPC over HTTP and WebSocket. By GET it gives what a
// measurement needs: /ledger, /counters, /watched and /oss-directory.tar.gz.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case r.Header.Get("Upgrade") != "":
		n.socket(w, r)
	case r.Method == http.MethodGet:
		n.about(w, r)
	case !n.paced(w, r):
	default:
		n.post(w, r)
	}
}

// paced waits for the latency and refuses what is over the rate.
func (n *Node) paced(w http.ResponseWriter, r *http.Request) bool {
	if !n.o.RateItems && !n.rate.Allow() {
		n.counters.refused.Add(1)
		w.Header().Set("Retry-After", "1")
		http.Error(w, `{"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"too many requests"}}`, http.StatusTooManyRequests)
		return false
	}
	if n.o.Latency == 0 {
		return true
	}
	timer := time.NewTimer(n.o.Latency)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.Context().Done():
		return false
	}
}

func (n *Node) post(w http.ResponseWriter, r *http.Request) {
	n.counters.request()
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostRequest))
	if err != nil {
		return // the caller is gone, or learns it from MaxBytesReader
	}
	calls, batch, err := parse(body)
	if err != nil {
		calls, batch = []request{{Method: "unreadable"}}, false
	}
	answers := make([]answer, len(calls))
	for i := range calls {
		answers[i] = n.limited(&calls[i])
	}
	h := w.Header()
	h["Content-Type"] = []string{"application/json"}
	if n.o.Gzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		h["Content-Encoding"] = []string{"gzip"}
		z, _ := gzip.NewWriterLevel(w, gzip.BestSpeed) // the level is one that exists
		n.write(z, answers, batch)
		_ = z.Close() // that the caller went away is no fault of ours
		return
	}
	h["Content-Length"] = []string{strconv.Itoa(size(answers, batch))}
	n.write(w, answers, batch)
}

// limited answers a call unless it is over the rate.
func (n *Node) limited(c *request) answer {
	if n.o.RateItems && !n.rate.Allow() {
		n.counters.refused.Add(1)
		text, _ := json.Marshal(fail(-32016, "over rate limit")) // a struct of a number and a text
		return answer{failed(c.ID, fail(0, "")), result{text: text}}
	}
	return n.answer(c)
}

// What stands around an answer.
const (
	before = `{"jsonrpc":"2.0","id":`
	after  = `}`
)

// size is what write will write.
func size(answers []answer, batch bool) (n int) {
	for i := range answers {
		a := &answers[i]
		n += len(before) + len(a.id) + len(a.text) + len(after)
		for _, p := range a.parts {
			n += p.template.size(p.span, p.place)
		}
		if a.list {
			n += len("[]") + max(0, len(a.parts)-1)
		}
	}
	if batch {
		n += len("[]") + max(0, len(answers)-1)
	}
	return n
}

// write writes the answers. That the caller went away is no fault of ours.
func (n *Node) write(w io.Writer, answers []answer, batch bool) {
	pooled := n.buffers.Get().(*[]byte)
	out := writer{to: w, buf: (*pooled)[:0]}
	if batch {
		out.add("[")
	}
	for i := range answers {
		if i > 0 {
			out.add(",")
		}
		out.answer(&answers[i])
	}
	if batch {
		out.add("]")
	}
	out.flush()
	n.counters.bytes.Add(out.n)
	*pooled = out.buf
	n.buffers.Put(pooled)
}

// writer gathers pieces.
type writer struct {
	to   io.Writer
	buf  []byte
	n    uint64
	gone bool
}

func (o *writer) add(text string) { o.buf = append(o.buf, text...) }

func (o *writer) answer(a *answer) {
	o.add(before)
	o.buf = append(append(o.buf, a.id...), a.text...)
	if a.list {
		o.add("[")
	}
	for i, p := range a.parts {
		if i > 0 {
			o.add(",")
		}
		if o.buf = p.append(o.buf, p.span, p.place); len(o.buf) >= piece {
			o.flush()
		}
	}
	if a.list {
		o.add("]")
	}
	o.add(after)
}

func (o *writer) flush() {
	if !o.gone {
		written, err := o.to.Write(o.buf)
		o.n, o.gone = o.n+uint64(written), err != nil
	}
	o.buf = o.buf[:0]
}
