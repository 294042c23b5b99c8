package e2e

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"superindex/internal/child"
	embedded "superindex/internal/embedded/clickhouse"
	"superindex/internal/embedded/nats/natstest"
)

// stopWithin bounds a stop. The contract's word on SIGTERM is 5 s: the log says what
// it took, and only a machine that is busy with other tests may take longer.
const stopWithin = 30 * time.Second

// commandBlocks take the throttled node some 20 s to give.
const commandBlocks = 3_000

// The daemon's life as an operator sees it, on one binary.
func TestCommand(t *testing.T) {
	libchdb(t)
	c := &commands{bin: build(t), ledger: newLedger(t, commandBlocks), listed: directory(t, ledgerWatched()...)}
	t.Run("StopsWhileItStarts", c.stopsWhileItStarts)
	t.Run("StopsWhileItIndexes", c.stopsWhileItIndexes)
	t.Run("StopsWhileTheNodeHangs", c.stopsWhileTheNodeHangs)
	t.Run("StopsWhileNATSIsAway", c.stopsWhileNATSIsAway)
	t.Run("StopsWhileTheEngineIsDead", c.stopsWhileTheEngineIsDead)
	t.Run("ASecondOneIsRefused", c.aSecondOneIsRefused)
	t.Run("AnotherChain", c.anotherChain)
	t.Run("ADeadEndpoint", c.aDeadEndpoint)
	t.Run("WhatCannotBe", c.whatCannotBe)
}

// commands is what the tests share; none of it changes.
type commands struct {
	bin    string
	ledger *ledger
	listed string
}

// setup is a config with embedded sinks and an endpoint that gives some hundred
// blocks a second.
func (c *commands) setup(t *testing.T) setup {
	t.Helper()
	return setup{
		dir: t.TempDir(), listed: c.listed, chainID: ledgerID, nats: "embedded",
		rpc: c.ledger.serve(t, ledgerID, limits{logs: 1_500, latency: 30 * time.Millisecond, rate: 5}),
	}
}

func (c *commands) start(t *testing.T, s setup) *daemon {
	t.Helper()
	d := newDaemon(t, c.bin, s.config(t))
	d.start()
	return d
}

// ends stops a daemon, which must obey.
func ends(t *testing.T, d *daemon) {
	t.Helper()
	engine := d.Engine()
	code, took := d.stop()
	t.Logf("it stopped within %v", took.Round(time.Millisecond))
	if code != 0 || took > stopWithin {
		t.Errorf("exit code %d after %v:\n%s", code, took, d.Said.Last(10))
	}
	if _, err := os.Stat(filepath.Join("/proc", strconv.Itoa(engine), "exe")); engine != 0 && err == nil {
		t.Error("its engine lives on")
	}
}

func (c *commands) stopsWhileItIndexes(t *testing.T) {
	s := c.setup(t)
	s.rpc = c.ledger.serve(t, ledgerID, limits{logs: 1_500, latency: 30 * time.Millisecond, rate: 2}) // half a minute from block 800 to the last
	for _, block := range []uint64{1, 400, 800} {
		d := c.start(t, s)
		at := d.comes("some blocks", func(s child.State) bool { return s.Indexed.Number >= block }).Indexed.Number
		if t.Logf("at block %d", at); at == commandBlocks {
			t.Error("it no longer indexes")
		}
		ends(t, d)
	}
}

func (c *commands) stopsWhileItStarts(t *testing.T) {
	s := c.setup(t)
	url, asked := hangs(t)
	s.listed = url + "/oss-directory.tar.gz"
	d := c.start(t, s)
	asked()
	ends(t, d)
}

func (c *commands) stopsWhileTheNodeHangs(t *testing.T) {
	s := c.setup(t)
	url, asked := hangs(t)
	s.rpc = url
	d := c.start(t, s)
	asked()
	ends(t, d)
}

