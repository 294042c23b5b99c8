package harness

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"superindex/benchmarks/report"
	"superindex/chain"
)

// daemon is a child process that runs `superindex run`.
type daemon struct {
	dir     string
	cmd     *exec.Cmd
	began   time.Time
	said    *transcript
	ended   chan struct{} // closed when the process is gone
	failure error         // how it ended; to be read after that
}

// stopWait is how long a daemon may take to stop before it is killed; it promises 5 s.
const stopWait = 20 * time.Second

// daemon runs one with this config while a function uses it. What it says is kept
// in its folder.
func (b *bench) daemon(ctx context.Context, dir, config string, use func(context.Context, *daemon) error) error {
	path := filepath.Join(dir, "superindex.yaml")
	if err := os.WriteFile(path, []byte(config), 0o600); err != nil {
		return fmt.Errorf("write the config: %w", err)
	}
	d := &daemon{dir: dir, said: &transcript{}, ended: make(chan struct{}), began: time.Now()}
	d.cmd = exec.CommandContext(ctx, b.Binary, "--config", path, "run")
	d.cmd.Stderr, d.cmd.Stdout = d.said, d.said
	d.cmd.Cancel = func() error { return d.cmd.Process.Signal(syscall.SIGTERM) }
	d.cmd.WaitDelay = stopWait
	if err := d.cmd.Start(); err != nil {
		return fmt.Errorf("start the daemon: %w", err)
	}
	go func() {
		defer close(d.ended)
		d.failure = d.cmd.Wait()
	}()
	err := use(ctx, d)
	stop := time.AfterFunc(stopWait, func() { _ = d.cmd.Process.Kill() })
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // it may have ended, and then failure says so
	<-d.ended
	stop.Stop()
	if kept := os.WriteFile(filepath.Join(dir, "daemon.log"), d.said.text(), 0o600); err == nil {
		err = kept
	}
	if err != nil {
		err = fmt.Errorf("%w; the daemon's last words: %s", err, d.said.last(400))
	}
	return err
}

// usage is what the daemon and its ClickHouse have taken so far.
func (d *daemon) usage() (own, engine report.Usage) {
	pid := d.cmd.Process.Pid
	return usage(pid), usage(child(pid))
}

// forget makes peaks of memory count from now.
func (d *daemon) forget() {
	pid := d.cmd.Process.Pid
	forget(pid)
	forget(child(pid))
}

// alive is the daemon's end, if it has come.
func (d *daemon) alive() error {
	select {
	case <-d.ended:
		return fmt.Errorf("the daemon ended: %w", errors.Join(d.failure, errNotUp))
	default:
		return nil
	}
}

// get reads a page of the daemon's.
func (d *daemon) get(ctx context.Context, path string) ([]byte, error) {
	address := d.said.find("http", "address")
	if address == "" {
		return nil, errNotUp
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+path, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		return nil, fmt.Errorf("ask the daemon: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("ask the daemon for %s: %s", path, resp.Status)
	}
	return body.Bytes(), nil
}

var errNotUp = errors.New("the daemon does not serve HTTP yet")

// state is what is read of a network in /api/status.
type state struct {
	Network string         `json:"network"`
	Indexed chain.BlockRef `json:"indexed"`
	Head    uint64         `json:"journal_head"`
	Events  uint64         `json:"events"`
	Reorgs  uint64         `json:"reorgs"`
	Sinks   []struct {
		Name string `json:"name"`
		Seq  uint64 `json:"seq"`
	} `json:"sinks"`
	Faults map[string]string `json:"faults"`
}

// held says that so many sinks have all that the journal has.
func (s *state) held(sinks int) bool {
	for _, sink := range s.Sinks {
		if sink.Seq < s.Head {
			return false
		}
	}
	return len(s.Sinks) == sinks
}

// states are the networks' states.
func (d *daemon) states(ctx context.Context) (map[string]state, error) {
	text, err := d.get(ctx, "/api/status")
	if err != nil {
		return nil, err
	}
	var r struct {
		Networks []state `json:"networks"`
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return nil, fmt.Errorf("read the daemon's status: %w", err)
	}
	all := map[string]state{}
	for _, s := range r.Networks {
		all[s.Network] = s
	}
	return all, nil
}

// until asks every 20 ms until the states are so. It fails when the daemon ends.
func (d *daemon) until(ctx context.Context, so func(map[string]state) bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		states, err := d.states(ctx)
		if err == nil && so(states) {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.ended:
			return fmt.Errorf("the daemon ended: %w", errors.Join(d.failure, err))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// transcript is what a process says.
type transcript struct {
	mu   sync.Mutex
	said []byte
}

// Write implements io.Writer.
func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.said = append(t.said, p...)
	return len(p), nil
}

func (t *transcript) text() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return bytes.Clone(t.said)
}

func (t *transcript) last(n int) string {
	text := t.text()
	return string(text[max(0, len(text)-n):])
}

// find is the value of a key in the first log line with this message.
func (t *transcript) find(message, key string) string {
	for line := range bytes.Lines(t.text()) {
		var entry map[string]any
		if json.Unmarshal(line, &entry) == nil && entry["msg"] == message {
			return fmt.Sprint(entry[key])
		}
	}
	return ""
}
