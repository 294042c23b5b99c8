package e2e

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"superindex/internal/agree"
	embedded "superindex/internal/embedded/clickhouse"
	"superindex/internal/embedded/nats/natstest"
)

// badBlocks are few: what is tested is what comes between them.
const badBlocks = 300

// mostInBadDays is the memory that three calls at once with too long an answer may
// make a daemon take, in KiB: the answers are 600 MB together.
const mostInBadDays = 600 << 10

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
	if d.peak > mostInBadDays {
		t.Errorf("%d KiB of memory, more than %d", d.peak, mostInBadDays)
	}
	l.agrees(t, readerDSN(t, dir), nats.URL(), entry{ledgerName, ledgerID, s.rpc})
	for _, b := range bad {
		d.network(b.name, "all of it", whole)
		l.agrees(t, readerDSN(t, dir), nats.URL(), b.entry)
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
		l.agrees(t, readerDSN(t, dir), nats.URL(), n)
	}
	d.showsRed(t, badNode{entry: all[2], part: "writer", says: []string{"rpc node-of-third", "connection refused"}})
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
	add := func(name string, answers func(good http.Handler) http.Handler, says ...string) {
		id := uint64(1000 + len(all))
		good := l.node(t, id, limits{})
		st := newStage(answers(good))
		says = append(says, "rpc node-of-"+name)
		all = append(all, badNode{entry{name, id, serve(t, st) + "/secret-key"}, "writer", says, func() { st.play(good) }})
	}
	always := func(h http.HandlerFunc) func(http.Handler) http.Handler {
		return func(http.Handler) http.Handler { return h }
	}
	other := l.node(t, 7, limits{})
	add("another-chain", func(http.Handler) http.Handler { return other }, "it serves chain 7, not 1000", "to mend it: give endpoint node-of-another-chain the URL of a node of chain 1000")
	add("not-evm", always(notEVM), "eth_chainId", "Method not found", "EVM", "to mend it: give endpoint node-of-not-evm the URL of a node of chain 1001")
	add("web-page", always(page), "cannot be used", "<!DOCTYPE html>", "does the URL of endpoint node-of-web-page lead to a node?")
	add("cut-off", truncated, "the answer was cut off")
	add("huge", huge, "the answer is too long", "one value of it is more than 64 MiB")
	down := closed(t)
	n := entry{"down", 1100, "http://" + down + "/secret-key"}
	good := l.node(t, n.chainID, limits{})
	return append(all, badNode{n, "writer", []string{"rpc node-of-down", "connection refused"}, func() { serveAt(t, down, good) }})
}

// whole says that all of the ledger is everywhere.
func whole(s state) bool { return s.Indexed.Number == badBlocks && s.held() }

// showsRed waits until a network is red, and holds its line against what it should
// say; then status, metrics and log against each other.
func (d *daemon) showsRed(t *testing.T, b badNode) {
	t.Helper()
	line := d.network(b.name, "a fault", func(s state) bool { return s.Faults[b.part] != "" }).Faults[b.part]
	t.Log(line)
	for _, word := range b.says {
		if !strings.Contains(line, word) {
			t.Errorf("%q is not in %q", word, line)
		}
	}
	if strings.Contains(line, "\n") {
		t.Errorf("not one line: %q", line)
	}
	until(t, b.name+": the fault in the log", time.Minute, func() bool { return d.logged(b.name, b.part) != "" })
	if fault := fmt.Sprintf(`superindex_fault{part=%q,stream=%q} 1`, b.part, b.name); !strings.Contains(d.page("/metrics"), fault) {
		t.Errorf("%s is not in /metrics", fault)
	}
	for _, said := range []string{d.page("/api/status"), d.page("/metrics"), d.said.end(10_000)} {
		if strings.Contains(said, "secret-key") || b.rpc != "" && strings.Contains(said, strings.TrimPrefix(b.rpc, "http://")) {
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