// hangs is a server that answers nobody; asked waits until it was asked.
func hangs(t *testing.T) (url string, asked func()) {
	t.Helper()
	came := make(chan struct{}, 1)
	url = serve(t, http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // only then is the caller's end noticed
		select {
		case came <- struct{}{}:
		default:
		}
		<-r.Context().Done()
	}))
	return url, func() {
		t.Helper()
		select {
		case <-came:
		case <-time.After(2 * time.Minute):
			t.Fatal("it was never asked")
		}
	}
}

func (c *commands) stopsWhileNATSIsAway(t *testing.T) {
	s, server := c.setup(t), natstest.New(t)
	s.nats = server.URL()
	d := c.start(t, s)
	d.comes("some blocks", func(s child.State) bool { return s.Indexed.Number >= 1 })
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	d.comes("a fault", func(s child.State) bool { return s.Faults["nats"] != "" })
	ends(t, d)
}

func (c *commands) stopsWhileTheEngineIsDead(t *testing.T) {
	d := c.start(t, c.setup(t))
	d.comes("some blocks", func(s child.State) bool { return s.Indexed.Number >= 1 })
	killEngine(t, d)
	ends(t, d)
}

// A second daemon on the same folder says so, soon, and does the first no harm.
func (c *commands) aSecondOneIsRefused(t *testing.T) {
	s := c.setup(t)
	first := c.start(t, s)
	first.comes("some blocks", func(s child.State) bool { return s.Indexed.Number >= 1 })
	before := envFiles(t, s.dir)
	began := time.Now()
	code, said := c.command(t, "--config", s.config(t), "run")
	t.Logf("refused after %v: %s", time.Since(began).Round(time.Millisecond), said)
	if line := faultLine(said); code != 1 || !strings.Contains(line, s.dir) || !strings.Contains(line, "another superindex") {
		t.Errorf("exit code %d, want 1; one line that names %s and another superindex, got %q", code, s.dir, line)
	}
	if after := envFiles(t, s.dir); before != after {
		t.Errorf("the first one's files were changed:\n%s\n\n%s", before, after)
	}
	access, err := embedded.ReadAccess(filepath.Join(s.dir, "run", "clickhouse.env"))
	if err != nil {
		t.Fatal(err)
	}
	if err := dialWarehouse(t, access.ReaderDSN()).Ping(t.Context()); err != nil {
		t.Error("the first one's engine:", err)
	}
	now := first.comes("its state", func(child.State) bool { return true }).Indexed.Number
	first.comes("more blocks, everywhere", func(s child.State) bool { return s.Indexed.Number > now && s.Held(2) })
	c.checksBeside(t, s, first)
	ends(t, first)
}

// checksBeside checks configs beside a daemon: its own, one of its address, and one
// of its folder.
func (c *commands) checksBeside(t *testing.T, s setup, running *daemon) {
	t.Helper()
	url, err := running.URL()
	if err != nil {
		t.Fatal(err)
	}
	address, other := strings.TrimPrefix(url, "http://"), s
	other.dir = t.TempDir()
	for name, want := range map[string]struct {
		setup
		listen string
		code   int
		says   string
	}{
		"its own":                {s, address, 0, "the daemon runs here"},
		"another of its address": {other, address, 1, "a superindex with another data_dir runs here"},
		"another of its folder":  {s, "127.0.0.1:0", 1, "a superindex holds it that does not answer at http.listen"},
	} {
		path := want.config(t)
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte(strings.Replace(string(text), `http: {listen: "127.0.0.1:0"}`, `http: {listen: "`+want.listen+`"}`, 1)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		if code, said := c.command(t, "--config", path, "check"); code != want.code || !strings.Contains(said, want.says) {
			t.Errorf("check of %s: exit code %d, want %d and %q:\n%s", name, code, want.code, want.says, said)
		}
	}
}

// envFiles is what tells others how to reach a daemon's parts.
func envFiles(t *testing.T, dir string) string {
	t.Helper()
	var all []string
	for _, name := range []string{"run/clickhouse.env", "run/nats.env", "clickhouse/access.env", "clickhouse/config.xml", "clickhouse/users.xml"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, name+":\n"+string(text))
	}
	return strings.Join(all, "\n")
}

