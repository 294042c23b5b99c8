package clickhouse

import (
	"context"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/chain"
	"superindex/internal/assets"
	engine "superindex/internal/embedded/clickhouse"
)

// server is the one engine of all tests; nil where the library is missing. Each
// test has a database of its own.
var (
	server    *engine.Server
	serverDir string
)

func TestMain(m *testing.M) {
	engine.Child()
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	lib, err := assets.Find(assets.LibChDB)
	if err != nil {
		fmt.Fprintln(os.Stderr, "the tests on a real ClickHouse are skipped:", err)
		return m.Run()
	}
	serverDir, err = os.MkdirTemp(memoryDir(), "clickhouse")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(serverDir)
	server, err = engine.Start(context.Background(), engine.Options{Lib: lib, Dir: serverDir, Listen: "127.0.0.1:0", MaxMemory: 2 << 30})
	if err != nil {
		panic(err)
	}
	defer server.Close()
	return m.Run()
}

// memoryDir is a folder in memory with room for the engine, "" where there is
// none. The tests kill the engine, not the machine: they need no disk, and half of
// their time on one would be waiting for it. Benchmarks are run on a disk.
func memoryDir() string {
	const dir, room = "/dev/shm", 4 << 30
	var fs syscall.Statfs_t
	err := syscall.Statfs(dir, &fs)
	if benchmarks := flag.Lookup("test.bench").Value.String(); benchmarks != "" || err != nil || fs.Bavail*uint64(fs.Bsize) < room {
		return ""
	}
	return dir
}

// warehouse is a database of the engine.
type warehouse struct {
	testing.TB
	dsn  string // of the full user
	conn clickhouse.Conn
}

var warehouses atomic.Int32

func newWarehouse(t testing.TB) *warehouse {
	t.Helper()
	if server == nil {
		t.Skip(assets.LibChDB + " is not installed")
	}
	name := fmt.Sprintf("superindex_%d", warehouses.Add(1))
	w := &warehouse{TB: t, dsn: inDatabase(server.DSN(), name)}
	w.conn = w.connect(w.dsn, "")
	w.exec("CREATE DATABASE " + name)
	w.conn = w.connect(w.dsn, name)
	whole := *w
	t.Cleanup(func() { whole.exec("DROP DATABASE IF EXISTS " + name + " SYNC") })
	return w
}

func inDatabase(dsn, name string) string { return dsn[:strings.LastIndex(dsn, "/")+1] + name }

func (w *warehouse) connect(dsn, database string) clickhouse.Conn {
	w.Helper()
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		w.Fatal(err)
	}
	o.Auth.Database = database
	conn, err := clickhouse.Open(o)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { conn.Close() })
	return conn
}

// sink opens a sink as a daemon does at its start.
func (w *warehouse) sink() *Sink {
	w.Helper()
	s, err := Open(context.Background(), Options{DSN: w.dsn, Timeout: 20 * time.Second})
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { s.Close() })
	return s
}

func (w *warehouse) exec(statements ...string) {
	w.Helper()
	for _, statement := range statements {
		if err := w.conn.Exec(context.Background(), statement); err != nil {
			w.Fatalf("%s: %v", statement, err)
		}
	}
}

// read is one text for each row of a query of one column; a query can ask for
// toString(tuple(...)).
func (w *warehouse) read(query string) (texts []string) {
	w.Helper()
	rows, err := w.conn.Query(context.Background(), query)
	if err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	for rows.Next() {
		var text string
		if err := rows.Scan(&text); err != nil {
			w.Fatalf("%s: %v", query, err)
		}
		texts = append(texts, text)
	}
	if err := rows.Err(); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	return texts
}

func (w *warehouse) want(query string, want ...string) {
	w.Helper()
	got := w.read(query)
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		w.Errorf("%s:\n%s\nwant:\n%s", query, strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// write asks for the position and writes.
func (w *warehouse) write(s *Sink, steps ...chain.Step) {
	w.Helper()
	if _, err := s.Position(context.Background(), steps[0].Stream); err != nil {
		w.Fatal(err)
	}
	if err := s.Write(context.Background(), steps); err != nil {
		w.Fatal(err)
	}
}
