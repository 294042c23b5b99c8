package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"superindex/internal/embedded/nats/natstest"
)

// mostInBadDays is the memory that many calls at once with an answer of 200 MB each may
// make a daemon take, in bytes.
const mostInBadDays = 700 << 20

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
func (b badDays) endpoints(t *testing.T) {
	t.Parallel()
	l := newLedger(t, badBlocks)
	nats, dir := natstest.New(t), t.TempDir()
	bad := badNodes(t, l)
	s := setup{
		dir: dir, listed: directory(t, ledgerWatched()...), chainID: ledgerID, nats: nats.URL(),
		rpc: l.serve(t, ledgerID, limits{}),
	}
	for _, n := range bad {
		s.others = append(s.others, n.entry)
	}
	d := newDaemon(t, b.bin, s.config(t))
	d.env = []string{"GOMEMLIMIT=500MiB"} // what is measured is what it holds, not when it collects
	d.start()
	d.comes("all of the good one", whole)
	for _, n := range bad {
		t.Run(n.name, func(t *testing.T) { d.showsRed(t, n) })
		n.mend() // soon, for the pauses between two tries grow
	}
	d.weigh()
	t.Logf("the daemon took at most %d MiB", d.peak>>20)
	if d.peak > mostInBadDays {
		t.Errorf("%d bytes of memory, more than %d", d.peak, mostInBadDays)
	}
	l.agrees(t, readerDSN(t, dir), nats.URL(), entry{ledgerName, ledgerID, s.rpc})
	for _, n := range bad {
		d.network(n.name, "all of it", whole)
		l.agrees(t, readerDSN(t, dir), nats.URL(), n.entry)
	}
}

// Show 2: of three networks one has a dead endpoint. The others are indexed, and
// the third is red with its reason.
func (b badDays) oneDeadEndpointOfThree(t *testing.T) {
	t.Parallel()
	l := newLedger(t, badBlocks)
	nats, dir := natstest.New(t), t.TempDir()
	all := []entry{
		{ledgerName, ledgerID, l.serve(t, ledgerID, limits{})},
		{"second", 2000, l.serve(t, 2000, limits{})},
		{"third", 3000, "http://" + newShut(t).address + "/secret-key"},
	}
	d := newDaemon(t, b.bin, setup{
		dir: dir, listed: directory(t, ledgerWatched()...), chainID: ledgerID, rpc: all[0].rpc, nats: nats.URL(), others: all[1:],
	}.config(t))
	d.start()
	for _, n := range all[:2] {
		d.network(n.name, "all of it", whole)
		l.agrees(t, readerDSN(t, dir), nats.URL(), n)
	}
	d.showsRed(t, badNode{entry: all[2], part: "writer", says: []string{"rpc node-of-third", "connection refused"}})
	url, err := d.URL()
	if err != nil {
		t.Fatal(err)
	}
	var said string
	defer func() { t.Logf("superindex status:\n%s", said) }()
	until(t, "exit code 1, red lines of the third's writer, and of no other network", time.Minute, func() (so bool) {
		var code int
		code, said = (&commands{bin: b.bin}).command(t, "status", "--url", url)
		return code == 1 && strings.Contains(said, "RED  third, writer: ") && strings.Count(said, "RED  ") == strings.Count(said, "RED  third, ")
	})
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
	down := newShut(t)
	n := entry{"down", 1100, "http://" + down.address + "/secret-key"}
	good := l.node(t, n.chainID, limits{})
	return append(all, badNode{n, "writer", []string{"rpc node-of-down", "connection refused"}, func() { down.serve(t, good) }})
}
