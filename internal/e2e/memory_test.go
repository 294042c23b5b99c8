package e2e

import (
	"testing"
	"time"

	"superindex/internal/child"
	"superindex/internal/embedded/nats/natstest"
)

// The same logs from a node that gives all it has, to a daemon that nobody disturbs:
// memory is bounded by what is under way, not by how fast it comes.
func TestBackfillAtFullSpeedStaysSmall(t *testing.T) {
	libchdb(t)
	if raceEnabled {
		withoutRace(t)
		return
	}
	l := newLedger(t, backfillBlocks)
	d := newDaemon(t, build(t), setup{
		dir: t.TempDir(), listed: directory(t, ledgerWatched()...), chainID: ledgerID, nats: natstest.New(t).URL(),
		rpc: l.serve(t, ledgerID, limits{logs: 10_000}),
	}.config(t))
	began := time.Now()
	d.start()
	d.comes("everything everywhere", func(s child.State) bool { return s.Indexed.Number == backfillBlocks && s.Held(2) })
	took := time.Since(began)
	d.weigh()
	d.late()
	t.Logf("200,000 logs in %v; the daemon took at most %d MiB", took.Round(time.Millisecond), d.peak>>20)
	if d.peak > mostMemory {
		t.Errorf("%d bytes of memory, more than %d", d.peak, mostMemory)
	}
}
