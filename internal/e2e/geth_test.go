package e2e

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/ethclient"

	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/indexer/pool"
	"superindex/internal/agree"
	"superindex/internal/chance"
	"superindex/internal/devchain/simchain"
	embedded "superindex/internal/embedded/clickhouse"
	"superindex/internal/embedded/nats/natstest"
	"superindex/internal/oracle"
	"superindex/registry"
	"superindex/reorg"
	"superindex/sinks/clickhouse"
	"superindex/sinks/jetstream"
)

var geth = chain.Stream{Name: "geth", ChainID: simchain.ChainID}

// Show 5: 300 blocks of go-ethereum, with forks of random depth, dropped
// transactions that come back elsewhere or never, and a head that goes down.
func TestGoEthereum(t *testing.T) {
	r := chance.New(t)
	node, err := simchain.Start(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := node.Close(); err != nil {
			t.Error(err)
		}
	})
	s := &story{T: t, node: node, rand: r, client: dialChain(t, node.URL()), engine: newEngine(t, network(t, geth, node.URL(), node.Burst))}
	stop := s.engine.run(t)
	watched := s.engine.watch(t)
	for s.head().Number < 300 {
		s.chapter()
	}
	s.engine.settle(t, s.client)
	reads := watched()
	set, err := s.engine.stores(t).Compare(t.Context(), s.client, geth, []chain.Address{node.Burst})
	if err != nil {
		t.Error(err)
	}
	stop()
	n := s.engine.status.Snapshot()[0]
	t.Logf("%d blocks mined for a head at %v, %d logs; %d forks, %d of which had been indexed, %d blocks deep at most; the head went down %d times; %d reorgs undone; the reader saw one fork in each of %d looks",
		s.mined, n.Indexed, len(set), s.forks, s.seen, s.deepest, s.falls, n.Reorgs, reads.Good)
	if n.Reorgs < uint64(s.seen) || s.seen < 10 || s.falls == 0 || len(set) < 500 {
		t.Error("too little happened")
	}
}

// engine is the product without its command: writer, journal on the disk, relays
// and both sinks, on a real ClickHouse and a real NATS server.
type engine struct {
	indexer.Engine
	status    *indexer.Status
	warehouse *embedded.Server
	nats      *natstest.Child
}

func newEngine(t *testing.T, net indexer.Network) *engine {
	t.Helper()
	e := &engine{status: indexer.NewStatus(), nats: natstest.New(t)}
	var err error
	e.warehouse, err = embedded.Start(t.Context(), embedded.Options{Lib: libchdb(t), Dir: t.TempDir(), Listen: "127.0.0.1:0", MaxMemory: 2 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.warehouse.Close)
	table, err := clickhouse.Open(t.Context(), clickhouse.Options{DSN: e.warehouse.DSN()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = table.Close() })
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	stream, err := jetstream.Open(t.Context(), jetstream.Options{URL: e.nats.URL(), History: true, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stream.Close() })
	journal, err := reorg.Open(filepath.Join(t.TempDir(), "journal"), reorg.Defaults())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := journal.Close(); err != nil {
			t.Error(err)
		}
	})
	e.Engine = indexer.Engine{
		Journal: journal, Sinks: []indexer.Sink{table, stream}, Networks: []indexer.Network{net},
		Pace: indexer.Pace{Poll: 10 * time.Millisecond}, Status: e.status, Log: log,
	}
	return e
}

// network follows a node from block 1.
func network(t *testing.T, of chain.Stream, url string, watched ...chain.Address) indexer.Network {
	t.Helper()
	o := registry.DefaultOptions()
	o.Source = directory(t, watched...)
	snapshot, err := registry.Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	sources, err := decoder.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	gate := pool.NewGate(0)
	client, err := ethrpc.New(ethrpc.Options{Network: of.Name, Name: "node", URL: url, ChainID: of.ChainID, Gate: gate})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	source, err := pool.New(pool.Options{
		Network: of.Name, Members: []pool.Member{{Name: "node", Endpoint: client, Gate: gate}}, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return indexer.Network{
		Stream: of, Source: source, Decoder: decoder.New(sources), Watch: snapshot.Watch(of.Name),
		Start: indexer.Start{Number: 1, Absolute: true},
	}
}

// run starts the engine; what it returns stops it, which it must obey.
func (e *engine) run(t *testing.T) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- indexer.Run(ctx, e.Engine) }()
	stop = func() {
		cancel()
		began := time.Now()
		select {
		case err := <-done:
			done <- nil
			t.Logf("the engine stopped within %v", time.Since(began).Round(time.Millisecond))
			if err != nil {
				t.Error("the engine:", err)
			}
		case <-time.After(stopWithin):
			t.Error("the engine did not stop within", stopWithin)
		}
	}
	t.Cleanup(stop)
	return stop
}

