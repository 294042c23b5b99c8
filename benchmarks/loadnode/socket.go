package loadnode

import (
	"bytes"
	"net/http"
	"sync"

	"github.com/gorilla/websocket"

	"superindex/chain"
)

// socket answers JSON-RPC over a WebSocket, eth_subscribe("newHeads") included,
// until the caller leaves.
func (n *Node) socket(w http.ResponseWriter, r *http.Request) {
	up := websocket.Upgrader{CheckOrigin: func(*http.Request) bool { return true }}
	conn, err := up.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has told the caller
	}
	conn.SetReadLimit(mostRequest)
	s := &session{node: n, conn: conn}
	defer s.leave()
	for {
		_, body, err := conn.ReadMessage()
		if err != nil {
			return
		}
		if err := s.serve(body); err != nil {
			return
		}
	}
}

// session is one caller's WebSocket.
type session struct {
	node *Node
	conn *websocket.Conn

	write sync.Mutex // one writes at a time
	tells sync.WaitGroup
	stops []func()
}

func (s *session) leave() {
	_ = s.conn.Close() // whatever is wrong with it, it is gone
	for _, stop := range s.stops {
		stop()
	}
	s.tells.Wait()
}

func (s *session) serve(body []byte) error {
	n := s.node
	n.counters.request()
	calls, batch, err := parse(body)
	if err != nil {
		return err
	}
	answers, subscribed := make([]answer, len(calls)), false
	for i := range calls {
		if calls[i].Method == "eth_subscribe" {
			n.counters.item(calls[i].Method)
			answers[i], subscribed = answer{failed(calls[i].ID, nil), result{text: []byte(subscription)}}, true
			continue
		}
		answers[i] = n.limited(&calls[i])
	}
	var out bytes.Buffer
	n.write(&out, answers, batch)
	err = s.send(out.Bytes())
	if subscribed {
		s.subscribe()
	}
	return err
}

// subscription is the id of each: a session's are all the same.
const subscription = `"0x1"`

// subscribe tells of every new head from now on.
func (s *session) subscribe() {
	heads, stop := s.node.listen()
	ended := make(chan struct{})
	s.stops = append(s.stops, func() { stop(); close(ended) })
	s.tells.Go(func() {
		for {
			select {
			case <-ended:
				return
			case head := <-heads:
				if s.send(s.node.told(head)) != nil {
					return
				}
			}
		}
	})
}

func (s *session) send(text []byte) error {
	s.write.Lock()
	defer s.write.Unlock()
	return s.conn.WriteMessage(websocket.TextMessage, text)
}

// told is the notification of a head: its header without transactions, as geth has it.
func (n *Node) told(head chain.BlockRef) []byte {
	r := n.blocks.hash(head.Hash)
	shown := &n.blocks.bodies[r.body].shownHead
	b := append([]byte(`{"jsonrpc":"2.0","method":"eth_subscription","params":{"subscription":`+subscription+`,"result":`), shown.append(nil, shown.whole(), r.place())...)
	return append(b, "}}"...)
}
