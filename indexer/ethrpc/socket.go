package ethrpc

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// sockets carries requests over WebSockets. A request has one to itself while it is
// under way, so that what comes back is its answer, and as many are open as requests
// were under way at once. It implements http.RoundTripper: nothing else of a client
// knows of it. It is safe for concurrent use.
type sockets struct {
	dialer websocket.Dialer

	mu   sync.Mutex
	idle []idleSocket // the one used last comes last
}

type idleSocket struct {
	conn  *websocket.Conn
	since time.Time
}

// socketIdle is how long a socket may lie idle. Nobody answers a node's pings
// meanwhile, and what stands between may forget it.
const socketIdle = 20 * time.Second

func newSockets(dial dialer) *sockets {
	return &sockets{dialer: websocket.Dialer{NetDialContext: dial, Proxy: http.ProxyFromEnvironment, ReadBufferSize: 64 << 10}}
}

// RoundTrip implements http.RoundTripper. A handshake that is refused is the answer;
// a socket that the node has closed since it was used is replaced once.
func (s *sockets) RoundTrip(req *http.Request) (*http.Response, error) {
	text, err := io.ReadAll(req.Body)
	if err := errors.Join(err, req.Body.Close()); err != nil {
		return nil, err
	}
	if conn := s.take(); conn != nil {
		if resp, err := s.ask(req, conn, text); err == nil || req.Context().Err() != nil {
			return resp, err
		}
	}
	conn, refusal, err := s.dial(req)
	if err != nil {
		return refusal, err
	}
	if refusal != nil {
		return refusal, nil
	}
	return s.ask(req, conn, text)
}

// dial returns a socket, or the answer that refused one.
func (s *sockets) dial(req *http.Request) (conn *websocket.Conn, refusal *http.Response, err error) {
	to, header := *req.URL, http.Header{}
	if to.User != nil {
		header.Set("Authorization", basic(to.User))
		to.User = nil
	}
	conn, resp, err := s.dialer.DialContext(req.Context(), to.String(), header)
	if errors.Is(err, websocket.ErrBadHandshake) && resp.StatusCode != http.StatusOK {
		return nil, resp, nil
	}
	return conn, nil, err
}

// basic is the header that says who asks.
func basic(u *url.Userinfo) string {
	password, _ := u.Password()
	req := http.Request{Header: http.Header{}}
	req.SetBasicAuth(u.Username(), password)
	return req.Header.Get("Authorization")
}

// ask sends a request and returns its answer once it begins. The socket ends with the
// request's context, unless the answer was read to its end before.
func (s *sockets) ask(req *http.Request, conn *websocket.Conn, text []byte) (*http.Response, error) {
	a := &socketAnswer{sockets: s, conn: conn, ended: req.Context().Err}
	a.stop = context.AfterFunc(req.Context(), func() { _ = conn.Close() })
	err := conn.WriteMessage(websocket.TextMessage, text)
	if err == nil {
		_, a.from, err = conn.NextReader()
	}
	if err != nil {
		_ = a.Close()
		return nil, a.cause(err)
	}
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: a, ContentLength: -1, Request: req,
	}, nil
}

// socketAnswer is one message as it comes.
type socketAnswer struct {
	sockets *sockets
	conn    *websocket.Conn // nil once it was given back or closed
	from    io.Reader
	ended   func() error // of the request's context
	stop    func() bool  // lets the socket outlive it; false where that came first
}

// Read implements io.Reader. At the message's end the socket is free.
func (a *socketAnswer) Read(p []byte) (n int, err error) {
	if a.conn == nil {
		return 0, io.EOF
	}
	n, err = a.from.Read(p)
	switch {
	case errors.Is(err, io.EOF):
		if a.stop() {
			a.sockets.give(a.conn)
		}
		a.conn = nil
	case err != nil:
		err = a.cause(err)
	}
	return n, err
}

// Close closes the socket of an answer that was not read to its end.
func (a *socketAnswer) Close() error {
	if a.conn == nil {
		return nil
	}
	a.stop()
	conn := a.conn
	a.conn = nil
	return conn.Close()
}

// cause is the request's end, where that is why the socket broke; an answer that is cut
// off says so as it does over HTTP.
func (a *socketAnswer) cause(err error) error {
	var closed *websocket.CloseError
	switch {
	case a.ended() != nil:
		return a.ended()
	case errors.As(err, &closed):
		return errors.Join(io.ErrUnexpectedEOF, err)
	}
	return err
}

// take is the socket that was used last; nil where none is fresh.
func (s *sockets) take() *websocket.Conn {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.idle) == 0 {
		return nil
	}
	last := s.idle[len(s.idle)-1]
	if time.Since(last.since) > socketIdle { // as are all before it
		s.drop()
		return nil
	}
	s.idle = s.idle[:len(s.idle)-1]
	return last.conn
}

func (s *sockets) give(conn *websocket.Conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, idleSocket{conn, time.Now()})
}

// drop closes what is idle.
func (s *sockets) drop() {
	for _, i := range s.idle {
		_ = i.conn.Close()
	}
	s.idle = nil
}

// CloseIdleConnections is what http.Client looks for.
func (s *sockets) CloseIdleConnections() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop()
}
