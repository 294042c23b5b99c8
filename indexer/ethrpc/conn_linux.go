package ethrpc

import (
	"io"
	"net"
	"syscall"
	"unsafe"
)

// prompt is a connection that is read without telling the scheduler. A socket gives what
// is there and does not wait; but that takes longer than the 20 us after which the
// runtime gives a core in a system call to another thread, and then looks after its cores
// all the time: a fourteenth of a backfill. Only one goroutine may read.
type prompt struct {
	*net.TCPConn

	raw  syscall.RawConn
	once func(fd uintptr) bool // read, made once
	into []byte
	n    int
	err  error
}

// newPrompt makes a connection a prompt one, if it is of TCP.
func newPrompt(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	c := &prompt{TCPConn: tcp, raw: raw}
	c.once = c.read
	return c
}

// Read waits, in the runtime, until something is there.
func (c *prompt) Read(p []byte) (n int, err error) {
	if len(p) == 0 {
		return 0, nil
	}
	c.into, c.n, c.err = p[:min(len(p), window)], 0, nil // nobody else may run meanwhile
	err = c.raw.Read(c.once)
	c.into = nil
	switch {
	case err != nil: // closed, or out of time
		return 0, err
	case c.err != nil:
		return 0, &net.OpError{Op: "read", Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: c.err}
	case c.n == 0:
		return 0, io.EOF
	}
	return c.n, nil
}

// read takes what is there; false where nothing is yet.
func (c *prompt) read(fd uintptr) (done bool) {
	for {
		n, _, errno := syscall.RawSyscall(syscall.SYS_READ, fd, uintptr(unsafe.Pointer(unsafe.SliceData(c.into))), uintptr(len(c.into)))
		switch errno {
		case 0:
			c.n = int(n)
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		default:
			c.err = errno
		}
		return true
	}
}
