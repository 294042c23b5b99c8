package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"superindex/internal/agree"
	embedded "superindex/internal/embedded/clickhouse"
	"superindex/internal/embedded/nats/natstest"
)

// badBlocks are few: what is tested is what comes between them.
const badBlocks = 300

// badNode is a network whose endpoint answers amiss, and later well.
type badNode struct {
	entry
	part string   // of the network that is red
	says []string // in the line that says why
	mend func()
}

// One daemon, and of its networks one is good and each other bad in its own way:
// each says so in one line, in status, metrics and log; the good one goes on; and
// once the endpoints are mended all equal the chain.
func TestBadEndpoints(t *testing.T) {
	libchdb(t)
	t.Parallel()
	l := newLedger(t, badBlocks)
	nats, dir := natstest.New(t), t.TempDir()
	bad := badNodes(t, l)
	s := setup{
		dir: dir, listed: directory(t, ledgerWatched()...), chainID: ledgerID, nats: nats.URL(),
		rpc: l.serve(t, ledgerID, limits{}),
	}
	for _, b := range bad {
		s.others = append(s.others, b.entry)
	}
	d := newDaemon(t, build(t), s.config(t))
	d.start()
	d.comes("all of the good one", whole)
	for _, b := range bad {
		t.Run(b.name, func(t *testing.T) { d.showsRed(t, b) })
		b.mend() // soon, for the pauses between two tries grow
	}
	d.weigh()
	t.Logf("the daemon took at most %d MiB", d.peak>>10)
	d.agrees(t, l, nats.URL(), dir, entry{ledgerName, ledgerID, s.rpc})
	for _, b := range bad {
		d.network(b.name, "all of it", whole)
		d.agrees(t, l, nats.URL(), dir, b.entry)
	}
}

// Show 2: of three networks one has a dead endpoint. The others are indexed, and
// the third is red with its reason.
func TestOneDeadEndpointOfThree(t *testing.T) {
	libchdb(t)
	t.Parallel()
	l := newLedger(t, badBlocks)
	nats, dir, bin := natstest.New(t), t.TempDir(), build(t)
	all := []entry{
		{ledgerName, ledgerID, l.serve(t, ledgerID, limits{})},
		{"second", 2000, l.serve(t, 2000, limits{})},
		{"third", 3000, "http://" + closed(t) + "/secret-key"},
	}
	d := newDaemon(t, bin, setup{
		dir: dir, listed: directory(t, ledgerWatched()...), chainID: ledgerID, rpc: all[0].rpc, nats: nats.URL(), others: all[1:],
	}.config(t))
	d.start()
	for _, n := range all[:2] {
		d.network(n.name, "all of it", whole)
		d.agrees(t, l, nats.URL(), dir, n)
	}
	d.showsRed(t, badNode{entry: all[2], part: "writer", says: []string{"connection refused"}})
	url, err := d.url()
	if err != nil {
		t.Fatal(err)
	}
	said, err := exec.CommandContext(t.Context(), bin, "status", "--url", url).CombinedOutput()
	t.Logf("superindex status:\n%s", said)
	if want := "RED  third, writer: "; err != nil || strings.Count(string(said), "RED  ") != 1 || !strings.Contains(string(said), want) {
		t.Errorf("one line should begin with %q (%v)", want, err)
	}
}

// badNodes are the ways in which an endpoint can be bad.
func badNodes(t *testing.T, l *ledger) (all []badNode) {
	t.Helper()
	add := func(name string, part string, answers func(good http.Handler) http.Handler, says ...string) {
		id := uint64(1000 + len(all))
		good := l.node(t, id, limits{})
		st := newStage(answers(good))
		all = append(all, badNode{entry{name, id, serve(t, st) + "/secret-key"}, part, says, func() { st.play(good) }})
	}
	always := func(h http.HandlerFunc) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler { return h }
	}
	other := l.node(t, 7, limits{})
	add("another-chain", "writer", func(http.Handler) http.Handler { return other }, "it serves chain 7, not 1000", "to mend it: give endpoint node-of-another-chain the URL of a node of chain 1000")
	add("not-evm", "writer", always(notEVM), "eth_chainId", "Method not found", "EVM", "to mend it: give endpoint node-of-not-evm the URL of a node of chain 1001")
	add("web-page", "writer", always(page), "no JSON-RPC", "<!DOCTYPE html>", "does the URL of endpoint node-of-web-page lead to a node?")
	add("cut-off", "writer", truncated, "the answer was cut off")
	add("huge", "writer", huge, "huge")
	down := closed(t)
	n := entry{"down", 1100, "http://" + down + "/secret-key"}
	good := l.node(t, n.chainID, limits{})
	return append(all, badNode{n, "writer", []string{"connection refused"}, func() { serveAt(t, down, good) }})
}

// whole says that all of the ledger is everywhere.
func whole(s state) bool { return s.Indexed.Number == badBlocks && s.held() }

// showsRed waits until a network is red, and holds its line against what it should
// say; then status, metrics and log against each other.
func (d *daemon) showsRed(t *testing.T, b badNode) {
	t.Helper()
	line := d.network(b.name, "a fault", func(s state) bool { return s.Faults[b.part] != "" }).Faults[b.part]
	t.Log(line)
	for _, word := range append(b.says, "node-of-"+b.name) {
		if !strings.Contains(line, word) {
			t.Errorf("%q is not in %q", word, line)
		}
	}
	if strings.Contains(line, "\n") {
		t.Errorf("not one line: %q", line)
	}
	until(t, b.name+": the fault in the log", time.Minute, func() bool { return d.logged(b.name, b.part) != "" })
	if fault := fmt.Sprintf(`superindex_fault{network=%q,part=%q} 1`, b.name, b.part); !strings.Contains(d.page("/metrics"), fault) {
		t.Errorf("%s is not in /metrics", fault)
	}
	for _, said := range []string{d.page("/api/status"), d.page("/metrics"), d.said.end(10_000)} {
		if strings.Contains(said, "secret-key") || strings.Contains(said, strings.TrimPrefix(b.rpc, "http://")) {
			t.Error("the endpoint's URL is shown")
		}
	}
}

// logged is the last error that the log has of a network's part.
func (d *daemon) logged(network, part string) (line string) {
	for _, e := range d.said.entries() {
		if text, ok := e["error"].(string); ok && e["msg"] == "fault" && e["stream"] == network && e["part"] == part {
			line = text
		}
	}
	return line
}

// page is what the daemon answers at a path.
func (d *daemon) page(path string) string {
	d.Helper()
	url, err := d.url()
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

// agrees compares chain, warehouse and stream of a network that has come to the
// ledger's end.
func (d *daemon) agrees(t *testing.T, l *ledger, nats, dir string, n entry) {
	t.Helper()
	access, err := embedded.ReadAccess(dir + "/run/clickhouse.env")
	if err != nil {
		t.Fatal(err)
	}
	stores := agree.Stores{Warehouse: dialWarehouse(t, access.ReaderDSN()), Stream: dialStream(t, nats, n.stream())}
	set, err := stores.Compare(t.Context(), dialChain(t, l.serve(t, n.chainID, limits{})), n.stream(), ledgerWatched())
	if err != nil {
		t.Errorf("%s: %v", n.name, err)
	}
	if want := badBlocks * ledgerTxs * ledgerLogs; len(set) != want {
		t.Errorf("%s: the chain has %d logs, want %d", n.name, len(set), want)
	}
}
