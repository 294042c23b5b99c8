package clickhouse

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/internal/assets"
)

func TestMain(m *testing.M) {
	Child()
	if dir := os.Getenv(daemonsDir); dir != "" {
		daemon(dir)
	}
	os.Exit(m.Run())
}

// daemonsDir names the folder of the engine that a copy of this test binary is
// to start, so that the copy can be killed.
const daemonsDir = "TEST_DAEMONS_DIR"

func daemon(dir string) {
	lib, err := assets.Find(assets.LibChDB)
	if err != nil {
		panic(err)
	}
	s, err := Start(context.Background(), Options{Lib: lib, Dir: dir, Listen: "127.0.0.1:0"})
	if err != nil {
		panic(err)
	}
	fmt.Println(s.Pid())
	io.Copy(io.Discard, os.Stdin) // until it is killed
}

func options(t testing.TB, dir string) Options {
	t.Helper()
	lib, err := assets.Find(assets.LibChDB)
	if err != nil {
		t.Skip(err)
	}
	return Options{
		Lib: lib, Dir: dir, Listen: "127.0.0.1:0", MaxMemory: 1 << 30,
		Log: slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
}

// start runs an engine for one test.
func start(t testing.TB, dir string) *Server {
	t.Helper()
	s, err := Start(t.Context(), options(t, dir))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func connect(t testing.TB, dsn string) clickhouse.Conn {
	t.Helper()
	o, err := clickhouse.ParseDSN(dsn)
	if err != nil {
		t.Fatal(err)
	}
	o.Auth.Database = "" // there is no warehouse in these tests
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func execute(t testing.TB, conn clickhouse.Conn, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

func text(t testing.TB, conn clickhouse.Conn, query string) (value string) {
	t.Helper()
	if err := conn.QueryRow(t.Context(), query).Scan(&value); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return value
}

func TestTheEngineIsSetAsWanted(t *testing.T) {
	s := start(t, t.TempDir())
	if err := s.Sync(0); err != nil {
		t.Error(err)
	}
	conn := connect(t, s.DSN())
	if got := text(t, conn, "SELECT value FROM system.merge_tree_settings WHERE name = 'auto_statistics_types'"); got != "" {
		t.Errorf("merges make statistics: %s", got)
	}
	if got := text(t, conn, "SELECT timezone()"); !strings.HasSuffix(got, "UTC") {
		t.Errorf("the time zone is %s", got)
	}
}

func TestDataAndPasswordsOutliveTheServer(t *testing.T) {
	dir := t.TempDir()
	first := start(t, dir)
	conn := connect(t, first.DSN())
	execute(t, conn, "CREATE DATABASE superindex", "CREATE TABLE superindex.t (n UInt64) ENGINE = MergeTree ORDER BY n", "INSERT INTO superindex.t VALUES (7)")
	conn.Close()
	first.Close()

	second := start(t, dir)
	if second.Password != first.Password || second.ReaderPassword != first.ReaderPassword {
		t.Error("the passwords changed")
	}
	if got := text(t, connect(t, second.DSN()), "SELECT toString(sum(n)) FROM superindex.t"); got != "7" {
		t.Errorf("the table holds %s, want 7", got)
	}
}

func TestTheReaderOnlyReads(t *testing.T) {
	s := start(t, t.TempDir())
	execute(t, connect(t, s.DSN()),
		"CREATE DATABASE superindex", "CREATE DATABASE other",
		"CREATE TABLE superindex.t (n UInt64) ENGINE = MergeTree ORDER BY n", "CREATE TABLE other.t AS superindex.t",
		"INSERT INTO superindex.t VALUES (7)")
	reader := connect(t, s.ReaderDSN())
	if got := text(t, reader, "SELECT toString(sum(n)) FROM superindex.t SETTINGS max_threads = 1"); got != "7" {
		t.Errorf("the reader sees %s, want 7", got)
	}
	for _, statement := range []string{
		"INSERT INTO superindex.t SELECT 8",
		"ALTER TABLE superindex.t DELETE WHERE 1",
		"DROP TABLE superindex.t",
		"CREATE TABLE superindex.u AS superindex.t",
		"CREATE TEMPORARY TABLE u (n UInt64)",
		"SELECT * FROM other.t",
		"SELECT * FROM file('access.env', 'LineAsString')",
		"SELECT * FROM default.`access.env`",
		"SELECT * FROM url('http://127.0.0.1:1/', 'LineAsString')",
		"SELECT * FROM remote('127.0.0.1', 'superindex', 't')",
		"SELECT * FROM executable('/bin/true', 'TSV', 'a String')",
		"SELECT 1 SETTINGS readonly = 0",
		"SELECT 1 SETTINGS max_memory_usage = 0",
		"SYSTEM STOP MERGES superindex.t",
	} {
		if err := reader.Exec(t.Context(), statement); err == nil {
			t.Errorf("the reader may: %s", statement)
		}
	}
}

func TestNobodyElseGetsIn(t *testing.T) {
	s := start(t, t.TempDir())
	wrong := s.Access
	wrong.Password = "guess"
	var refused *clickhouse.Exception
	if err := connect(t, wrong.DSN()).Ping(t.Context()); !errors.As(err, &refused) {
		t.Errorf("a wrong password: %v", err)
	}
	engines := connect(t, "clickhouse://default@"+s.Address)
	for _, statement := range []string{"CREATE DATABASE d", "SELECT * FROM file('access.env', 'LineAsString')", "SELECT * FROM system.users"} {
		if err := engines.Exec(t.Context(), statement); err == nil {
			t.Errorf("the engine's own user may: %s", statement)
		}
	}
}

func TestAKilledEngineComesBack(t *testing.T) {
	s := start(t, t.TempDir())
	conn := connect(t, s.DSN())
	execute(t, conn, "CREATE DATABASE superindex", "CREATE TABLE superindex.t (n UInt64) ENGINE = MergeTree ORDER BY n")
	for round := range 3 {
		execute(t, conn, "INSERT INTO superindex.t VALUES (1)")
		if err := syscall.Kill(s.Pid(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		var sum uint64
		until(t, "the engine is back", func() bool {
			return conn.QueryRow(t.Context(), "SELECT sum(n) FROM superindex.t").Scan(&sum) == nil
		})
		if sum != uint64(round+1) {
			t.Fatalf("%d rows after %d inserts", sum, round+1)
		}
	}
}

// A service supervisor signals every process of a service; when to stop is for
// the parent to say.
func TestTheEngineLeavesSignalsToItsParent(t *testing.T) {
	s := start(t, t.TempDir())
	pid := s.Pid()
	for _, signal := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP} {
		if err := syscall.Kill(pid, signal); err != nil {
			t.Fatal(err)
		}
	}
	conn := connect(t, s.DSN())
	for range 20 {
		text(t, conn, "SELECT version()")
		time.Sleep(10 * time.Millisecond)
	}
	if s.Pid() != pid {
		t.Error("the engine was replaced")
	}
}

func TestCloseEndsTheEngineInTime(t *testing.T) {
	s := start(t, t.TempDir())
	pid := s.Pid()
	text(t, connect(t, s.DSN()), "SELECT version()") // its connection stays open
	began := time.Now()
	s.Close()
	took := time.Since(began) // 3 s; on a machine that is busy, more
	if t.Logf("Close took %v", took.Round(time.Millisecond)); took > 30*time.Second {
		t.Error("that is too long")
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("the engine is still there: %v", err)
	}
	s.Close()
}

func TestTheEngineDoesNotOutliveAKilledParent(t *testing.T) {
	o := options(t, t.TempDir())
	parent := exec.Command(os.Args[0])
	parent.Env = append(os.Environ(), daemonsDir+"="+o.Dir)
	stdin, err := parent.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer stdin.Close()
	stdout, err := parent.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := parent.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	var pid int
	if _, err := fmt.Sscan(line, &pid); err != nil || pid == 0 {
		t.Fatalf("the parent said %q: %v", line, err)
	}
	if err := parent.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	parent.Wait() // it was killed
	until(t, "the engine is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	start(t, o.Dir) // and its folder is free
}

func TestStartSaysWhyTheEngineWouldNot(t *testing.T) {
	o := options(t, t.TempDir())
	o.Lib = filepath.Join(o.Dir, "no-library.so")
	if err := os.WriteFile(o.Lib, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if s, err := Start(ctx, o); err == nil {
		s.Close()
		t.Fatal("it started")
	} else if !strings.Contains(err.Error(), "no-library.so") {
		t.Errorf("the error does not name the library: %v", err)
	}
}

func until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("after a minute it is not so that %s", what)
}
