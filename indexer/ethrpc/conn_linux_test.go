package ethrpc

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// connected is a prompt connection and its other end.
func connected(t *testing.T) (here net.Conn, there *net.TCPConn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dialed, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	here = newPrompt(dialed)
	if _, ok := here.(*prompt); !ok {
		t.Fatalf("%T", here)
	}
	t.Cleanup(func() { here.Close() })
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return here, conn.(*net.TCPConn)
}

func TestAPromptConnectionGivesWhatWasWritten(t *testing.T) {
	here, there := connected(t)
	seed := rand.Uint64()
	t.Log("seed", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	sent := make([]byte, 4<<20)
	for i := range sent {
		sent[i] = byte(r.Uint32())
	}
	go func() {
		for rest := sent; len(rest) > 0; {
			n := min(len(rest), 1+r.IntN(300<<10))
			if _, err := there.Write(rest[:n]); err != nil {
				return
			}
			rest = rest[n:]
		}
		there.CloseWrite()
	}()
	if n, err := here.Read(nil); n != 0 || err != nil {
		t.Errorf("nothing to read into: %d, %v", n, err)
	}
	got, err := io.ReadAll(here)
	if err != nil || !bytes.Equal(got, sent) {
		t.Errorf("%d bytes of %d, %v; the same: %v", len(got), len(sent), err, bytes.Equal(got, sent))
	}
	if n, err := here.Read(make([]byte, 1)); n != 0 || err != io.EOF {
		t.Errorf("behind the end: %d, %v", n, err)
	}
}

func TestAPromptConnectionEndsItsWait(t *testing.T) {
	here, there := connected(t)
	here.SetReadDeadline(time.Now().Add(-time.Second))
	if _, err := here.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("behind the deadline: %v", err)
	}
	here.SetReadDeadline(time.Time{})
	if _, err := there.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if n, err := io.ReadFull(here, make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("after the deadline was taken back: %d, %v", n, err)
	}
	ended := make(chan error)
	go func() {
		_, err := here.Read(make([]byte, 1))
		ended <- err
	}()
	here.Close()
	if err := <-ended; !errors.Is(err, net.ErrClosed) {
		t.Errorf("closed while it waits: %v", err)
	}
}

func TestAPromptConnectionSaysThatItWasReset(t *testing.T) {
	here, there := connected(t)
	there.SetLinger(0)
	there.Close()
	_, err := here.Read(make([]byte, 1))
	var fault *net.OpError
	if !errors.Is(err, syscall.ECONNRESET) || !errors.As(err, &fault) || fault.Op != "read" {
		t.Errorf("%v", err)
	}
}
