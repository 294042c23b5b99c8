package e2e

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"superindex/chain"
	"superindex/internal/child"
)

// build makes the binary as users get it, without the race detector.
func build(t *testing.T) string {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "superindex")
	out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "superindex/cmd/superindex").CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return bin
}

// setup is what a config says that differs between the tests.
type setup struct {
	dir     string // the data folder
	listed  string // an oss-directory
	chainID uint64
	rpc     string // URL
	nats    string // URL, or embedded
	engine  string // DSN; empty: embedded
	others  []entry
}

// entry is one more network of a config.
type entry struct {
	name    string
	chainID uint64
	rpc     string // URL
}

func (n entry) stream() chain.Stream { return chain.Stream{Name: n.name, ChainID: n.chainID} }

// config writes the file and returns its path.
func (s setup) config(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "superindex.yaml")
	var others strings.Builder
	for _, n := range s.others {
		fmt.Fprintf(&others, "  %s: {chain_id: %d, rpc: [{name: node-of-%s, url: %q}], start: 1}\n", n.name, n.chainID, n.name, n.rpc)
	}
	text := fmt.Sprintf(`data_dir: %s
registry: {oss_directory: %s}
networks:
  %s:
    chain_id: %d
    rpc: [{name: throttled, url: %q}]
    start: 1
%ssinks:
  clickhouse: {dsn: %q, listen: "127.0.0.1:0"}
  nats: {url: %q, listen: "127.0.0.1:0"}
http: {listen: "127.0.0.1:0"}
log: {level: info, format: json}
`, s.dir, s.listed, ledgerName, s.chainID, s.rpc, others.String(), cmp.Or(s.engine, "embedded"), s.nats)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// daemon is a child process that runs `superindex run`.
type daemon struct {
	*testing.T
	*child.Daemon // nil until it is started

	bin, config string
	env         []string // beside the test's own
	peak        uint64   // most resident memory of any process so far, in bytes
}

func newDaemon(t *testing.T, bin, config string) *daemon {
	t.Helper()
	d := &daemon{T: t, bin: bin, config: config}
	t.Cleanup(func() {
		if d.runs() {
			d.kill()
		}
		if t.Failed() && d.Daemon != nil {
			t.Logf("the last that the daemon said:\n%s", d.Said.Last(30))
		}
	})
	return d
}

// start starts the process and returns at once.
func (d *daemon) start() {
	d.Helper()
	var err error
	if d.Daemon, err = child.StartDaemon(d.bin, d.config, d.env...); err != nil {
		d.Fatal(err)
	}
}

func (d *daemon) runs() bool { return d.Daemon != nil && !d.Ended() }

// kill ends the process as kill -9 does.
func (d *daemon) kill() {
	d.Helper()
	d.weigh()
	if err := d.Signal(syscall.SIGKILL); err != nil {
		d.Error(err)
	}
	<-d.Done()
}

// stop asks the process to end, and returns how it did and after how long.
func (d *daemon) stop() (code int, took time.Duration) {
	d.Helper()
	d.weigh()
	began := time.Now()
	if err := d.Signal(syscall.SIGTERM); err != nil {
		d.Fatal(err)
	}
	select {
	case <-d.Done():
	case <-time.After(2 * time.Minute):
		d.Fatal("it does not stop")
	}
	return d.ExitCode(), time.Since(began)
}

// weigh takes down the most memory that the process ever had, in bytes.
func (d *daemon) weigh() uint64 {
	d.Helper()
	if runtime.GOOS != "linux" {
		d.Skip("memory can be read only on Linux")
	}
	own, _ := d.Usage()
	d.peak = max(d.peak, own.Peak)
	return own.Peak
}

// comes waits until the status of the ledger's network says so.
func (d *daemon) comes(what string, so func(child.State) bool) child.State {
	d.Helper()
	return d.network(ledgerName, what, so)
}

// network waits until the status of that network says so; the process must not end
// meanwhile.
func (d *daemon) network(name, what string, so func(child.State) bool) (s child.State) {
	d.Helper()
	until(d.T, name+": "+what, 5*time.Minute, func() bool {
		if !d.runs() {
			d.Fatalf("waiting for %q: the daemon has ended: %v", what, d.Err())
		}
		all, err := d.States(d.Context())
		var known bool
		s, known = all[name]
		return err == nil && known && so(s)
	})
	return s
}
