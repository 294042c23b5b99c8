package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	"superindex/internal/assets"
	embedded "superindex/internal/embedded/clickhouse"
	"superindex/internal/embedded/nats/natstest"
	sink "superindex/sinks/jetstream"
)

func TestMain(m *testing.M) {
	embedded.Child()
	natstest.Main(m)
}

// libchdb is the engine's library.
func libchdb(t *testing.T) string {
	t.Helper()
	lib, err := assets.Find(assets.LibChDB)
	if err != nil {
		t.Skip(err)
	}
	return lib
}

// directory makes an oss-directory that lists these addresses on any chain.
func directory(t *testing.T, watched ...chain.Address) string {
	t.Helper()
	dir := t.TempDir()
	folder := filepath.Join(dir, "data", "projects", "p")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		t.Fatal(err)
	}
	for i, a := range watched {
		name := fmt.Sprintf("p%d", i)
		text := fmt.Sprintf("version: 7\nname: %s\ndisplay_name: %s\nblockchain:\n  - address: %q\n    networks: [any_evm]\n    tags: [contract]\n", name, name, a)
		if err := os.WriteFile(filepath.Join(folder, name+".yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func dialChain(t *testing.T, url string) *ethclient.Client {
	t.Helper()
	client, err := ethclient.DialContext(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

func dialWarehouse(t *testing.T, dsn string) driver.Conn {
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

func dialStream(t *testing.T, url string, of chain.Stream) jetstream.Stream {
	t.Helper()
	conn, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	js, err := jetstream.New(conn)
	if err != nil {
		t.Fatal(err)
	}
	stream, err := js.Stream(t.Context(), sink.StreamName(of))
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// until asks every 20 ms whether something is so, and gives up after within.
func until(t *testing.T, what string, within time.Duration, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(within); !so(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
	}
}
