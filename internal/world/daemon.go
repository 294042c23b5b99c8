package world

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/reorg"
)

// Stream is the one network of the world.
var Stream = chain.Stream{Name: "world", ChainID: 10}

// Disk is what holds a journal: a folder whose unsynced part a power cut takes.
type Disk struct {
	fs *vfs.MemFS

	mu    sync.Mutex // of what follows: Pebble writes from goroutines of its own
	cutAt int        // journal operations until the power is cut; 0: never
	image *vfs.MemFS // what the power cut left
	seed  uint64
	onCut func()
}

// NewDisk is empty.
func NewDisk() *Disk { return &Disk{fs: vfs.NewCrashableMem()} }

// injector counts the operations of the write-ahead log and of the files of large
// steps, and takes an image of the disk when the power is cut before one of them. What the process does after that
// moment is not in the image, and its sinks are dead.
func (d *Disk) injector() errorfs.Injector {
	return errorfs.InjectorFunc(func(op errorfs.Op) error {
		d.mu.Lock()
		defer d.mu.Unlock()
		if d.cutAt > 0 && (strings.HasSuffix(op.Path, ".log") || strings.Contains(op.Path, "/steps")) && isWrite(op.Kind) {
			if d.cutAt--; d.cutAt == 0 {
				d.cut()
			}
		}
		return nil
	})
}

func isWrite(k errorfs.OpKind) bool {
	switch k {
	case errorfs.OpFileWrite, errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		return true
	}
	return false
}

// cutAfter takes the power away before the n-th operation from now; 0 is now.
func (d *Disk) cutAfter(n int, seed uint64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.seed, d.cutAt = seed, n
	if n == 0 {
		d.cut()
	}
}

// hold: the power is not cut any more.
func (d *Disk) hold() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.cutAt = 0
}

// left is what a power cut left; nil where there was none.
func (d *Disk) left() *vfs.MemFS {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.image
}

// cut takes the power away: some of what was not synced may still be there.
func (d *Disk) cut() {
	rng := rand.New(rand.NewPCG(d.seed, 7))
	d.image = d.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: rng.IntN(101), RNG: rng})
	d.onCut()
}

// Copy is a back-up of the folder, taken while nothing writes to it.
func (d *Disk) Copy() *Disk {
	rng := rand.New(rand.NewPCG(1, 1))
	return &Disk{fs: d.fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: 100, RNG: rng})}
}

// Daemon is one process of superindex, on one disk.
type Daemon struct {
	disk    *Disk
	journal *reorg.Journal
	net     indexer.Network
	writer  *indexer.Writer
	fill    *indexer.Filler
	sinks   []indexer.Sink
	relays  []*indexer.Relay
	faults  []*Faults
	status  *indexer.Status
	bytes   int
}

// largeStep is from how many bytes on a step lies in a file: some do, some do not.
const largeStep = 400

// Boot starts a process: as cmd does, it opens the journal and begins the stream,
// or continues it. It returns an error where the process would wait and retry.
func (w *World) Boot(disk *Disk) (*Daemon, error) {
	opts := reorg.Defaults()
	opts.FS = errorfs.Wrap(disk.fs, disk.injector())
	opts.Quota, opts.Keep, opts.MarkBytes, opts.Large = w.quota, w.keep, 1, largeStep
	opts.Now = func() time.Time { return time.Now().Add(w.clock) }
	opts.Sinks = []string{"log", "table"}
	j, err := reorg.Open("data", opts)
	if err != nil {
		return nil, err
	}
	d := &Daemon{disk: disk, journal: j, status: indexer.NewStatus(), bytes: w.relayBytes}
	d.net = indexer.Network{Stream: Stream, Source: w.node, Decoder: decoder.New(decoder.Sources{}), Watch: w.watched, Start: indexer.Start{Number: w.start, Absolute: true}}
	table := &TableSink{Faults: w.newFaults(), table: w.table}
	log := &LogSink{Faults: w.newFaults(), log: w.log, last: -1}
	d.sinks, d.faults = []indexer.Sink{w.loading(log), w.loading(table)}, []*Faults{log.Faults, table.Faults}
	disk.onCut = d.die
	if err := d.open(); err != nil {
		return nil, errors.Join(err, j.Close())
	}
	return d, nil
}

// loading is the sink as this history has it: with loads or without.
func (w *World) loading(s indexer.Sink) indexer.Sink {
	if w.loads.calls == 0 {
		return s
	}
	return Loading{s, w.loads.calls, w.loads.ahead}
}

func (d *Daemon) open() (err error) {
	if err := indexer.Begin(context.Background(), d.net, d.journal, d.sinks); err != nil {
		return err
	}
	if d.writer, err = indexer.NewWriter(d.net, d.journal, indexer.Pace{Calls: 1}, d.status); err != nil {
		return err
	}
	d.fill = indexer.NewFiller(d.net, d.journal, d.status)
	for _, s := range d.sinks {
		d.relays = append(d.relays, indexer.NewRelay(Stream, s, d.journal, d.bytes, d.status))
	}
	return nil
}

// die: from now on nothing that this process does reaches a sink.
func (d *Daemon) die() {
	for _, f := range d.faults {
		f.mu.Lock()
		f.dead = true
		f.mu.Unlock()
	}
}

// String says where the journal is.
func (d *Daemon) String() string {
	st, err := d.journal.Stat(Stream.Name)
	id := d.journal.ID()
	return fmt.Sprintf("%.4x at %d, block %d, final %d, owed %v, %v", id[:2], st.Head, st.Last.Number, st.Final.Number, st.Owed, err)
}

// Run is the product's own loop for so long, with everything side by side.
func (d *Daemon) Run(ctx context.Context, during time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, during)
	defer cancel()
	return indexer.Run(ctx, indexer.Engine{
		Journal: d.journal, Sinks: d.sinks, Networks: []indexer.Network{d.net},
		Pace: indexer.Pace{Calls: 2}, Status: d.status, Log: slog.New(slog.DiscardHandler),
	})
}
