package harness

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"superindex/benchmarks/report"
)

// scenario is one thing to measure.
type scenario struct {
	name  string
	about string
	run   func(context.Context, *bench) ([]report.Result, error)
}

// scenarios are all, in the order in which they run.
func scenarios() []scenario {
	return []scenario{
		{"parse", "answers in memory into logs", parse},
		{"decode", "logs into events", decode},
		{"bloom", "each block's bloom from all its logs, which no release does yet", blooms},
		{"journal", "steps into the journal alone, and back", journal},
		{"backfill-nothing", "a backfill into the journal alone", backfillNothing},
		{"backfill-clickhouse", "a backfill into the embedded ClickHouse", backfillClickHouse},
		{"backfill-jetstream", "a backfill into the embedded JetStream", backfillJetStream},
		{"backfill-both", "a backfill into both", backfillBoth},
		{"rpc", "a backfill within a provider's limits, which are not told", providerLimits},
		{"sparse", "a backfill of which 1 % of the logs are watched, of 25,000 contracts, into both", sparse},
		{"receipts", "a backfill in receipts mode, transactions included, into ClickHouse", receipts},
		{"heads", "the heads of many networks, a block a second each", heads},
		{"reorg", "a reorg of 1,000 blocks", reorganise},
		{"start-up", "a start with the whole oss-directory", startUp},
		{"growth", "more logs, and more contracts", growth},
	}
}

// Names are the scenarios' names.
func Names() (all []string) {
	for _, s := range scenarios() {
		all = append(all, s.name)
	}
	return all
}

// bench is a run under way.
type bench struct {
	Options
	limits     map[string]measure // what a part alone can do, by its name
	clickhouse string             // its version, once one was asked
	folders    []string           // of the scenario under way
	emptied    []string           // those of scenarios that went well
}

// Run runs the scenarios. A scenario that fails is a result with a fault, and the
// others run; the error is that of a run that could not be, or was ended by ctx.
func Run(ctx context.Context, o Options) (report.Run, error) {
	if err := o.Check(); err != nil {
		return report.Run{}, err
	}
	b := &bench{Options: o, limits: map[string]measure{}}
	defer b.remove()
	r := report.Run{Began: time.Now().UTC(), Machine: machine(), Versions: versions()}
	for _, s := range scenarios() {
		if len(o.Only) > 0 && !slices.Contains(o.Only, s.name) {
			continue
		}
		r.Results = append(r.Results, b.scenario(ctx, s)...)
		if ctx.Err() != nil {
			return r, fmt.Errorf("%s: %w", s.name, context.Cause(ctx))
		}
	}
	r.Took = time.Since(r.Began)
	if b.clickhouse != "" {
		r.Versions = append(r.Versions, report.Figure{Name: "ClickHouse", Text: b.clickhouse})
	}
	return r, nil
}

// scenario runs one and says how it went.
func (b *bench) scenario(ctx context.Context, s scenario) []report.Result {
	began := time.Now()
	b.say("%s: %s", s.name, s.about)
	results, err := s.run(ctx, b)
	if err != nil && len(results) == 0 {
		results = append(results, report.Result{})
	}
	if err != nil {
		results[len(results)-1].Fault = err.Error()
	}
	for i := range results {
		if results[i].Scenario == "" {
			results[i].Scenario = s.name
		}
		if results[i].About == "" {
			results[i].About = s.about
		}
		if p := results[i].Proof; p != nil && !p.Holds() {
			results[i].Fault = "what is there is not what the node's ledger says"
		}
		b.say("  %s", report.Line(results[i]))
	}
	b.clean(ctx, results)
	b.say("  (%.0f s in all)", time.Since(began).Seconds())
	return results
}

func (b *bench) say(format string, args ...any) { fmt.Fprintf(b.Progress, format+"\n", args...) }

// folder is an empty one for a scenario's data, or for a lap's of it.
func (b *bench) folder(name string) (string, error) {
	dir := filepath.Join(b.Dir, name)
	for lap := 2; slices.Contains(b.folders, dir); lap++ {
		dir = filepath.Join(b.Dir, fmt.Sprintf("%s-%d", name, lap))
	}
	if err := os.RemoveAll(dir); err != nil {
		return "", fmt.Errorf("empty %s: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", fmt.Errorf("make %s: %w", dir, err)
	}
	b.folders = append(b.folders, dir)
	return dir, nil
}

// clean empties the files of a scenario that went well: ten million logs are many
// gigabytes. They are removed at the end of all: where a file system passes over what
// was removed of late, the next scenario would pay for it with each file that it makes.
// Those of a fault stay for whoever looks for it.
func (b *bench) clean(ctx context.Context, results []report.Result) {
	faulty := ctx.Err() == nil && slices.ContainsFunc(results, func(r report.Result) bool { return r.Fault != "" })
	for _, dir := range b.folders {
		if faulty {
			b.say("  its data: %s", dir)
			continue
		}
		if err := empty(dir); err != nil {
			b.say("  left behind: %v", err)
		}
		b.emptied = append(b.emptied, dir)
	}
	b.folders = nil
}

func empty(dir string) error {
	return filepath.WalkDir(dir, func(path string, f fs.DirEntry, err error) error {
		if err != nil || !f.Type().IsRegular() {
			return err
		}
		return os.Truncate(path, 0)
	})
}

// remove removes what clean has emptied.
func (b *bench) remove() {
	for _, dir := range b.emptied {
		if err := os.RemoveAll(dir); err != nil {
			b.say("left behind: %v", err)
		}
	}
}

// pick is a size: the first, or the second if the run is a quick one.
func pick[T any](b *bench, full, quick T) T {
	if b.Quick {
		return quick
	}
	return full
}

// versions are those of the modules that the figures depend on.
func versions() (all []report.Figure) {
	all = []report.Figure{{Name: "Go", Text: runtime.Version()}}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return all
	}
	for _, set := range info.Settings {
		if set.Key == "-pgo" {
			all = append(all, report.Figure{Name: "compiled by the profile", Text: set.Value})
		}
	}
	for _, m := range info.Deps {
		switch m.Path {
		case "github.com/cockroachdb/pebble/v2", "github.com/nats-io/nats-server/v2", "github.com/ClickHouse/ch-go",
			"github.com/ClickHouse/clickhouse-go/v2", "github.com/minio/simdjson-go", "github.com/ethereum/go-ethereum":
			all = append(all, report.Figure{Name: strings.TrimPrefix(m.Path, "github.com/"), Text: m.Version})
		}
	}
	return all
}
