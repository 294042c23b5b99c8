package pool

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/reorg"
)

// metered is an endpoint behind a provider's limits, none of which it tells before they
// are met: 25 requests a second, of 2,000 blocks and 10,000 logs each, of which a block
// has 10. An answer takes 100 ms, and 50 more to be read.
type metered struct {
	*fake
	gate  *Gate
	meter *meterman

	mu       sync.Mutex
	requests int
}

func (m *metered) request(ctx context.Context, calls int) error {
	var shut *ShutError
	if err := m.gate.Enter(ctx, calls); errors.As(err, &shut) {
		return verdictError(ethrpc.Verdict{Kind: ethrpc.Limited, Wait: shut.Wait})
	} else if err != nil {
		return err
	}
	began := time.Now()
	err := m.meter.ask(began, 1)
	pause(ctx, 150*time.Millisecond)
	m.gate.Leave(calls, time.Since(began), err)
	if err == nil {
		m.mu.Lock()
		m.requests++
		m.mu.Unlock()
	}
	return err
}

func (m *metered) Fetch(ctx context.Context, r indexer.Range, _ indexer.Want) (indexer.Fetched, error) {
	if err := m.request(ctx, 4); err != nil {
		return indexer.Fetched{}, err
	}
	f, err := limits{blocks: 2000, logs: 10_000, says: true}.answer(r.Len(), 10)
	f.Blocks = []chain.Block{m.block(r.From)}
	if r.To > r.From {
		f.Blocks = append(f.Blocks, m.block(r.To))
	}
	return f, err
}

func (m *metered) counts() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.requests
}

// The whole engine uses all of a provider's limits: after the first 30 s at least 95 %
// of its rate, and not many more requests than the limits make necessary.
func TestLimitsAreUsed(t *testing.T) {
	const blocks, fewest = 2_000_000, 2000
	synctest.Test(t, func(t *testing.T) {
		gate, began := NewGate(0), time.Now()
		m := &metered{fake: newFake("metered", blocks, blocks), gate: gate, meter: &meterman{rate: 25, burst: 25, retry: time.Second, at: began, tokens: 25}}
		sink := &taker{}
		stop := m.engine(t, sink)
		defer stop()
		time.Sleep(30 * time.Second)
		found := m.counts()
		for head := uint64(0); head < blocks-2000; time.Sleep(100 * time.Millisecond) {
			sink.mu.Lock()
			head = sink.head
			sink.mu.Unlock()
			if time.Since(began) > 10*time.Minute {
				t.Fatalf("block %d", head)
			}
		}
		used := float64(m.counts()-found) / m.meter.rate / (time.Since(began) - 30*time.Second).Seconds()
		t.Logf("%.3f of the rate; %d requests, %d are the fewest; %d refused", used, m.counts(), fewest, m.meter.refused)
		if used < 0.95 || m.counts() > fewest*115/100 {
			t.Errorf("the gate: %+v", gate.rate)
		}
	})
}

// engine runs one over the endpoint until stop is called.
func (m *metered) engine(t *testing.T, sink *taker) (stop func()) {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	p, err := New(Options{Network: "optimism", Members: []Member{{m.name, m, m.gate}}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	opts := reorg.Defaults()
	opts.FS, opts.Sinks = vfs.NewMem(), []string{"taker"}
	journal, err := reorg.Open("journal", opts)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- indexer.Run(ctx, indexer.Engine{
			Journal: journal, Sinks: []indexer.Sink{sink}, Status: indexer.NewStatus(), Log: log,
			Networks: []indexer.Network{{
				Stream: chain.Stream{Name: "optimism", ChainID: 10}, Source: p, Watch: everything{},
				Decoder: decoder.New(decoder.Sources{}), Start: indexer.Start{Number: 1, Absolute: true},
			}},
		})
	}()
	return func() {
		cancel()
		if err := errors.Join(<-done, journal.Close()); err != nil {
			t.Error(err)
		}
	}
}
