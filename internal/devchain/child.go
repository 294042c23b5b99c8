package devchain

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"runtime"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/rpc"
)

// child is a running anvil.
type child struct {
	url  string
	rpc  *rpc.Client
	kill context.CancelFunc
	done chan struct{} // closed when the process is gone
	err  error         // how it ended; to be read after done
}

// spawn starts anvil on a free port of the loopback. Another process may take the
// port before anvil does: then it is tried again.
func spawn(ctx context.Context, binary string, args []string) (*child, error) {
	var failures []error
	for range 3 {
		c, err := try(ctx, binary, args)
		if err == nil {
			return c, nil
		}
		failures = append(failures, err)
	}
	return nil, fmt.Errorf("start anvil: %w", errors.Join(failures...))
}

func try(ctx context.Context, binary string, args []string) (*child, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	c := &child{url: "http://127.0.0.1:" + strconv.Itoa(port), done: make(chan struct{})}
	alive, kill := context.WithCancel(ctx)
	c.kill = kill
	var said bytes.Buffer
	cmd := exec.CommandContext(alive, binary, append(args, "--host", "127.0.0.1", "--port", strconv.Itoa(port))...)
	cmd.Stderr = &said
	endWithParent(cmd)
	started := make(chan error, 1)
	go c.live(cmd, started)
	if err := <-started; err != nil {
		kill()
		return nil, err
	}
	if c.rpc, err = c.connect(ctx); err != nil {
		c.stop()
		return nil, fmt.Errorf("%w: %s", err, &said)
	}
	return c, nil
}

// live starts the process and waits for its end, on one thread: the process is
// killed when that thread dies, so the thread is not given to anything else.
func (c *child) live(cmd *exec.Cmd, started chan<- error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer close(c.done)
	err := cmd.Start()
	started <- err
	if err == nil {
		c.err = cmd.Wait()
	}
}

// connect waits until anvil answers.
func (c *child) connect(ctx context.Context) (*rpc.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	client, err := rpc.DialContext(ctx, c.url)
	if err != nil {
		return nil, err
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		var id string
		if err := client.CallContext(ctx, &id, "eth_chainId"); err == nil {
			return client, nil
		}
		select {
		case <-again.C:
		case <-c.done:
			client.Close()
			return nil, fmt.Errorf("anvil ended: %w", c.err)
		case <-ctx.Done():
			client.Close()
			return nil, fmt.Errorf("wait for anvil: %w", ctx.Err())
		}
	}
}

// stop ends the process and waits for its end.
func (c *child) stop() {
	if c.rpc != nil {
		c.rpc.Close()
	}
	c.kill()
	<-c.done
}

func freePort(ctx context.Context) (int, error) {
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	port := l.Addr().(*net.TCPAddr).Port
	if err := l.Close(); err != nil {
		return 0, fmt.Errorf("find a free port: %w", err)
	}
	return port, nil
}
