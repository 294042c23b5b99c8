package e2e

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"superindex/internal/agree"
	"superindex/internal/child"
	embedded "superindex/internal/embedded/clickhouse"
)

// whole says that all of the ledger is everywhere.
func whole(s child.State) bool { return s.Indexed.Number == badBlocks && s.Held(2) }

// showsRed waits until a network is red, and holds its line against what it should
// say; then status, metrics and log against each other.
func (d *daemon) showsRed(t *testing.T, b badNode) {
	t.Helper()
	seen := ""
	line := d.network(b.name, fmt.Sprintf("a fault that says %q", b.says), func(s child.State) bool {
		line := s.Faults[b.part]
		if line != seen {
			seen = line
			t.Log(line)
		}
		// A refusal amid a write shows as what it leads to, until the next try.
		return line != "" && !slices.ContainsFunc(b.says, func(word string) bool { return !strings.Contains(line, word) })
	}).Faults[b.part]
	if strings.Contains(line, "\n") || strings.Count(line, "to mend it: ") > 1 {
		t.Errorf("not one line with at most one remedy: %q", line)
	}
	until(t, b.name+": the fault in the log", time.Minute, func() bool { return d.logged(b.name, b.part) != "" })
	fault := fmt.Sprintf(`superindex_fault{part=%q,stream=%q} 1`, b.part, b.name)
	until(t, fault+" in /metrics", time.Minute, func() bool { return strings.Contains(d.page("/metrics"), fault) })
	for _, said := range []string{d.page("/api/status"), d.page("/metrics"), d.Said.Last(10_000)} {
		if strings.Contains(said, "secret-key") || b.rpc != "" && strings.Contains(said, strings.TrimPrefix(b.rpc, "http://")) {
			t.Error("the endpoint's URL is shown")
		}
	}
}

// logged is the last error that the log has of a network's part.
func (d *daemon) logged(network, part string) (line string) {
	for _, e := range d.Said.Entries() {
		if text, ok := e["error"].(string); ok && e["msg"] == "fault" && e["stream"] == network && e["part"] == part {
			line = text
		}
	}
	return line
}

// page is what the daemon answers at a path.
func (d *daemon) page(path string) string {
	d.Helper()
	url, err := d.URL()
	if err != nil {
		d.Fatal(err)
	}
	resp, err := http.Get(url + path)
	if err != nil {
		d.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		d.Fatal(path, err)
	}
	return string(text)
}

// readerDSN is how to read the warehouse of a daemon that embeds it.
func readerDSN(t *testing.T, dir string) string {
	t.Helper()
	access, err := embedded.ReadAccess(filepath.Join(dir, "run", "clickhouse.env"))
	if err != nil {
		t.Fatal(err)
	}
	return access.ReaderDSN()
}

// agrees compares chain, warehouse and stream of a network that has come to the
// ledger's end.
func (l *ledger) agrees(t *testing.T, warehouse, nats string, n entry) {
	t.Helper()
	stores := agree.Stores{Warehouse: dialWarehouse(t, warehouse), Stream: dialStream(t, nats, n.stream())}
	set, err := stores.Compare(t.Context(), dialChain(t, l.serve(t, n.chainID, limits{})), n.stream(), ledgerWatched())
	if err != nil {
		t.Errorf("%s: %v", n.name, err)
	}
	if want := int(l.head()) * ledgerTxs * ledgerLogs; len(set) != want {
		t.Errorf("%s: the chain has %d logs, want %d", n.name, len(set), want)
	}
}