// An endpoint of another chain stops that network, red, and not the daemon; what
// is wrong is said once, with what mends it.
func (c *commands) anotherChain(t *testing.T) {
	s := c.setup(t)
	s.rpc = c.ledger.serve(t, 7, limits{})
	d := c.start(t, s)
	d.comes("a fault", func(s child.State) bool { return s.Faults["writer"] != "" })
	line := faultOf(t, d)
	for _, word := range []string{"throttled", "chain 7,", "not 424242", "give endpoint throttled the URL of a node of chain 424242"} {
		if !strings.Contains(line, word) {
			t.Errorf("%q is not in %q", word, line)
		}
	}
	c.red(t, d, s)
	ends(t, d)
}

// An endpoint that is away is a fault that passes.
func (c *commands) aDeadEndpoint(t *testing.T) {
	s := c.setup(t)
	s.rpc = "http://127.0.0.1:1/secret-key"
	d := c.start(t, s)
	d.comes("a fault", func(s child.State) bool { return s.Faults["writer"] != "" })
	line := faultOf(t, d)
	for _, word := range []string{"rpc throttled", "connection refused"} {
		if !strings.Contains(line, word) {
			t.Errorf("%q is not in %q", word, line)
		}
	}
	c.red(t, d, s)
	ends(t, d)
}

// faultOf is the error of the first fault that was logged: one line. The status
// shows a fault a moment before the log does.
func faultOf(t *testing.T, d *daemon) (line string) {
	t.Helper()
	until(t, "a logged fault", time.Minute, func() bool {
		for _, e := range d.Said.Entries() {
			if text, ok := e["error"].(string); ok && e["msg"] == "fault" {
				if e["part"] != "writer" {
					t.Errorf("of what part: %v", e)
				}
				line = text
				return true
			}
		}
		return false
	})
	return line
}

