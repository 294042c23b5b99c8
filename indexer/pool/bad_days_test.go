package pool

import (
	"context"
	"iter"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/reorg"
)

// everything is a watch set of every address.
type everything struct{}

func (everything) Has(*chain.Address) bool      { return true }
func (everything) ID() chain.WatchID            { return chain.WatchID{1} }
func (everything) All() iter.Seq[chain.Address] { return slices.Values([]chain.Address{{1}}) }

// taker is a sink that checks that the blocks follow each other, and counts.
type taker struct {
	mu      sync.Mutex
	at      chain.Position
	head    uint64
	gaps    int
	reverts []chain.Revert
}

func (s *taker) Name() string { return "taker" }

func (s *taker) Position(context.Context, chain.Stream) (chain.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.at, nil
}

func (s *taker) Write(_ context.Context, steps []chain.Step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, step := range steps {
		if step.Seq <= s.at.Seq || step.Stream.ChainID == 0 {
			continue
		}
		switch {
		case step.Revert != nil:
			if s.head = step.Revert.To.Number; step.Revert.Cause == chain.Reorg {
				s.reverts = append(s.reverts, *step.Revert)
			}
		case step.Apply != nil:
			if step.Apply.Parent.Number != s.head {
				s.gaps++
			}
			s.head = step.Apply.Last.Number
		}
		s.at = chain.Position{Journal: step.Journal, Seq: step.Seq, Digest: step.Digest, High: step.Seq, HighDigest: step.Digest, Final: s.at.Final}
	}
	return nil
}

// day is the whole engine over a pool of fakes, in a bubble.
type day struct {
	pool   *Pool
	sink   *taker
	status *indexer.Status
	chain  *fake // as a perfect endpoint shows it
	near   []*fake
}

// mine adds blocks to the chain for so long, one every 2 s; the endpoints see each
// behind blocks later.
func (d *day) mine(during time.Duration, behind ...uint64) {
	for range during / (2 * time.Second) {
		time.Sleep(2 * time.Second)
		d.chain.head++
		d.chain.final = d.chain.head - 100
		for i, f := range d.near {
			f.set(func(f *fake) { f.head, f.final = d.chain.head-behind[i], d.chain.final-behind[i] })
		}
	}
}

// live runs the engine until test ends.
func live(t *testing.T, near []*fake, test func(t *testing.T, d *day)) {
	t.Helper()
	inBubble(t, near, func(t *testing.T, p *Pool) {
		opts := reorg.Defaults()
		opts.FS, opts.Sinks = vfs.NewMem(), []string{"taker"}
		journal, err := reorg.Open("journal", opts)
		if err != nil {
			t.Fatal(err)
		}
		d := &day{pool: p, sink: &taker{}, status: indexer.NewStatus(), chain: newFake("chain", 1000, 900), near: near}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() {
			done <- indexer.Run(ctx, indexer.Engine{
				Journal: journal, Sinks: []indexer.Sink{d.sink}, Status: d.status, Log: slog.New(slog.DiscardHandler),
				Networks: []indexer.Network{{
					Stream: chain.Stream{Name: "optimism", ChainID: 10}, Source: p, Witness: p, Watch: everything{},
					Decoder: decoder.New(decoder.Sources{}), Start: indexer.Start{Number: 1, Absolute: true},
				}},
			})
		}()
		defer func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
			if err := journal.Close(); err != nil {
				t.Error(err)
			}
		}()
		test(t, d)
	})
}

// reached fails unless the sink has come within so many blocks of the chain, with
// no gap, and with so many reverts.
func (d *day) reached(t *testing.T, within uint64, reverts int) {
	t.Helper()
	synctest.Wait()
	d.sink.mu.Lock()
	defer d.sink.mu.Unlock()
	if d.sink.head+within < d.chain.head || d.sink.gaps > 0 || len(d.sink.reverts) != reverts {
		t.Fatalf("the sink is at block %d of %d, with %d gaps and reverts %+v; the endpoints: %+v", d.sink.head, d.chain.head, d.sink.gaps, d.sink.reverts, d.pool.Endpoints())
	}
}

