package indexer

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
	"superindex/decoder"
	"superindex/reorg"
)

// still is a chain that stands still at a height; all of it is final.
type still struct {
	height uint64
	err    error
}

func (s *still) ref(n uint64) chain.BlockRef { return testBlock(n).BlockRef }

func (s *still) Heads(context.Context) (Heads, error) {
	head := s.ref(s.height)
	return Heads{Latest: head, Safe: head, Final: head, Time: uint64(time.Now().Unix())}, s.err
}

func (s *still) Headers(_ context.Context, numbers []uint64) (out []chain.Block, err error) {
	for _, n := range numbers {
		out = append(out, testBlock(n))
	}
	return out, s.err
}

func (s *still) Next(r Range, _ Want) Range { return Range{r.From, min(r.To, r.From+99)} }

func (s *still) Fetch(_ context.Context, r Range, _ Want) (f Fetched, err error) {
	for n := r.From; n <= r.To; n++ {
		f.Blocks = append(f.Blocks, testBlock(n))
	}
	return f, s.err
}

type nobody struct{}

func (nobody) Has(*chain.Address) bool      { return false }
func (nobody) ID() chain.WatchID            { return chain.WatchID{} }
func (nobody) All() iter.Seq[chain.Address] { return slices.Values([]chain.Address(nil)) }

// memory is a sink that keeps positions only.
type memory struct {
	mu   sync.Mutex
	held map[string]chain.Position
	err  error
}

func (m *memory) Name() string { return "memory" }

func (m *memory) Position(_ context.Context, s chain.Stream) (chain.Position, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held[s.Name], m.err
}

func (m *memory) Write(_ context.Context, steps []chain.Step) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	last := steps[len(steps)-1]
	m.held[last.Stream.Name] = chain.Position{Journal: last.Journal, Seq: last.Seq, Digest: last.Digest, High: last.Seq, HighDigest: last.Digest}
	return m.err
}

func (m *memory) fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.err = err
}

func testEngine(t *testing.T, sink Sink, networks ...Network) Engine {
	t.Helper()
	return testEngineOf(t, reorg.Defaults().Quota, sink, networks...)
}

// testEngineOf is an engine whose journal holds so many bytes a stream.
func testEngineOf(t *testing.T, quota uint64, sink Sink, networks ...Network) Engine {
	t.Helper()
	opts := reorg.Defaults()
	opts.FS, opts.Sinks, opts.Quota = vfs.NewMem(), []string{sink.Name()}, quota
	j, err := reorg.Open("journal", opts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := j.Close(); err != nil {
			t.Error(err)
		}
	})
	return Engine{Journal: j, Sinks: []Sink{sink}, Networks: networks, Status: NewStatus(), Log: slog.New(slog.DiscardHandler)}
}

func testNetwork(name string, id uint64, s Source) Network {
	return Network{
		Stream: chain.Stream{Name: name, ChainID: id}, Source: s, Watch: nobody{},
		Decoder: decoder.New(decoder.Sources{}), Start: Start{Number: 1, Absolute: true},
	}
}

// runFor runs the engine for so long in the bubble's time, then looks.
func runFor(t *testing.T, e Engine, d time.Duration, look func(map[string]NetworkStatus)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- Run(ctx, e) }()
	time.Sleep(d)
	synctest.Wait()
	all := map[string]NetworkStatus{}
	for _, n := range e.Status.Snapshot() {
		all[n.Network] = n
	}
	look(all)
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestAFaultStaysWhereItArises(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &memory{held: map[string]chain.Position{}}
		e := testEngine(t, sink, testNetwork("good", 1, &still{height: 300}), testNetwork("bad", 2, &still{height: 300, err: errors.New("no route to the node")}))
		runFor(t, e, time.Minute, func(all map[string]NetworkStatus) {
			if good := all["good"]; good.Indexed.Number != 300 || len(good.Faults) != 0 || good.Sinks[0].Seq != good.Seq {
				t.Errorf("the good network: %+v", good)
			}
			if bad := all["bad"]; !strings.Contains(bad.Faults["writer"], "no route to the node") {
				t.Errorf("the bad network: %+v", bad)
			}
		})
	})
}

func TestASinkThatComesBackCatchesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &memory{held: map[string]chain.Position{}}
		e := testEngine(t, sink, testNetwork("net", 1, &still{height: 50}))
		runFor(t, e, 10*time.Second, func(all map[string]NetworkStatus) {
			if n := all["net"]; n.Sinks[0].Seq != n.Seq {
				t.Fatalf("%+v", n)
			}
		})
		sink.fail(errors.New("away"))
		e.Networks[0].Source = &still{height: 90}
		runFor(t, e, 10*time.Second, func(all map[string]NetworkStatus) {
			if n := all["net"]; n.Indexed.Number != 90 || n.Faults["memory"] == "" {
				t.Fatalf("%+v", n)
			}
		})
		sink.fail(nil)
		runFor(t, e, 40*time.Second, func(all map[string]NetworkStatus) {
			if n := all["net"]; n.Faults["memory"] != "" || sink.held["net"].Seq != n.Seq && n.Seq != 0 {
				t.Fatalf("%+v, the sink holds %d", n, sink.held["net"].Seq)
			}
		})
	})
}

func TestANewJournalWaitsForEverySink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &memory{held: map[string]chain.Position{}, err: errors.New("cannot be asked")}
		e := testEngine(t, sink, testNetwork("net", 1, &still{height: 50}))
		runFor(t, e, time.Minute, func(all map[string]NetworkStatus) {
			if n := all["net"]; n.Steps != 0 || !strings.Contains(n.Faults["writer"], "cannot be asked") {
				t.Fatalf("%+v", n)
			}
		})
		if streams := e.Journal.Streams(); len(streams) != 0 {
			t.Fatalf("it began %v", streams)
		}
	})
}

// patient is an error that wants to be left alone.
type patient struct{}

func (patient) Error() string             { return "too many requests" }
func (patient) RetryAfter() time.Duration { return time.Hour }

func TestRetriesWaitAsLongAsTheyAreTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, c := range []struct {
			err         error
			least, most int // calls in 10 minutes
		}{
			{errors.New("temporary"), 12, 40},
			{chain.Fatal(errors.New("fatal"), "mend it"), 20, 21},
			{fmt.Errorf("busy: %w", patient{}), 1, 1},
		} {
			e, calls := testEngine(t, &memory{}), 0
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
			e.keep(ctx, chain.Stream{Name: "net"}, "part", func(context.Context) (bool, error) { calls++; return true, c.err })
			cancel()
			if calls < c.least || calls > c.most {
				t.Errorf("%v: %d calls in 10 minutes", c.err, calls)
			}
		}
	})
}
