package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	"superindex/internal/child"
	embedded "superindex/internal/embedded/clickhouse"
	"superindex/internal/embedded/nats/natstest"
	sink "superindex/sinks/jetstream"
)

// servers are a ClickHouse and a NATS server that the daemon does not embed.
type servers struct {
	engine *embedded.Server
	nats   *natstest.Child
	js     jetstream.JetStream
}

func newServers(t *testing.T, dir string) *servers {
	t.Helper()
	engine, err := embedded.Start(t.Context(), embedded.Options{Lib: libchdb(t), Dir: dir, Listen: "127.0.0.1:0", MaxMemory: 1 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(engine.Close)
	s := &servers{engine: engine, nats: natstest.New(t)}
	conn, err := nats.Connect(s.nats.URL())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(conn.Close)
	if s.js, err = jetstream.New(conn); err != nil {
		t.Fatal(err)
	}
	return s
}

// exec runs statements as the user who may do everything.
func (s *servers) exec(t *testing.T, statements ...string) {
	t.Helper()
	conn := dialWarehouse(t, s.engine.DSN())
	for _, statement := range statements {
		if err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatal(statement, err)
		}
	}
}

// stream makes or changes the JetStream stream of a network, as somebody else would.
func (s *servers) stream(t *testing.T, of chain.Stream, set func(*jetstream.StreamConfig)) {
	t.Helper()
	c := jetstream.StreamConfig{Name: sink.StreamName(of), Subjects: []string{"superindex.evm." + of.Name + ".>"}}
	if have, err := s.js.Stream(t.Context(), c.Name); err == nil {
		c = have.CachedInfo().Config
	}
	set(&c)
	if _, err := s.js.CreateOrUpdateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

// fleet is several networks whose nodes all show the same ledger.
type fleet struct {
	*ledger
	all    []entry
	stages []*stage
}

func newFleet(t *testing.T, l *ledger, names ...string) *fleet {
	t.Helper()
	f := &fleet{ledger: l}
	for i, name := range names {
		st := newStage(http.NotFoundHandler())
		f.all = append(f.all, entry{name, ledgerID + uint64(i), serve(t, st)})
		f.stages = append(f.stages, st)
	}
	return f
}

// show moves every node's head to a block.
func (f *fleet) show(t *testing.T, head uint64) {
	t.Helper()
	for i, st := range f.stages {
		st.play(f.upTo(head).node(t, f.all[i].chainID, limits{}))
	}
}

// setup is a config of all its networks.
func (f *fleet) setup(t *testing.T, nats string) setup {
	t.Helper()
	return setup{
		dir: t.TempDir(), listed: directory(t, ledgerWatched()...), chainID: f.all[0].chainID, rpc: f.all[0].rpc,
		nats: nats, others: f.all[1:],
	}
}

// holds says that a sink has all steps of a network up to that block.
func holds(sink string, block uint64) func(child.State) bool {
	return func(s child.State) bool {
		lack, known := s.Behind()[sink]
		return s.Indexed.Number == block && known && lack == 0
	}
}

// One daemon, and each network's stream is there already with settings of another
// kind; then somebody alters a table under all of them. Each says what is in its way
// and what mends it; nothing else stops; once they are mended nothing is missing.
func (b badDays) streamsAndTables(t *testing.T) {
	t.Parallel()
	s, f := newServers(t, t.TempDir()), newFleet(t, newLedger(t, badBlocks), ledgerName, "full", "small", "queue")
	s.stream(t, f.all[0].stream(), func(c *jetstream.StreamConfig) {
		c.Subjects, c.Retention, c.Duplicates, c.MaxMsgs = []string{"superindex.evm.ledger.event.>"}, jetstream.InterestPolicy, time.Minute, 1e9
	})
	s.stream(t, f.all[1].stream(), func(c *jetstream.StreamConfig) { c.MaxBytes, c.Discard = 200<<10, jetstream.DiscardNew })
	s.stream(t, f.all[2].stream(), func(c *jetstream.StreamConfig) { c.MaxMsgSize = 500 })
	s.stream(t, f.all[3].stream(), func(c *jetstream.StreamConfig) { c.Retention = jetstream.WorkQueuePolicy })
	set := f.setup(t, s.nats.URL())
	set.engine = s.engine.DSN()
	d := newDaemon(t, b.bin, set.config(t))
	f.show(t, badBlocks/2)
	d.start()

	d.comes("all of the good one", func(s child.State) bool { return s.Indexed.Number == badBlocks/2 && s.Held(2) })
	d.saysWhoseSettings(t)
	t.Run("AFullStream", func(t *testing.T) {
		d.showsRed(t, badNode{entry: f.all[1], part: "nats", says: []string{"SUPERINDEX_FULL", "space", "max_bytes"}})
	})
	t.Run("ARefusedMessage", func(t *testing.T) {
		d.showsRed(t, badNode{entry: f.all[2], part: "nats", says: []string{"SUPERINDEX_SMALL", "max_msg_size", "to mend it: "}})
	})
	t.Run("AStreamOfAnotherKind", func(t *testing.T) {
		d.showsRed(t, badNode{entry: f.all[3], part: "writer", says: []string{"SUPERINDEX_QUEUE", "nats stream rm SUPERINDEX_QUEUE"}})
	})
	for _, n := range f.all[1:3] {
		d.network(n.name, "all in the other sink", holds("clickhouse", badBlocks/2))
	}
	s.exec(t, "ALTER TABLE superindex.raw_events RENAME COLUMN tx_index TO position")
	f.show(t, badBlocks)
	t.Run("AnAlteredTable", func(t *testing.T) {
		d.showsRed(t, badNode{entry: f.all[0], part: "clickhouse", says: []string{"raw_events", "tx_index", "to mend it: ", "docs/warehouse.md"}})
	})
	d.comes("all in the other sink", holds("nats", badBlocks))

	s.exec(t, "ALTER TABLE superindex.raw_events RENAME COLUMN position TO tx_index")
	s.stream(t, f.all[1].stream(), func(c *jetstream.StreamConfig) { c.MaxBytes = -1 })
	s.stream(t, f.all[2].stream(), func(c *jetstream.StreamConfig) { c.MaxMsgSize = -1 })
	if err := s.js.DeleteStream(t.Context(), sink.StreamName(f.all[3].stream())); err != nil {
		t.Fatal(err)
	}
	for _, n := range f.all {
		d.network(n.name, "all of it", whole)
		f.agrees(t, s.engine.ReaderDSN(), s.nats.URL(), n)
	}
}

// saysWhoseSettings: of a stream that was there the daemon sets what it relies on,
// leaves the rest to the operator, and says both.
func (d *daemon) saysWhoseSettings(t *testing.T) {
	t.Helper()
	for _, message := range []string{"set a stream's subjects, retention and deduplication right", "a stream keeps the limits that it has"} {
		until(t, message+" in the log", time.Minute, func() (said bool) {
			for _, e := range d.Said.Entries() {
				said = said || e["msg"] == message && e["stream"] == "SUPERINDEX_LEDGER"
			}
			return said
		})
	}
}

// Users without rights: what they lack is named, and with the rights, or another
// user in the config, all goes on.
func (b badDays) usersWithoutRights(t *testing.T) {
	t.Parallel()
	const blocks = 20 // the NATS server logs every message that it refuses
	s, f := newServers(t, t.TempDir()), newFleet(t, newLedger(t, blocks), ledgerName)
	set := f.setup(t, s.nats.URL())
	f.show(t, blocks/2)
	run := func(engine, nats string) *daemon {
		set.engine, set.nats = engine, nats
		d := newDaemon(t, b.bin, set.config(t))
		d.start()
		return d
	}
	red := func(d *daemon, network, part string, says ...string) {
		d.showsRed(t, badNode{entry: entry{name: network}, part: part, says: says})
	}

	d := run(s.engine.ReaderDSN(), s.nats.URL())
	red(d, ledgerName, "writer", "create database superindex", "grant user reader", "to mend it: ")
	ends(t, d)

	d = run(s.engine.DSN(), natsURL(t, s.nats.Dir, ""))
	red(d, ledgerName, "writer", "SUPERINDEX_LEDGER", "ermission", "to mend it: ", "publish to superindex.>")
	ends(t, d)

	d = run(s.engine.DSN(), s.nats.URL())
	d.comes("half of it", func(s child.State) bool { return s.Indexed.Number == blocks/2 && s.Held(2) })
	ends(t, d)

	f.show(t, blocks)
	d = run(s.engine.ReaderDSN(), natsURL(t, s.nats.Dir, ""))
	red(d, ledgerName, "clickhouse", "raw_", "grant user reader", "to mend it: ")
	red(d, ledgerName, "nats", "ermission", "to mend it: ")
	ends(t, d)

	d = run(s.engine.DSN(), s.nats.URL())
	d.comes("all of it", func(s child.State) bool { return s.Indexed.Number == blocks && s.Held(2) })
	f.agrees(t, s.engine.ReaderDSN(), s.nats.URL(), f.all[0])
}

// natsURL is the address of the NATS server in a folder, with its reader, or where
// who is FULL_ with the user who may do everything.
func natsURL(t *testing.T, dir, who string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "run", "nats.env"))
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		values[name] = value
	}
	return strings.Replace(values["NATS_URL"], "://", "://"+values["NATS_"+who+"USER"]+":"+values["NATS_"+who+"PASSWORD"]+"@", 1)
}