// network is the network's status.
func (d *day) network() indexer.NetworkStatus {
	all := d.status.Snapshot()
	return all[slices.IndexFunc(all, func(n indexer.NetworkStatus) bool { return n.Network == "optimism" })]
}

// Three backends at different heads behind one URL, in turn.
func TestBackendsBehindOneURL(t *testing.T) {
	one := newFake("one", 1000, 900)
	one.backends = []uint64{0, 3, 7}
	live(t, []*fake{one}, func(t *testing.T, d *day) {
		d.mine(10*time.Minute, 0)
		d.reached(t, 8, 0)
	})
}

// One endpoint drops connections, the other goes on; then both do for a while.
func TestConnectionsThatDrop(t *testing.T) {
	a, b := newFake("a", 1000, 900), newFake("b", 1000, 900)
	live(t, []*fake{a, b}, func(t *testing.T, d *day) {
		a.set(func(f *fake) { f.drop = 3 })
		d.mine(5*time.Minute, 0, 1)
		d.reached(t, 3, 0)
		b.set(func(f *fake) { f.drop = 2 })
		d.mine(2*time.Minute, 0, 1)
		d.reached(t, 30, 0)
		a.set(func(f *fake) { f.drop = 0 })
		d.mine(2*time.Minute, 0, 1)
		d.reached(t, 3, 0)
	})
}

// An endpoint answers with another chain for a minute, on the same URL: it is
// noticed when it contradicts what is held, and used again when it is right again.
func TestTheWrongChainForAMinute(t *testing.T) {
	for _, near := range [][]*fake{{newFake("a", 1000, 900)}, {newFake("a", 1000, 900), newFake("b", 1000, 900)}} {
		live(t, near, func(t *testing.T, d *day) {
			d.mine(time.Minute, 0, 0)
			d.reached(t, 2, 0)
			near[0].set(func(f *fake) { f.id, f.fork = 8453, func(uint64) byte { return 9 } })
			d.mine(time.Minute, 0, 0)
			if len(near) > 1 {
				d.reached(t, 3, 0)
			}
			near[0].set(func(f *fake) { f.id, f.fork = 10, nil })
			d.mine(3*time.Minute, 0, 0)
			d.reached(t, 2, 0)
			if s := states(d.pool)["a"]; !s.Up {
				t.Errorf("%+v", s)
			}
		})
	}
}

// An endpoint of the right chain is on a fork of its own, deep: the other one's
// word counts. When both have gone back, both are followed.
func TestADeepRollbackNeedsASecondWord(t *testing.T) {
	a, b := newFake("a", 1000, 900), newFake("b", 1000, 900)
	live(t, []*fake{a, b}, func(t *testing.T, d *day) {
		d.mine(time.Minute, 0, 0)
		fork := d.chain.head - 40
		split := func(number uint64) byte {
			if number > fork {
				return 5
			}
			return 0
		}
		a.set(func(f *fake) { f.fork = split })
		d.mine(2*time.Minute, 0, 0)
		d.reached(t, 2, 0)
		b.set(func(f *fake) { f.fork = split })
		d.mine(time.Minute, 0, 0)
		d.reached(t, 2, 1)
	})
}

// Where the second endpoint is silent, its word is awaited for 30 s and no longer.
func TestASecondWordIsNotAwaitedForEver(t *testing.T) {
	a, b := newFake("a", 1000, 900), newFake("b", 1000, 900)
	live(t, []*fake{a, b}, func(t *testing.T, d *day) {
		d.mine(time.Minute, 0, 0)
		b.set(func(f *fake) { f.fail = errDown })
		fork := d.chain.head - 40
		a.set(func(f *fake) {
			f.fork = func(number uint64) byte {
				if number > fork {
					return 5
				}
				return 0
			}
		})
		d.mine(20*time.Second, 0, 0)
		synctest.Wait()
		if n := len(d.sink.reverts); n != 0 {
			t.Fatalf("%d reverts before 30 s", n)
		}
		d.mine(time.Minute, 0, 0)
		d.reached(t, 2, 1)
	})
}
