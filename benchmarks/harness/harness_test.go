package harness

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superindex/benchmarks/report"
	"superindex/internal/assets"
	engine "superindex/internal/embedded/clickhouse"
)

func TestMain(m *testing.M) {
	engine.Child() // where ClickHouse is measured alone, it is a child of this binary
	m.Run()
}

// talk shows what the harness says.
type talk struct{ *testing.T }

func (t talk) Write(p []byte) (int, error) {
	t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

func options(t *testing.T, only ...string) Options {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "superindex")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", bin, "superindex/cmd/superindex").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return Options{
		Only: only, Quick: true, Binary: bin, Dir: t.TempDir(), Profiles: t.TempDir(), Progress: talk{t},
		Heads: 4 * time.Second, Networks: 2,
	}
}

// The harness works, and what it measures is complete. The sizes are tiny: how fast
// something is, nothing here says.
func TestHarness(t *testing.T) {
	if _, err := assets.Find(assets.LibChDB); err != nil {
		t.Skip(err)
	}
	o := options(t, "parse", "decode", "bloom", "journal", "backfill-both", "heads")
	run, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Results) != len(o.Only) {
		t.Fatalf("%d results of %d scenarios", len(run.Results), len(o.Only))
	}
	for _, r := range run.Results {
		if r.Fault != "" {
			t.Errorf("%s: %s", r.Scenario, r.Fault)
		}
		if r.Logs == 0 || r.Took == 0 {
			t.Errorf("%s: %d logs in %v", r.Scenario, r.Logs, r.Took)
		}
	}
	both := run.Results[4]
	if p := both.Proof; p == nil || !p.Holds() || p.Got != 30_000 || p.Decoded < 0.9 {
		t.Errorf("the proof of the backfill: %+v", p)
	}
	if both.Daemon.Peak == 0 || both.Engine.Peak == 0 || both.Requests == 0 || len(both.Stages) != 5 || len(both.Ratios) != 1 {
		t.Errorf("the backfill's figures: %s; %v", report.Line(both), both.Notes)
	}
	if l := run.Results[5].Latency; len(l) != 4 {
		t.Errorf("latencies: %+v", l)
	}
	if heaps, _ := filepath.Glob(filepath.Join(o.Profiles, "*-heap.pprof")); len(heaps) != 2 {
		t.Errorf("profiles: %v", heaps)
	}
	if left, _ := os.ReadDir(o.Dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
	if text := report.Markdown(&run); !strings.Contains(text, "| backfill-both | 30,000 |") {
		t.Errorf("the report lacks the backfill:\n%s", text)
	}
}

func TestAMissingRowIsAFault(t *testing.T) {
	b := &bench{Options: Options{Progress: talk{t}}}
	r := report.Result{Proof: &report.Proof{Want: 2, Got: 1}}
	got := b.scenario(t.Context(), scenario{name: "x", run: fixed(r)})
	if len(got) != 1 || !strings.Contains(got[0].Fault, "ledger") {
		t.Errorf("%+v", got)
	}
}

func TestOptionsAreChecked(t *testing.T) {
	good := Options{Binary: "x", Dir: "y", Progress: talk{t}}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for field, change := range map[string]func(*Options){
		"Binary": func(o *Options) { o.Binary = "" }, "Dir": func(o *Options) { o.Dir = "" }, "Progress": func(o *Options) { o.Progress = nil },
		"Heads": func(o *Options) { o.Heads = -1 }, "Only": func(o *Options) { o.Only = []string{"nonesuch"} },
	} {
		o := good
		change(&o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

// fixed is a scenario that has measured already.
func fixed(results ...report.Result) func(context.Context, *bench) ([]report.Result, error) {
	return func(context.Context, *bench) ([]report.Result, error) { return results, nil }
}