// stream is the only network's.
func (e *engine) stream() chain.Stream { return e.Networks[0].Stream }

// watch starts the reader that never sleeps; what it returns ends it.
func (e *engine) watch(t *testing.T) (end func() oracle.Reads) {
	t.Helper()
	conn := dialWarehouse(t, e.warehouse.ReaderDSN())
	ctx, cancel := context.WithCancel(t.Context())
	var reads oracle.Reads
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		reads, err = oracle.Watch(ctx, conn, e.stream(), 0)
	}()
	return func() oracle.Reads {
		t.Helper()
		cancel()
		<-done
		if err != nil {
			t.Error(err)
		}
		if reads.Good == 0 {
			t.Error("the reader never got an answer:", reads.Last)
		}
		return reads
	}
}

func (e *engine) stores(t *testing.T) agree.Stores {
	t.Helper()
	return agree.Stores{Warehouse: dialWarehouse(t, e.warehouse.ReaderDSN()), Stream: dialStream(t, e.nats.URL(), e.stream())}
}

// settle waits until the engine has indexed the head that the node shows now, the
// journal has all heads that the engine saw, and every sink the journal's last step.
func (e *engine) settle(t *testing.T, client *ethclient.Client) {
	t.Helper()
	head := headOf(t, client)
	until(t, "journal and sinks at the head", 2*time.Minute, func() bool {
		st, err := e.Journal.Stat(e.stream().Name)
		if err != nil {
			return false // it has not begun yet
		}
		n := e.status.Snapshot()[0]
		there := len(n.Sinks) == 2 && st.Last == head && n.Latest == head && st.Safe == n.Safe && st.Final == n.Final
		for _, s := range n.Sinks {
			there = there && s.Seq == st.Head
		}
		return there
	})
}

// story is what happens to the chain.
type story struct {
	*testing.T
	node   *simchain.Chain
	rand   *rand.Rand
	client *ethclient.Client
	engine *engine

	mined   int
	forks   int // times that blocks went
	seen    int // of them, the engine had indexed the head before
	falls   int // times that it could see a lower head of its own fork
	deepest uint64
}

func (s *story) head() chain.BlockRef {
	s.Helper()
	return headOf(s.T, s.client)
}

func headOf(t *testing.T, client *ethclient.Client) chain.BlockRef {
	t.Helper()
	h, err := client.HeaderByNumber(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	return chain.BlockRef{Number: h.Number.Uint64(), Hash: chain.Hash(h.Hash())}
}

// chapter mines some blocks; then, often, some go, and others come in their place:
// as many, more or fewer.
func (s *story) chapter() {
	s.mine(1 + s.rand.IntN(10))
	seen := s.rand.IntN(4) > 0
	if seen {
		s.follow()
	} else {
		time.Sleep(time.Duration(s.rand.IntN(30)) * time.Millisecond)
	}
	if s.rand.IntN(2) == 0 {
		return
	}
	most := s.head().Number - 1 // block 1 holds the contracts
	depth, err := s.node.Back(s.Context(), min(most, 1+s.rand.Uint64N(1<<s.rand.IntN(6))))
	if err != nil {
		s.Fatal(err)
	}
	if depth == 0 {
		return // the head is finalized
	}
	s.forks++
	s.deepest = max(s.deepest, depth)
	if seen {
		s.seen++
	}
	switch s.rand.IntN(3) {
	case 0:
		s.node.Drop() // what was in those blocks never happened
	case 1:
		time.Sleep(time.Duration(50+s.rand.IntN(200)) * time.Millisecond) // several looks at a head that went down
		s.falls++
	}
	s.mine(1 + s.rand.IntN(int(depth)+1))
}

// mine mines blocks of a few logs, most of watched contracts.
func (s *story) mine(blocks int) {
	s.Helper()
	for range blocks {
		for range s.rand.IntN(3) {
			if err := s.node.Emit(s.Context(), s.rand.Uint64N(6)); err != nil {
				s.Fatal(err)
			}
		}
		if s.rand.IntN(2) == 0 {
			topic := common.BigToHash(common.Big3)
			if err := s.node.Call(s.Context(), s.node.Relay, append(topic[:], fmt.Sprint("unwatched ", s.mined)...)); err != nil {
				s.Fatal(err)
			}
		}
		if _, err := s.node.Commit(s.Context()); err != nil {
			s.Fatal(err)
		}
		s.mined++
	}
}

// follow waits until the engine has indexed the head.
func (s *story) follow() {
	s.Helper()
	head := s.head()
	until(s.T, fmt.Sprintf("block %v indexed", head), 2*time.Minute, func() bool {
		all := s.engine.status.Snapshot()
		return len(all) == 1 && all[0].Indexed == head
	})
}