// red says that status, readiness and log agree, and that none shows the URL. What
// they say may change with every try of the daemon.
func (c *commands) red(t *testing.T, d *daemon, s setup) {
	t.Helper()
	url, err := d.URL()
	if err != nil {
		t.Fatal(err)
	}
	var line, said string
	defer func() { t.Logf("superindex status:\n%s", said) }()
	until(t, "exit code 1 and the logged fault in the status", time.Minute, func() bool {
		var code int
		code, said = c.command(t, "status", "--url", url)
		line = d.logged(ledgerName, "writer")
		return code == 1 && strings.Contains(said, "RED  ledger, writer: "+line)
	})
	until(t, "not ready", time.Minute, func() bool {
		resp, err := http.Get(url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		return resp.StatusCode == http.StatusServiceUnavailable
	})
	if all := said + d.Said.Last(1000); strings.Contains(all, strings.TrimPrefix(s.rpc, "http://")) || strings.Contains(all, "secret") {
		t.Errorf("the endpoint's URL is shown:\n%s", all)
	}
	if strings.Contains(line, "\n") {
		t.Errorf("not one line: %q", line)
	}
}

// Every command line and every config that cannot be gives one line and its code.
func (c *commands) whatCannotBe(t *testing.T) {
	good := c.setup(t)
	broken := func(change func(text string) string) string {
		path := good.config(t)
		text, err := os.ReadFile(path)
		if err == nil {
			err = os.WriteFile(path, []byte(change(string(text))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
		return path
	}
	replaced := func(old, by string) string {
		return broken(func(text string) string { return strings.Replace(text, old, by, 1) })
	}
	for name, want := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"unknown key":        {[]string{"run", "--config", broken(func(text string) string { return text + "colour: blue\n" })}, 1, []string{"superindex.yaml", "line 13", "unknown key colour"}},
		"unknown inner key":  {[]string{"run", "--config", replaced("start: 1", "strat: 1")}, 1, []string{"superindex.yaml", "line 7", "unknown key strat", "start"}},
		"no start":           {[]string{"run", "--config", replaced("start: 1", "start: soon")}, 1, []string{"line 7", "start", "soon"}},
		"a wrong type":       {[]string{"run", "--config", replaced("start: 1", "start: [1]")}, 1, []string{"superindex.yaml", "line 7", "networks.ledger.start"}},
		"a number's text":    {[]string{"run", "--config", replaced("chain_id: 424242", "chain_id: many")}, 1, []string{"line 5", "networks.ledger.chain_id", "many"}},
		"an unknown network": {[]string{"run", "--config", replaced("  ledger:\n    chain_id: 424242", "  optimsm:")}, 1, []string{"line 4", "networks.optimsm", "is optimism meant?", "chain_id"}},
		"one name twice":     {[]string{"run", "--config", replaced("rpc: [", "rpc: [{name: throttled, url: \"http://127.0.0.1:1\"}, ")}, 1, []string{"networks.ledger", "throttled"}},
		"no endpoint":        {[]string{"run", "--config", replaced("rpc: [", "#rpc: [")}, 1, []string{"networks.ledger", "rpc"}},
		"unset variable":     {[]string{"run", "--config", replaced("{level: info", "{level: \"${SUPERINDEX_NO_SUCH}\"")}, 1, []string{"SUPERINDEX_NO_SUCH", "line 12"}},
		"known, another id":  {[]string{"run", "--config", replaced("  ledger:", "  optimism:")}, 1, []string{"networks.optimism", "chain_id is 424242", "10"}},
		"a scheme":           {[]string{"run", "--config", replaced("http://", "ftp://")}, 1, []string{"networks.ledger", "http://"}},
		"no such file":       {[]string{"run", "--config", filepath.Join(good.dir, "none.yaml")}, 1, []string{"none.yaml"}},
		"no such registry":   {[]string{"run", "--config", replaced("oss_directory: ", "oss_directory: "+good.dir+"/none")}, 1, []string{"registry", "none"}},
		"no sink":            {[]string{"run", "--config", broken(func(text string) string { return strings.ReplaceAll(text, `"embedded"`, "none") })}, 1, []string{"sinks", "clickhouse.dsn or nats.url"}},
		"a public address":   {[]string{"run", "--config", replaced(`dsn: "embedded", listen: "127.0.0.1:0"`, `dsn: "embedded", listen: "0.0.0.0:0"`)}, 1, []string{"sinks.clickhouse", "listen", "loopback"}},
		"unknown command":    {[]string{"fly"}, 2, []string{"fly", "--help"}},
		"unknown flag":       {[]string{"run", "--fast"}, 2, []string{"--fast", "run --help"}},
		"too many arguments": {[]string{"run", "now"}, 2, []string{"superindex run"}},
		"no daemon":          {[]string{"status", "--url", "http://127.0.0.1:1"}, 1, []string{"superindex run", "refused"}},
		"no journal":         {[]string{"journal", "stat", "--config", c.setup(t).config(t)}, 1, []string{"no journal"}},
	} {
		code, said := c.command(t, want.args...)
		line := faultLine(said)
		if code != want.code || line == "" {
			t.Errorf("%s: exit code %d, want %d and one line:\n%s", name, code, want.code, said)
		}
		for _, word := range want.says {
			if !strings.Contains(line, word) {
				t.Errorf("%s: %q is not in %q", name, word, line)
			}
		}
	}
}

// command runs a command to its end and returns its exit code and all it said.
func (c *commands) command(t *testing.T, args ...string) (code int, said string) {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.CommandContext(t.Context(), c.bin, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.WaitDelay = time.Second
	late := time.AfterFunc(2*time.Minute, func() { _ = cmd.Process.Kill() })
	defer late.Stop()
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%v: %v", args, err)
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// faultLine is what a command says was wrong: its last line, alone but for what
// the log says.
func faultLine(said string) (line string) {
	for _, l := range strings.Split(strings.TrimSpace(said), "\n") {
		switch {
		case strings.HasPrefix(l, "{"): // the log
		case line != "", !strings.HasPrefix(l, "superindex: "):
			return ""
		default:
			line = l
		}
	}
	return line
}
