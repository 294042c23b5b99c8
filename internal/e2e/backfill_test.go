package e2e

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"superindex/chain"
	"superindex/internal/agree"
	"superindex/internal/chance"
	"superindex/internal/child"
	embedded "superindex/internal/embedded/clickhouse"
	"superindex/internal/embedded/nats/natstest"
)

// What a backfill goes through, and the memory that it may take.
const (
	backfillBlocks = 10_000
	daemonKills    = 20
	engineKills    = 10
	natsStops      = 10
	mostMemory     = 300 << 20 // bytes
)

// Show 6: 200,000 logs from a throttled node; daemon, engine and NATS server are
// killed with -9 again and again, at blocks that a seed chooses. Nothing is missing,
// nothing is there twice, and the daemon stays small.
func TestBackfillThroughKills(t *testing.T) {
	libchdb(t)
	if raceEnabled {
		withoutRace(t)
		return
	}
	r := chance.New(t)
	l := newLedger(t, backfillBlocks)
	b := &backfill{T: t, rand: r, nats: natstest.New(t), dir: t.TempDir(), done: map[string]int{}}
	b.daemon = newDaemon(t, build(t), setup{
		dir: b.dir, listed: directory(t, ledgerWatched()...), chainID: ledgerID, nats: b.nats.URL(),
		rpc: l.serve(t, ledgerID, limits{logs: 3_000, latency: 20 * time.Millisecond, rate: 4}),
	}.config(t))
	began := time.Now()
	b.daemon.start()
	for _, blow := range schedule(r, backfillBlocks) {
		b.strike(blow)
	}
	b.daemon.comes("everything everywhere", func(s child.State) bool { return s.Indexed.Number == backfillBlocks && s.Held(2) })
	took := time.Since(began)
	b.compare(l)
	code, stop := b.daemon.stop()
	t.Logf("%v in %v; the daemon took at most %d MiB; SIGTERM ended it in %v; comparing and all: %v",
		b.done, took.Round(time.Second), b.daemon.peak>>20, stop.Round(time.Millisecond), time.Since(began).Round(time.Second))
	if want := map[string]int{"daemon": daemonKills, "engine": engineKills, "nats": natsStops}; !maps.Equal(b.done, want) {
		t.Errorf("%v struck, want %v", b.done, want)
	}
	if b.daemon.peak > mostMemory {
		t.Errorf("%d bytes of memory, more than %d", b.daemon.peak, mostMemory)
	}
	if code != 0 || stop > stopWithin {
		t.Errorf("SIGTERM: exit code %d after %v", code, stop)
	}
}

// withoutRace runs the test in a binary that has no race detector: all that the
// detector could watch here is the test's own reading of 200,000 rows, which takes
// it ten minutes and 2 GB.
func withoutRace(t *testing.T) {
	t.Helper()
	bin := filepath.Join(t.TempDir(), "e2e.test")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-o", bin, ".").CombinedOutput(); err != nil {
		t.Fatalf("go test -c: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), bin, "-test.v", "-test.timeout=12m", "-test.run=^"+t.Name()+"$").CombinedOutput()
	t.Logf("without the race detector:\n%s", out)
	if err != nil {
		t.Error(err)
	}
}

// blow is something that is killed once the journal has come to a block.
type blow struct {
	at   uint64
	what string
}

// schedule spreads the blows over the first 95 of 100 blocks.
func schedule(r *rand.Rand, blocks uint64) []blow {
	var all []blow
	all = append(all, slices.Repeat([]blow{{what: "daemon"}}, daemonKills)...)
	all = append(all, slices.Repeat([]blow{{what: "engine"}}, engineKills)...)
	all = append(all, slices.Repeat([]blow{{what: "nats"}}, natsStops)...)
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	points := make([]uint64, len(all))
	for i := range points {
		points[i] = 1 + r.Uint64N(blocks*95/100)
	}
	slices.Sort(points)
	for i := range all {
		all[i].at = points[i]
	}
	return all
}

// backfill is one under way.
type backfill struct {
	*testing.T
	rand   *rand.Rand
	daemon *daemon
	nats   *natstest.Child
	dir    string
	done   map[string]int // how often each was killed
}

// strike kills, not at the moment of a step but some time after it.
func (b *backfill) strike(w blow) {
	b.Helper()
	s := b.daemon.comes(fmt.Sprint("block ", w.at), func(s child.State) bool { return s.Indexed.Number >= w.at })
	time.Sleep(time.Duration(b.rand.IntN(100)) * time.Millisecond)
	b.Logf("%s at block %d; sinks behind: %v; memory so far: %d MiB", w.what, s.Indexed.Number, s.Behind(), b.daemon.weigh()>>20)
	switch w.what {
	case "daemon":
		b.daemon.kill()
		b.daemon.start()
	case "engine":
		killEngine(b.T, b.daemon)
	case "nats":
		if err := b.nats.Kill(); err != nil {
			b.Fatal(err)
		}
		time.Sleep(time.Duration(b.rand.IntN(600)) * time.Millisecond)
		if err := b.nats.Start(b.Context()); err != nil {
			b.Fatal(err)
		}
	}
	b.done[w.what]++
}

// killEngine ends the daemon's ClickHouse as kill -9 does.
func killEngine(t *testing.T, d *daemon) {
	t.Helper()
	var pid int
	until(t, "an engine to kill", time.Minute, func() bool { pid = d.Engine(); return pid != 0 })
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		t.Fatal("kill the engine:", err)
	}
}

// compare reads chain, warehouse and stream while the daemon runs.
func (b *backfill) compare(l *ledger) {
	b.Helper()
	access, err := embedded.ReadAccess(filepath.Join(b.dir, "run", "clickhouse.env"))
	if err != nil {
		b.Fatal(err)
	}
	of := chain.Stream{Name: ledgerName, ChainID: ledgerID}
	stores := agree.Stores{Warehouse: dialWarehouse(b.T, access.ReaderDSN()), Stream: dialStream(b.T, b.nats.URL(), of)}
	set, err := stores.Compare(b.Context(), dialChain(b.T, l.serve(b.T, ledgerID, limits{})), of, ledgerWatched())
	if err != nil {
		b.Error(err)
	}
	if want := backfillBlocks * ledgerTxs * ledgerLogs; len(set) != want {
		b.Errorf("the chain has %d logs, want %d", len(set), want)
	}
}
