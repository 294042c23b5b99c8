package ethrpc

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"

	"superindex/chain"
	"superindex/indexer"
)

// socketNode is a node of chain 7 behind a WebSocket: it answers each call with the
// chain's id, but does what a test tells it to at the n-th request.
type socketNode struct {
	sockets, requests atomic.Int64
	at                func(n int64, conn *websocket.Conn) (done bool)
}

func (n *socketNode) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	defer conn.Close()
	n.sockets.Add(1)
	for {
		var calls []struct{ ID int }
		if conn.ReadJSON(&calls) != nil {
			return
		}
		if n.at != nil && n.at(n.requests.Add(1), conn) {
			continue
		}
		var items []string
		for _, c := range calls {
			items = append(items, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,"result":"0x7"}`, c.ID))
		}
		if conn.WriteMessage(websocket.TextMessage, []byte("["+strings.Join(items, ",")+"]")) != nil {
			return
		}
	}
}

func overSocket(t *testing.T, h http.Handler) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	c, err := New(Options{Network: "n", Name: "socket", URL: strings.Replace(server.URL, "http", "ws", 1) + "/s3cret-key", ChainID: 7})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// One socket serves one request after another.
func TestSocketIsUsedAgain(t *testing.T) {
	node := &socketNode{}
	c := overSocket(t, node)
	for range 5 {
		if err := c.Verify(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := node.sockets.Load(); n != 1 {
		t.Errorf("%d sockets", n)
	}
}

// A node that closes a socket after its answer is asked over another.
func TestSocketThatWasClosed(t *testing.T) {
	node := &socketNode{at: func(n int64, conn *websocket.Conn) bool {
		if n == 2 {
			_ = conn.Close()
		}
		return n == 2
	}}
	c := overSocket(t, node)
	for i := range 3 {
		if err := c.Verify(t.Context()); err != nil {
			t.Fatalf("request %d: %v", i+1, err)
		}
	}
	if n := node.sockets.Load(); n != 2 {
		t.Errorf("%d sockets", n)
	}
}

// An answer that breaks off is an error, and not the next request's.
func TestSocketThatIsCut(t *testing.T) {
	node := &socketNode{at: func(n int64, conn *websocket.Conn) bool {
		if n == 1 {
			w, err := conn.NextWriter(websocket.TextMessage)
			if err == nil {
				_, err = w.Write([]byte(`[{"jsonrpc":"2.0","id":1,"res` + strings.Repeat(" ", 8192)))
			}
			if err != nil {
				t.Error(err)
			}
			_ = conn.Close()
		}
		return n == 1
	}}
	c := overSocket(t, node)
	if err := c.Verify(t.Context()); err == nil || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("cut off: %v", err)
	}
	if err := c.Verify(t.Context()); err != nil {
		t.Error("after that:", err)
	}
}

// A request ends with its context, and its socket with it.
func TestSocketThatHangs(t *testing.T) {
	asked := make(chan struct{}, 1)
	node := &socketNode{at: func(n int64, _ *websocket.Conn) bool {
		if n == 1 {
			asked <- struct{}{}
		}
		return n == 1
	}}
	c := overSocket(t, node)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if err := c.Verify(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	if err := c.Verify(t.Context()); err != nil {
		t.Error("after that:", err)
	}
}

// A handshake that is refused says what a refused request says.
func TestSocketThatIsRefused(t *testing.T) {
	c := overSocket(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Retry-After", "3")
		http.Error(w, `{"jsonrpc":"2.0","id":null,"error":{"code":429,"message":"too many requests"}}`, http.StatusTooManyRequests)
	}))
	err := c.Verify(t.Context())
	if v := VerdictOf(err); v.Kind != Limited || v.Wait != 3*time.Second {
		t.Errorf("%+v: %v", v, err)
	}
}

// Blocks and logs come over a socket as they do over HTTP.
func TestSocketFetches(t *testing.T) {
	n := straight(10)
	c := overSocket(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		up := websocket.Upgrader{}
		conn, err := up.Upgrade(w, r, nil)
		if err != nil {
			return
		}
		defer conn.Close()
		for {
			_, text, err := conn.ReadMessage()
			if err != nil {
				return
			}
			answer := httptest.NewRecorder()
			n.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(string(text))))
			if !json.Valid(answer.Body.Bytes()) || conn.WriteMessage(websocket.TextMessage, answer.Body.Bytes()) != nil {
				return
			}
		}
	}))
	f, err := c.Fetch(t.Context(), indexer.Range{From: 1, To: 8}, indexer.Want{Watched: watched{contract(1): true}, Dense: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Blocks) != 8 || f.All != 9 || f.Blocks[7].Hash != chain.Hash(hash(9)) {
		t.Errorf("%d blocks, %d logs: %+v", len(f.Blocks), f.All, f.Blocks)
	}
}
