// Package natstest runs the embedded NATS server in a process of its own, so
// that a test can kill it as `kill -9` does.
//
// The process is the test binary itself: TestMain calls Main. A Child is safe for
// concurrent use; its process ends with the test's, however that ends.
package natstest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"

	"superindex/internal/embedded/nats"
)

const (
	dirVariable    = "SUPERINDEX_NATSTEST_DIR"
	listenVariable = "SUPERINDEX_NATSTEST_LISTEN"
)

// Main runs the tests, or the server where a Child started this process.
func Main(m *testing.M) {
	dir := os.Getenv(dirVariable)
	if dir == "" {
		os.Exit(m.Run())
	}
	if err := serve(dir, os.Getenv(listenVariable)); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// serve prints the server's full URL and works until stdin ends.
func serve(dir, listen string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	s, err := nats.Start(context.Background(), nats.Options{Dir: dir, Listen: listen, Log: log})
	if err != nil {
		return err
	}
	defer s.Close()
	fmt.Println(s.FullURL())
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// Child is a server in a process of its own.
type Child struct {
	Dir string // its data folder

	mu     sync.Mutex
	listen string
	cmd    *exec.Cmd
	stdin  io.Closer // its end is the order to stop
	url    string
}

// New starts a server on a free port; the test's cleanup kills it.
func New(t *testing.T) *Child {
	t.Helper()
	if os.Getenv(dirVariable) != "" { // this is the child, and would have children without end
		t.Fatal("TestMain does not call natstest.Main")
	}
	c := &Child{Dir: t.TempDir(), listen: "127.0.0.1:0"}
	if err := c.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Kill() })
	return c
}

// URL is the server's address with the full user in it; it stays the same.
func (c *Child) URL() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.url
}

// Start starts the server on its folder, after Kill on the address it had, and
// returns once it answers.
func (c *Child) Start(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd != nil {
		return errors.New("natstest: the server runs already")
	}
	if os.Getenv(dirVariable) != "" { // or each would start the next, without end
		return errors.New("natstest: TestMain does not call natstest.Main")
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), dirVariable+"="+c.Dir, listenVariable+"="+c.listen)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.cmd, c.stdin = cmd, stdin
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Kill() })
	defer stop()
	if _, err := fmt.Fscanln(stdout, &c.url); err != nil {
		return errors.Join(fmt.Errorf("natstest: the server did not start: %w", err), c.kill())
	}
	c.listen = c.url[strings.LastIndex(c.url, "@")+1:]
	return nil
}

// Kill ends the process with SIGKILL and waits for its end.
func (c *Child) Kill() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kill()
}

// Stop ends the process as a daemon's stop ends the server, and waits for its end.
func (c *Child) Stop() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.cmd == nil {
		return nil
	}
	err := errors.Join(c.stdin.Close(), c.cmd.Wait())
	c.cmd = nil
	return err
}

func (c *Child) kill() error {
	if c.cmd == nil {
		return nil
	}
	err := c.cmd.Process.Kill()
	var exit *exec.ExitError
	if waited := c.cmd.Wait(); !errors.As(waited, &exit) {
		err = errors.Join(err, waited)
	}
	c.cmd = nil
	return err
}
