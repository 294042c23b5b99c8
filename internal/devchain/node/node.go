package node

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/rpc"

	"superindex/internal/child"
)

// Options say what to run.
type Options struct {
	Binary string
	Ports  int                           // how many it listens on; the first serves JSON-RPC over HTTP
	Args   func(ports []string) []string // of a try
}

// Child is a running node.
type Child struct {
	URL   string      // of its JSON-RPC
	RPC   *rpc.Client // to it; closed by Stop
	Ports []string    // that it listens on, that of URL first

	name    string
	kill    context.CancelFunc
	process *child.Process
}

// Spawn starts a node on free ports of the loopback. Another process may take one
// before the node does: then it is tried again. The node lives until Stop, or until
// ctx ends.
func Spawn(ctx context.Context, o Options) (*Child, error) {
	var failures []error
	for range 3 {
		c, err := try(ctx, o)
		if err == nil {
			return c, nil
		}
		failures = append(failures, err)
	}
	return nil, fmt.Errorf("start %s: %w", filepath.Base(o.Binary), errors.Join(failures...))
}

func try(ctx context.Context, o Options) (*Child, error) {
	ports, err := freePorts(ctx, max(1, o.Ports))
	if err != nil {
		return nil, err
	}
	c := &Child{URL: "http://127.0.0.1:" + ports[0], Ports: ports, name: filepath.Base(o.Binary)}
	alive, kill := context.WithCancel(ctx)
	c.kill = kill
	var said bytes.Buffer
	cmd := exec.CommandContext(alive, o.Binary, o.Args(ports)...)
	cmd.Stderr = &said
	if c.process, err = child.Start(cmd); err != nil {
		kill()
		return nil, err
	}
	if c.RPC, err = c.connect(ctx); err != nil {
		c.Stop()
		return nil, fmt.Errorf("%w: %s", err, &said)
	}
	return c, nil
}

// connect waits until the node answers.
func (c *Child) connect(ctx context.Context) (*rpc.Client, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	client, err := rpc.DialContext(ctx, c.URL)
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
		case <-c.process.Done():
			client.Close()
			return nil, fmt.Errorf("%s ended: %w", c.name, c.process.Err())
		case <-ctx.Done():
			client.Close()
			return nil, fmt.Errorf("wait for %s: %w", c.name, ctx.Err())
		}
	}
}

// Stop ends the process and waits for its end.
func (c *Child) Stop() {
	if c.RPC != nil {
		c.RPC.Close()
	}
	c.kill()
	<-c.process.Done()
}

// Done is closed when the process is gone.
func (c *Child) Done() <-chan struct{} { return c.process.Done() }

// freePorts are ports that nobody listens on now.
func freePorts(ctx context.Context, n int) (ports []string, err error) {
	for range n {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer func() { _ = l.Close() }() // after the last was found, so that all differ
		ports = append(ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	return ports, nil
}
