package jetstream_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"superindex/chain"
	"superindex/sinks/jetstream"
	"superindex/sinks/sinktest"
)

// proxy passes a client's bytes on, and the server's until it is told to swallow
// them.
type proxy struct {
	net.Listener
	to      string
	swallow atomic.Bool
	pass    atomic.Int32 // how many messages it lets pass before it swallows

	mu    sync.Mutex
	conns []net.Conn
	wg    sync.WaitGroup
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: l, to: to}
	p.wg.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.cut()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		client, err := p.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, client, server)
		p.mu.Unlock()
		p.wg.Go(func() { _, _ = io.Copy(server, client) })
		p.wg.Go(func() { p.answer(client, server) })
	}
}

func (p *proxy) answer(client, server net.Conn) {
	buffer := make([]byte, 4096)
	for {
		n, err := server.Read(buffer)
		if err != nil {
			return
		}
		if p.swallow.Load() && !(bytes.HasPrefix(buffer[:n], []byte("MSG ")) && p.pass.Add(-1) >= 0) {
			continue
		}
		if _, err := client.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// cut closes all connections.
func (p *proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// The server holds messages, but its acknowledgement is lost, the one for the first
// message or that for the last: the write fails, the position says what took effect,
// and nothing is there twice.
func TestLostAcknowledgement(t *testing.T) {
	for pass, there := range []int{1, 2 * 3} { // twice a revert, an event and a finality
		t.Run(fmt.Sprint("after ", pass), func(t *testing.T) { loseAcknowledgement(t, int32(pass), there) })
	}
}

func loseAcknowledgement(t *testing.T, pass int32, there int) {
	server := start(t)
	u, err := url.Parse(server.FullURL())
	if err != nil {
		t.Fatal(err)
	}
	p := newProxy(t, u.Host)
	u.Host = p.Addr().String()
	s := sinktest.NewScript("lost-ack").Go("abc").Go("abx").Go("abc")
	sink := open(t, options(u.String()))
	write(t, sink, s.Steps()[:2])

	p.pass.Store(pass)
	p.swallow.Store(true)
	failed := make(chan error)
	go func() { failed <- sink.Write(t.Context(), s.Steps()[2:]) }()
	j := user(t, server.FullURL())
	held := 1 + 7 + there // begin; 6 events and their finality
	for len(messages(t, j, jetstream.StreamName(s.Stream))) < held {
		time.Sleep(10 * time.Millisecond)
	}
	p.cut()
	p.swallow.Store(false)
	if err := <-failed; err == nil || chain.IsFatal(err) {
		t.Fatalf("a write whose acknowledgement was lost: %v", err)
	}
	var got chain.Position
	for range 6000 {
		if got, err = sink.Position(t.Context(), s.Stream); err == nil {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	last := s.Steps()[2] // the revert, which is one message
	if pass > 0 {
		last = s.Steps()[5]
	}
	if err != nil || got.Seq != last.Seq {
		t.Fatalf("position %+v, %v; the last step is %d", got, err, last.Seq)
	}
	if err := sink.Write(t.Context(), s.Steps()[2:]); err != nil {
		t.Fatal(err)
	}
	if after := len(messages(t, j, jetstream.StreamName(s.Stream))); after != 1+7+2*3 {
		t.Errorf("%d messages became %d", held, after)
	}
}
