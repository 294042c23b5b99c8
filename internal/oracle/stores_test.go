package oracle

import (
	"context"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/internal/assets"
	engine "superindex/internal/embedded/clickhouse"
	warehouse "superindex/sinks/clickhouse"
)

// server is the one engine of all tests; nil where the library is missing.
var server *engine.Server

func TestMain(m *testing.M) {
	engine.Child()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	lib, err := assets.Find(assets.LibChDB)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests on a real ClickHouse are skipped:", err)
		return m.Run()
	}
	dir, err := os.MkdirTemp("", "oracle")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	server, err = engine.Start(context.Background(), engine.Options{Lib: lib, Dir: dir, Listen: "127.0.0.1:0", MaxMemory: 2 << 30})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	return m.Run()
}

var databases atomic.Int32

// database is a DSN of a database that is not there yet.
func database(t *testing.T) string {
	t.Helper()
	if server == nil {
		t.Skip(assets.LibChDB + " is not installed")
	}
	dsn := server.DSN()
	return fmt.Sprintf("%s/oracle_%d", dsn[:strings.LastIndex(dsn, "/")], databases.Add(1))
}

func connect(t *testing.T, dsn string) driver.Conn {
	t.Helper()
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// indexed is a lively chain and a warehouse that the real sink fills from it.
type indexed struct {
	*lively
	of     chain.Stream
	source *ethrpc.Client
	sink   *warehouse.Sink
	conn   driver.Conn
	last   chain.Step
	head   chain.BlockRef
	held   []chain.Block
}

func newIndexed(t *testing.T) *indexed {
	t.Helper()
	dsn := database(t)
	l := newLively(t)
	source, err := ethrpc.New(ethrpc.Options{Name: "dev", URL: l.URL(), ChainID: l.ChainID()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	sink, err := warehouse.Open(t.Context(), warehouse.Options{DSN: dsn})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = sink.Close() })
	x := &indexed{lively: l, of: chain.Stream{Name: "dev", ChainID: l.ChainID()}, source: source, sink: sink, conn: connect(t, dsn)}
	x.last = chain.Step{Journal: chain.JournalID{1}, Stream: x.of, Seq: 1}
	if _, err := sink.Position(t.Context(), x.of); err != nil {
		t.Fatal(err)
	}
	return x
}

// follow brings the warehouse to the chain's head: a Revert where the chain has
// other blocks than those held, and an Apply.
func (x *indexed) follow() {
	x.Helper()
	heads, err := x.source.Heads(x.Context())
	if err != nil {
		x.Fatal(err)
	}
	keep := 0
	fresh := x.fetch(indexer.Range{From: 1, To: heads.Latest.Number})
	for keep < len(x.held) && keep < len(fresh.Blocks) && x.held[keep].Hash == fresh.Blocks[keep].Hash {
		keep++
	}
	if keep < len(x.held) {
		to := x.held[keep-1].BlockRef
		x.write(chain.Step{Revert: &chain.Revert{To: to, From: x.head, Time: 1}})
		x.head = to
	}
	batch := &chain.Batch{Parent: x.head, Last: heads.Latest, Safe: heads.Safe, Final: heads.Final, Moved: true}
	batch.Blocks = fresh.Blocks[keep:]
	for _, e := range fresh.Events {
		if e.Block.Number > x.head.Number {
			batch.Events = append(batch.Events, e)
		}
	}
	x.write(chain.Step{Apply: batch})
	x.head, x.held = heads.Latest, fresh.Blocks
}

func (x *indexed) fetch(r indexer.Range) indexer.Fetched {
	x.Helper()
	got, err := x.source.Fetch(x.Context(), r, indexer.Want{Dense: true, Watched: set(x.watched())})
	if err != nil {
		x.Fatal(err)
	}
	return got
}

type set []chain.Address

func (s set) Has(a *chain.Address) bool {
	for _, b := range s {
		if *a == b {
			return true
		}
	}
	return false
}

func (x *indexed) write(step chain.Step) {
	x.Helper()
	step.Journal, step.Stream, step.Seq, step.Digest = x.last.Journal, x.of, x.last.Seq+1, x.last.Digest+7
	if err := x.sink.Write(x.Context(), []chain.Step{step}); err != nil {
		x.Fatal(err)
	}
	x.last = step
}

// The real sink's views equal the chain as go-ethereum reads it, through reorgs
// and rollbacks; while it is behind they do not. A reader that never sleeps sees
// one fork at every instant.
func TestWarehouseEqualsTheChain(t *testing.T) {
	x := newIndexed(t)
	defer x.watch()()
	for i := range 3 {
		x.follow()
		want, _ := x.read()
		if err := Compare(want, x.shown()); err != nil || len(want) < 50 {
			t.Fatalf("round %d, %d logs: %v", i, len(want), err)
		}
		var err error
		if i%2 == 0 {
			_, err = x.Reorg(t.Context(), x.rand, 4)
		} else {
			_, err = x.Rollback(t.Context(), 3)
		}
		if err != nil {
			t.Fatal(err)
		}
		x.advance(2)
		if want, _ = x.read(); Compare(want, x.shown()) == nil {
			t.Errorf("round %d: a warehouse that is behind equals the chain", i)
		}
	}
}

// watch starts a Watch and returns what ends it and judges it.
func (x *indexed) watch() (end func()) {
	ctx, cancel := context.WithCancel(x.Context())
	done := make(chan struct{})
	var reads Reads
	var err error
	go func() {
		defer close(done)
		reads, err = Watch(ctx, x.conn, x.of, 0)
	}()
	return func() {
		cancel()
		<-done
		if err != nil || reads.Good < 10 || reads.Failed > 0 {
			x.Errorf("watched: %+v, %v", reads, err)
		}
	}
}

func (x *indexed) shown() Set {
	x.Helper()
	got, err := FromWarehouse(x.Context(), x.conn, x.of)
	if err != nil {
		x.Fatal(err)
	}
	return got
}

func TestStream(t *testing.T) {
	l := newLively(t)
	want, heads := l.read()
	var rows []Folded
	source, err := ethrpc.New(ethrpc.Options{Name: "dev", URL: l.URL(), ChainID: l.ChainID()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(source.Close)
	got, err := source.Fetch(t.Context(), indexer.Range{From: 1, To: l.head()}, indexer.Want{Watched: set(l.watched())})
	if err != nil {
		t.Fatal(err)
	}
	for _, log := range got.Events {
		f := Folded{
			Network: "dev", BlockNumber: log.Block.Number, BlockHash: log.Block.Hash.String(), BlockTime: log.Time,
			TxHash: log.TxHash.String(), LogIndex: log.Index, Address: log.Address.String(), Data: fmt.Sprintf("0x%x", log.Data),
		}
		for _, topic := range log.Topics {
			f.Topics = append(f.Topics, topic.String())
		}
		rows = append(rows, f)
	}
	folded, err := FromStream(rows, heads)
	if err != nil {
		t.Fatal(err)
	}
	if err := Compare(want, folded); err != nil {
		t.Error(err)
	}
	if _, err := FromStream(append(rows, rows[0]), heads); err == nil || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a row twice: %v", err)
	}
	rows[0].Address = strings.ToUpper(rows[0].Address)
	if _, err := FromStream(rows, heads); err == nil || !strings.Contains(err.Error(), "lower-case") {
		t.Errorf("upper case: %v", err)
	}
}

// views makes the contract's views as plain tables, to show what no sink would.
func views(t *testing.T) driver.Conn {
	t.Helper()
	dsn := database(t)
	slash := strings.LastIndex(dsn, "/")
	name := dsn[slash+1:]
	if err := connect(t, dsn[:slash]+"/default").Exec(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	conn := connect(t, dsn)
	for _, table := range []string{
		`events (network LowCardinality(String), chain_id UInt64, block_number UInt64, block_hash String, log_index UInt32)`,
		`blocks (network LowCardinality(String), chain_id UInt64, number UInt64, hash String, parent_hash String)`,
	} {
		if err := conn.Exec(t.Context(), "CREATE TABLE "+table+" ENGINE = MergeTree ORDER BY chain_id"); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

// fork is the hash of block n on a fork.
func fork(name byte, n int) string { return chain.Hash{name, byte(n)}.String() }

func TestWatch(t *testing.T) {
	const event, block = "INSERT INTO events VALUES ('dev', 10, %d, '%s', %d)", "INSERT INTO blocks VALUES ('dev', 10, %d, '%s', '%s')"
	blocks := func(name byte, from, to int, parent string) (all []string) {
		for n := from; n <= to; n++ {
			all = append(all, fmt.Sprintf(block, n, fork(name, n), parent))
			parent = fork(name, n)
		}
		return all
	}
	a := blocks(0xa, 1, 6, fork(0xa, 0))
	a = append(a, fmt.Sprintf(event, 2, fork(0xa, 2), 0), fmt.Sprintf(event, 5, fork(0xa, 5), 0), fmt.Sprintf(event, 5, fork(0xa, 5), 3))
	for name, c := range map[string]struct {
		also []string
		says string
	}{
		"one fork":                    {nil, ""},
		"another network's":           {[]string{"INSERT INTO events VALUES ('other', 11, 5, 'x', 0)"}, ""},
		"a block without parent":      {[]string{fmt.Sprintf(block, 9, fork(0xb, 9), "")}, ""},
		"one number, two hashes":      {[]string{fmt.Sprintf(event, 5, fork(0xb, 5), 1)}, "events: two forks"},
		"two blocks of one number":    {blocks(0xb, 6, 6, fork(0xa, 5)), "blocks: two forks"},
		"events of two forks":         {append(blocks(0xb, 7, 8, fork(0xb, 6)), fmt.Sprintf(event, 7, fork(0xb, 7), 0), fmt.Sprintf(event, 6, fork(0xa, 6), 0)), "events: two forks"},
		"a new fork over the old one": {blocks(0xb, 7, 8, fork(0xb, 6)), "blocks: two forks"},
		"a block twice":               {[]string{a[2]}, "there twice"},
		"a log twice":                 {[]string{a[7]}, "there twice"},
		"no hash":                     {[]string{fmt.Sprintf(event, 3, "?", 0)}, "lower-case"},
	} {
		conn := views(t)
		for _, statement := range append(append([]string(nil), a...), c.also...) {
			if err := conn.Exec(t.Context(), statement); err != nil {
				t.Fatal(err)
			}
		}
		within := time.Second
		if c.says != "" {
			within = time.Minute // what it says ends it
		}
		reads, err := watched(t, conn, within)
		if c.says == "" && (err != nil || reads.Good == 0 || reads.Failed > 0) {
			t.Errorf("%s: %+v, %v", name, reads, err)
		}
		if c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)) {
			t.Errorf("%s: %v, want %q", name, err, c.says)
		}
	}
}

// watched is a Watch of so long, and where that was too short for one read, of twice
// as long, and so on up to a minute.
func watched(t *testing.T, conn driver.Conn, within time.Duration) (reads Reads, err error) {
	t.Helper()
	for ; err == nil && reads.Good+reads.Failed == 0 && within <= time.Minute; within *= 2 {
		ctx, cancel := context.WithCancel(t.Context()) // a deadline would fail the read that it meets
		end := time.AfterFunc(within, cancel)
		reads, err = Watch(ctx, conn, chain.Stream{Name: "dev", ChainID: 10}, 5*time.Millisecond)
		end.Stop()
		cancel()
	}
	return reads, err
}

// A warehouse that is away is no contradiction, but it is seen.
func TestWatchWithoutWarehouse(t *testing.T) {
	conn := connect(t, "clickhouse://127.0.0.1:1/none")
	if reads, err := watched(t, conn, 100*time.Millisecond); err != nil || reads.Good > 0 || reads.Failed == 0 || reads.Last == nil {
		t.Errorf("%+v, %v", reads, err)
	}
}
