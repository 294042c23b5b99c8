package clickhouse

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
)

// runOnce runs one engine from its start to its end, which ctx orders. The error
// says why it ended.
func (s *Server) runOnce(ctx context.Context) error {
	if _, err := listenable(ctx, s.Address); err != nil {
		return err
	}
	r, w, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer r.Close()
	defer w.Close()
	cmd, err := s.command(ctx)
	if err != nil {
		return err
	}
	cmd.ExtraFiles = []*os.File{r} // number 3 in the child
	cmd.Cancel = w.Close           // the order to stop; WaitDelay later it is killed
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("execute the engine: %w", err)
	}
	s.pid.Store(int64(cmd.Process.Pid))
	defer s.pid.Store(0)
	return s.wait(ctx, cmd)
}

// wait is for the engine's end; meanwhile it is announced once it answers.
func (s *Server) wait(ctx context.Context, cmd *exec.Cmd) error {
	alive, ended := context.WithCancel(ctx)
	var announcement sync.WaitGroup
	announcement.Go(func() { s.announce(alive) })
	err := cmd.Wait()
	ended()
	announcement.Wait()
	return fmt.Errorf("the engine ended: %w: %s", cmp.Or(err, errLeft), cmd.Stderr)
}

var errLeft = errors.New("unasked")

// tail keeps the end of what is written to it.
type tail struct{ text []byte }

func (t *tail) Write(p []byte) (int, error) {
	t.text = append(t.text, p...)
	t.text = t.text[max(0, len(t.text)-1024):]
	return len(p), nil
}

// String is what was kept, as one line.
func (t *tail) String() string { return strings.Join(strings.Fields(string(t.text)), " ") }

// command is this binary as an engine. It inherits no environment: secrets of
// the daemon's have no business there. HOME keeps a user's client settings out.
func (s *Server) command(ctx context.Context) (*exec.Cmd, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this binary: %w", err)
	}
	host, port, err := net.SplitHostPort(s.Address)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	cmd := exec.CommandContext(ctx, self, s.o.Lib,
		"--path="+filepath.Join(s.o.Dir, "data"), "--config-file="+s.o.configFile(),
		"--listen_host="+host, "--tcp_port="+port, "--log-level=warning",
		"--interactive", "--history_file=/dev/null", "--disable_suggestion",
		"-q", "SYSTEM START LISTEN TCP")
	cmd.Env = []string{childMark + "=1", "HOME=" + s.o.Dir}
	cmd.Dir = s.o.Dir
	cmd.Stderr = &tail{} // it holds why the engine would not start; all else is in its log
	cmd.WaitDelay = stopWait
	detach(cmd)
	return cmd, nil
}

// announce asks the engine until it answers or ctx ends.
func (s *Server) announce(ctx context.Context) {
	began := time.Now()
	for s.ask(ctx) != nil {
		select {
		case <-ctx.Done():
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.o.Log.Info("clickhouse is up", "address", s.Address, "after", time.Since(began))
	select {
	case <-s.up:
	default:
		close(s.up)
	}
}

// ask says nil once the engine takes the full user's password. It leaves no
// connection behind, for which a stopping engine would wait.
func (s *Server) ask(ctx context.Context) error {
	conn, err := clickhouse.Open(&clickhouse.Options{
		Addr:        []string{s.Address},
		Auth:        clickhouse.Auth{Username: fullUser, Password: s.Password},
		DialTimeout: time.Second,
	})
	if err != nil {
		return err
	}
	defer conn.Close()
	return conn.Ping(ctx)
}
