package harness

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"superindex/benchmarks/report"
	"superindex/internal/child"
)

// daemon is the one that is measured.
type daemon struct {
	*child.Daemon

	dir   string
	began time.Time
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
	d := &daemon{dir: dir, began: time.Now()}
	var err error
	if d.Daemon, err = child.StartDaemon(b.Binary, path); err != nil {
		return err
	}
	err = use(ctx, d)
	stop := time.AfterFunc(stopWait, func() { _ = d.Signal(os.Kill) })
	_ = d.Signal(syscall.SIGTERM) // it may have ended, and then Err says how
	<-d.Done()
	stop.Stop()
	if kept := os.WriteFile(filepath.Join(dir, "daemon.log"), []byte(d.Said.String()), 0o600); err == nil {
		err = kept
	}
	if err != nil {
		err = fmt.Errorf("%w; the daemon's last words: %s", err, d.Said.Last(3))
	}
	return err
}

// usage is what the daemon and its ClickHouse have taken so far.
func (d *daemon) usage() (own, engine report.Usage) {
	a, b := d.Usage()
	return report.Usage(a), report.Usage(b)
}

// alive is the daemon's end, if it has come.
func (d *daemon) alive() error {
	if d.Ended() {
		return fmt.Errorf("the daemon ended: %w", errors.Join(d.Err(), child.ErrNotUp))
	}
	return nil
}

// until asks every 20 ms until the states are so. It fails when the daemon ends.
func (d *daemon) until(ctx context.Context, so func(map[string]child.State) bool) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		states, err := d.States(ctx)
		if err == nil && so(states) {
			return nil
		}
		select {
		case <-tick.C:
		case <-d.Done():
			return fmt.Errorf("the daemon ended: %w", errors.Join(d.Err(), err))
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}
