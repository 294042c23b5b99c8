package clickhouse

import (
	"cmp"
	"context"
	"net"
	"testing"
	"time"
)

// Without a terminal as its standard input, this engine ends at the first of
// these (see terminalAsStdin).
func TestBrokenConnectionsDoNotEndTheEngine(t *testing.T) {
	s := start(t, t.TempDir())
	pid := s.Pid()
	for name, abuse := range map[string]func(conn *net.TCPConn) error{
		"says nothing":          func(*net.TCPConn) error { return nil },
		"says garbage":          func(c *net.TCPConn) error { return say(c, "GET / HTTP/1.1\r\n\r\n\xff\x00\xff") },
		"resets":                func(c *net.TCPConn) error { return c.SetLinger(0) },
		"resets amid its hello": func(c *net.TCPConn) error { return cmp.Or(say(c, "\x00\x06client\x18"), c.SetLinger(0)) },
	} {
		for range 5 {
			conn, err := net.Dial("tcp", s.Address)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if err := cmp.Or(abuse(conn.(*net.TCPConn)), conn.Close()); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	conn := connect(t, s.DSN())
	for range 5 { // clients that leave amid an answer
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		rows, err := conn.Query(ctx, "SELECT number, repeat('x', 1000) FROM numbers(1000000)")
		if err == nil {
			rows.Next()
		}
		cancel()
	}
	if got := text(t, conn, "SELECT 'well'"); got != "well" || s.Pid() != pid {
		t.Errorf("the engine says %q; it was process %d and is %d", got, pid, s.Pid())
	}
}

func say(conn *net.TCPConn, what string) error {
	_, err := conn.Write([]byte(what))
	return err
}
