package decoder

import (
	"bufio"
	"compress/gzip"
	"encoding/hex"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"superindex/chain"
)

// shared opens a file of ../shared/data, as seen from the project's root, and
// unpacks it. The test is skipped where it is not there.
func shared(t testing.TB, name string) io.Reader {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.Open(filepath.Join(dir, "..", "shared", "data", name))
	if err != nil {
		t.Skipf("the real data is not here: %v", err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// The files of real logs.
const (
	opLogs       = "logs/chainstorage-optimism_optimism_mainnet.ndjson.gz"
	baseLogs     = "logs/chainstorage-base_base_mainnet.ndjson.gz"
	ethereumLogs = "logs/flat-files-mainnet.ndjson.gz"
	poolLogs     = "logs/demeter-fetch-ethereum.ndjson.gz"
	olderLogs    = "logs/squid-sdk-ethereum.ndjson.gz"
)

var allLogs = []string{opLogs, baseLogs, ethereumLogs, poolLogs, olderLogs}

// realLogs reads a file of logs as eth_getLogs gives them.
func realLogs(t testing.TB, name string) (logs []chain.Log) {
	t.Helper()
	lines := bufio.NewScanner(shared(t, name))
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var l struct {
			Address         *chain.Address
			Topics          []chain.Hash
			Data            string
			TransactionHash chain.Hash
			LogIndex        string
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatalf("%s: line %d: %v", name, len(logs)+1, err)
		}
		data, err := hex.DecodeString(strings.TrimPrefix(l.Data, "0x"))
		if err != nil {
			t.Fatalf("%s: line %d: %v", name, len(logs)+1, err)
		}
		index, err := strconv.ParseUint(l.LogIndex, 0, 32)
		if err != nil {
			t.Fatalf("%s: line %d: %v", name, len(logs)+1, err)
		}
		log := chain.Log{TxHash: l.TransactionHash, Index: uint32(index), Topics: l.Topics, Data: data}
		if l.Address != nil {
			log.Address = *l.Address
		}
		logs = append(logs, log)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	return logs
}

// builtinTable is the table that most tests ask.
func builtinTable(t testing.TB) *Table {
	t.Helper()
	s, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	return New(s)
}
