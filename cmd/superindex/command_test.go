package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	embedded "superindex/internal/embedded/clickhouse"
	"superindex/internal/oracle"
)

func TestMain(m *testing.M) {
	embedded.Child()
	os.Exit(m.Run())
}

// command runs a command line and returns what it printed.
func command(t *testing.T, args ...string) (string, error) {
	t.Helper()
	var out bytes.Buffer
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(&out)
	root.SetErr(&out)
	err := root.ExecuteContext(t.Context())
	return out.String(), err
}

// says fails unless the command works and prints all of these.
func says(t *testing.T, args []string, want ...string) {
	t.Helper()
	out, err := command(t, args...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	for _, w := range want {
		if !strings.Contains(out, w) {
			t.Fatalf("%v printed no %q:\n%s", args, w, out)
		}
	}
}

// demoNetwork is the tests' network.
const demoNetwork = "devchain"

// operated is a dev chain and the config of a daemon on it.
type operated struct {
	dev    demoChain
	config config
	file   string
	rng    *rand.Rand
}

func newOperated(t *testing.T) *operated {
	t.Helper()
	dir := t.TempDir()
	chains, err := startChains(t.Context(), []demoPace{{name: demoNetwork, chainID: 901}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(chains.Close)
	c, err := demoConfig(dir, chains)
	if err != nil {
		t.Fatal(err)
	}
	c.HTTP.Listen = "127.0.0.1:0"
	dev := chains[0]
	o := &operated{dev: dev, config: c, file: filepath.Join(dir, "superindex.yaml"), rng: rand.New(rand.NewPCG(1, 2))}
	text := fmt.Sprintf("data_dir: %q\nregistry: {oss_directory: %q}\nnetworks:\n  %s:\n    chain_id: %d\n    start: 1\n    rpc: [{name: anvil, url: %q}]\nsinks: {nats: {listen: \"127.0.0.1:0\"}}\nhttp: {listen: \"127.0.0.1:0\"}\n",
		c.DataDir, c.Registry.OSSDirectory, demoNetwork, dev.ChainID(), dev.URL())
	if err := os.WriteFile(o.file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return o
}

// mine has users act in some blocks.
func (o *operated) mine(t *testing.T, blocks int) {
	t.Helper()
	for range blocks {
		if err := errors.Join(o.dev.Act(t.Context(), o.rng, 4), o.dev.Mine(t.Context(), 1)); err != nil {
			t.Fatal(err)
		}
	}
}

// run runs the daemon until it has settled, calls look, and stops it.
func (o *operated) run(t *testing.T, look func(*stage)) {
	t.Helper()
	d, err := newDaemon(t.Context(), o.config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- d.run(ctx) }()
	s := &stage{daemon: d, chains: demoChains{o.dev}, out: &screen{out: new(bytes.Buffer)}, dir: filepath.Dir(o.file)}
	s.reads = []oracle.Reads{{Good: 1}} // nobody reads beside
	if err := s.verdict(t.Context()); err != nil {
		t.Error(err)
	}
	look(s)
	stop()
	if err := errors.Join(<-done, d.Close()); err != nil {
		t.Fatal(err)
	}
}

// TestTheOperatorsDay: a daemon runs, is asked, is stopped; its journal is looked
// at, rewound below finalized, its stream adopted, and it runs again: all equal.
func TestTheOperatorsDay(t *testing.T) {
	o := newOperated(t)
	config := []string{"--config", o.file}
	o.mine(t, 12)
	says(t, append(config, "check", "--dry-run"), "ok   endpoint  devchain/anvil ", "chain 901, latest", "logs and receipts", "it starts with `superindex run`", "requests/h")
	o.run(t, func(s *stage) {
		server := httptest.NewServer(s.routes())
		defer server.Close()
		says(t, append(config, "status", "--url", server.URL), "clickhouse  nats", demoNetwork, "synced")
		says(t, append(config, "query", "SELECT count() > 20 AS enough, any(network) AS network FROM events"), "enough  network", "1       "+demoNetwork)
		if out, err := command(t, append(config, "query", "DROP TABLE superindex.raw_events")...); err == nil {
			t.Errorf("the warehouse was written to: %s", out)
		}
		if out, err := command(t, append(config, "journal", "stat")...); err == nil {
			t.Errorf("the journal was opened twice: %s", out)
		}
		for path, want := range map[string]string{"/healthz": "ok", "/readyz": "ok", "/metrics": `superindex_head_block{network="devchain",tag="indexed"}`} {
			resp, err := server.Client().Get(server.URL + path)
			if err != nil {
				t.Fatal(err)
			}
			var body bytes.Buffer
			_, err = body.ReadFrom(resp.Body)
			if err = errors.Join(err, resp.Body.Close()); err != nil || !strings.Contains(body.String(), want) {
				t.Errorf("%s says %q, %v", path, body.String(), err)
			}
		}
		pageIsServed(t, server, demoNetwork+" synced", demoNetwork+" anvil leads")
		if _, err := o.dev.Reorg(t.Context(), o.rng, 3); err != nil {
			t.Fatal(err)
		}
		if err := s.verdict(t.Context()); err != nil {
			t.Error(err)
		}
		metricsAreThoseOfTheDocs(t, s.metrics)
		statusIsOfTheDocs(t, s.report())
	})
	says(t, append(config, "journal", "stat"), "devchain (chain id 901)", "may still be reverted")
	says(t, append(config, "journal", "dump", "--network", demoNetwork), "revert  to 0:", "begin", "apply")
	says(t, append(config, "journal", "rewind", "--network", demoNetwork, "--to", "3"), "goes on from 3:")
	o.mine(t, 3)
	o.run(t, func(*stage) {})
	says(t, append(config, "journal", "adopt", "--network", demoNetwork), "goes on from")
	o.mine(t, 3)
	o.run(t, func(*stage) {})
	out, err := command(t, append(config, "journal", "dump", "--network", demoNetwork, "--json")...)
	if err != nil {
		t.Fatal(err)
	}
	var step struct {
		Journal string
		Seq     uint64
	}
	if err := json.Unmarshal([]byte(strings.SplitN(out, "\n", 2)[0]), &step); err != nil || step.Seq == 0 || len(step.Journal) != 32 {
		t.Errorf("%v: %s", err, out)
	}
	if !strings.Contains(out, `"Args":{"`) || !strings.Contains(out, `"Data":"0x`) {
		t.Errorf("no event's arguments and data:\n%s", out)
	}
	if code := run(t.Context(), append(config, "journal", "dump", "--network", "typo")); code != exitUsage {
		t.Errorf("a network that there is not ends with %d, want %d", code, exitUsage)
	}
}

// TestALostFolderAndALostSink: the data folder is lost and the sinks are not; then
// the warehouse is lost and the rest is not.
func TestALostFolderAndALostSink(t *testing.T) {
	o := newOperated(t)
	o.mine(t, 8)
	o.run(t, func(*stage) {})
	if err := os.RemoveAll(filepath.Join(o.config.DataDir, "journal")); err != nil {
		t.Fatal(err)
	}
	o.mine(t, 4)
	o.run(t, func(s *stage) {
		if n := s.now(demoNetwork); n.Reorgs != 0 {
			t.Errorf("a new journal's beginning was counted as a reorg: %+v", n)
		}
	})
	if err := os.RemoveAll(filepath.Join(o.config.DataDir, "clickhouse")); err != nil {
		t.Fatal(err)
	}
	says(t, []string{"--config", o.file, "journal", "adopt", "--network", demoNetwork}, "goes on from 0:")
	o.run(t, func(*stage) {})
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"nonsense"}, {"run", "--nonsense"}, {"query"}, {"version", "extra"}} {
		if code := run(t.Context(), args); code != exitUsage {
			t.Errorf("%v ends with %d, want %d", args, code, exitUsage)
		}
	}
	if code := run(t.Context(), []string{"--config", filepath.Join(t.TempDir(), "none.yaml"), "status"}); code != exitFault {
		t.Errorf("a config that is not there ends with %d, want %d", code, exitFault)
	}
	says(t, []string{"version"}, "superindex ")
	says(t, []string{"version", "--json"}, `"version"`)
}
