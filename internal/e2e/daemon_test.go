package e2e

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"superindex/chain"
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
	bin, config string
	env         []string // beside the test's own

	cmd   *exec.Cmd
	said  *transcript
	ended chan struct{} // closed when the process is gone
	peak  int           // most resident memory of any process so far, in KiB
}

func newDaemon(t *testing.T, bin, config string) *daemon {
	t.Helper()
	d := &daemon{T: t, bin: bin, config: config}
	t.Cleanup(func() {
		if d.runs() {
			d.kill()
		}
		if t.Failed() && d.said != nil {
			t.Logf("the last that the daemon said:\n%s", d.said.end(30))
		}
	})
	return d
}

// start starts the process and returns at once.
func (d *daemon) start() {
	d.Helper()
	d.said, d.ended = &transcript{}, make(chan struct{})
	d.cmd = exec.Command(d.bin, "--config", d.config, "run")
	d.cmd.Env = append(os.Environ(), d.env...)
	d.cmd.Stdout, d.cmd.Stderr = d.said, d.said
	d.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	started := make(chan error)
	go func() { // on a thread that lives as long as the child: with the thread it would be killed
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer close(d.ended)
		err := d.cmd.Start()
		started <- err
		if err == nil {
			_ = d.cmd.Wait()
		}
	}()
	if err := <-started; err != nil {
		d.Fatal(err)
	}
}

func (d *daemon) runs() bool {
	if d.cmd == nil || d.cmd.Process == nil {
		return false
	}
	select {
	case <-d.ended:
		return false
	default:
		return true
	}
}

func (d *daemon) pid() int { return d.cmd.Process.Pid }

// kill ends the process as kill -9 does.
func (d *daemon) kill() {
	d.Helper()
	d.weigh()
	if err := d.cmd.Process.Kill(); err != nil {
		d.Error(err)
	}
	<-d.ended
}

// stop asks the process to end, and returns how it did and after how long.
func (d *daemon) stop() (code int, took time.Duration) {
	d.Helper()
	d.weigh()
	began := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		d.Fatal(err)
	}
	select {
	case <-d.ended:
	case <-time.After(2 * time.Minute):
		d.Fatal("it does not stop")
	}
	return d.cmd.ProcessState.ExitCode(), time.Since(began)
}

// weigh takes down the most memory that the process ever had, in KiB.
func (d *daemon) weigh() (kib int) {
	d.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.pid()))
	if err != nil {
		d.Skip("memory can be read only on Linux:", err)
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	if _, err := fmt.Sscan(rest, &kib); err != nil {
		d.Fatal("VmHWM:", err)
	}
	d.peak = max(d.peak, kib)
	return kib
}

// engine is the process of the embedded ClickHouse; 0 while there is none.
func (d *daemon) engine() int {
	d.Helper()
	all, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		d.Fatal(err)
	}
	for _, path := range all {
		text, err := os.ReadFile(path)
		_, rest, ok := strings.Cut(string(text), ") ") // pid (name) state parent
		fields := strings.Fields(rest)
		if err != nil || !ok || len(fields) < 2 || fields[0] == "Z" || fields[1] != strconv.Itoa(d.pid()) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(filepath.Dir(path)))
		if err != nil {
			d.Fatal(err)
		}
		return pid
	}
	return 0
}

// state is what is read of /api/status.
type state struct {
	Network string         `json:"network"`
	Indexed chain.BlockRef `json:"indexed"`
	Latest  chain.BlockRef `json:"latest"`
	Final   chain.BlockRef `json:"finalized"`
	Head    uint64         `json:"journal_head"`
	Sinks   []struct {
		Name string
		Seq  uint64
	} `json:"sinks"`
	Faults map[string]string `json:"faults"`
}

// behind is how many steps each sink lacks.
func (s state) behind() map[string]uint64 {
	all := map[string]uint64{}
	for _, sink := range s.Sinks {
		all[sink.Name] = s.Head - sink.Seq
	}
	return all
}

// held says that every sink has the journal's last step.
func (s state) held() bool {
	for _, sink := range s.Sinks {
		if sink.Seq != s.Head {
			return false
		}
	}
	return len(s.Sinks) == 2 && s.Head > 0
}

var errNotUp = errors.New("it does not serve HTTP yet")

// url is where the daemon serves HTTP.
func (d *daemon) url() (string, error) {
	for _, e := range d.said.entries() {
		if e["msg"] == "http" {
			return fmt.Sprint("http://", e["address"]), nil
		}
	}
	return "", errNotUp
}

// states are those of all networks, by name.
func (d *daemon) states() (map[string]state, error) {
	url, err := d.url()
	if err != nil {
		return nil, err
	}
	resp, err := http.Get(url + "/api/status")
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var r struct {
		Networks []state `json:"networks"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&r); err != nil {
		return nil, err
	}
	all := map[string]state{}
	for _, s := range r.Networks {
		all[s.Network] = s
	}
	return all, nil
}

// comes waits until the status of the ledger's network says so.
func (d *daemon) comes(what string, so func(state) bool) state {
	d.Helper()
	return d.network(ledgerName, what, so)
}

// network waits until the status of that network says so; the process must not end
// meanwhile.
func (d *daemon) network(name, what string, so func(state) bool) (s state) {
	d.Helper()
	until(d.T, name+": "+what, 5*time.Minute, func() bool {
		if !d.runs() {
			d.Fatalf("waiting for %q: the daemon has ended: %v", what, d.cmd.ProcessState)
		}
		all, err := d.states()
		var known bool
		s, known = all[name]
		return err == nil && known && so(s)
	})
	return s
}

// transcript is what a process says, line by line.
type transcript struct {
	mu   sync.Mutex
	text []byte
}

func (t *transcript) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.text = append(t.text, p...)
	return len(p), nil
}

func (t *transcript) lines() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Split(strings.TrimSuffix(string(t.text), "\n"), "\n")
}

// end is the last lines.
func (t *transcript) end(n int) string {
	all := t.lines()
	return strings.Join(all[max(0, len(all)-n):], "\n")
}

// entries are the lines that the log wrote, as JSON.
func (t *transcript) entries() (all []map[string]any) {
	for _, line := range t.lines() {
		var e map[string]any
		if json.Unmarshal([]byte(line), &e) == nil && e != nil {
			all = append(all, e)
		}
	}
	return all
}
