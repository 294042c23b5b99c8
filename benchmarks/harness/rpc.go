package harness

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"superindex/benchmarks/loadnode"
	"superindex/benchmarks/report"
	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/indexer/pool"
	"superindex/reorg"
)

// provider is a chain behind a provider's limits, none of which superindex is told:
// 10,000,000 logs in 1,000,000 blocks, of which one answer holds 10,000 and one range
// 2,000, 25 requests a second, each after 100 ms.
// A thirtieth of it is read block by block.
func (b *bench) provider(w way) loadnode.Options {
	o := loadnode.Defaults()
	o.Blocks, o.Logs, o.Transactions = pick(b, uint64(1_000_000), 30_000), 10, 5
	if w.mode == receiptsMode {
		o.Blocks /= 30
	}
	o.Addresses, o.Share = 1000, w.share
	o.Latency, o.Rate, o.MaxLogs, o.MaxBlocks = 100*time.Millisecond, 25, 10_000, 2000
	return o
}

// way is a mode, and which share of the logs is watched.
type way struct {
	mode  string
	share float64
}

const (
	logsMode     = "logs"
	receiptsMode = "receipts"
)

// String is a scenario's name.
func (w way) String() string { return fmt.Sprintf("rpc-%s-%g%%", w.mode, 100*w.share) }

// foundIn is how long the limits may take to be found.
const foundIn = 30 * time.Second

// providerLimits backfills a journal from such a provider, by mode and share of watched
// logs.
func providerLimits(ctx context.Context, b *bench) (results []report.Result, err error) {
	ways := []way{{logsMode, 0.01}, {logsMode, 0.1}, {logsMode, 1}, {receiptsMode, 0.01}, {receiptsMode, 1}}
	for _, w := range pick(b, ways, []way{{logsMode, 0.01}, {receiptsMode, 0.01}}) {
		o := b.provider(w)
		r := report.Result{Scenario: w.String(), Set: describe(o), Logs: o.Blocks * uint64(o.Logs)}
		err := serve(ctx, o, func(ctx context.Context, n *served) error { return b.limited(ctx, n, w, &r) })
		if err != nil {
			r.Fault = err.Error()
		}
		results = append(results, r)
	}
	return results, nil
}

// limited reads the node's whole chain in this process, and compares what that took
// with what the limits allow.
func (b *bench) limited(ctx context.Context, n *served, w way, r *report.Result) (err error) {
	dir, err := b.folder("rpc")
	if err != nil {
		return err
	}
	o := reorg.Defaults()
	sink := &nowhere{done: make(chan struct{}), last: n.o.Blocks}
	o.Sinks, o.Keep = []string{sink.Name()}, 0
	journal, err := reorg.Open(filepath.Join(dir, "journal"), o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, journal.Close()) }()
	net, err := b.behind(n)
	if err != nil {
		return err
	}
	net.Receipts = w.mode == receiptsMode
	running, stop := context.WithCancel(ctx)
	defer stop()
	var g errgroup.Group
	g.Go(func() error {
		return indexer.Run(running, indexer.Engine{
			Journal: journal, Sinks: []indexer.Sink{sink}, Networks: []indexer.Network{net},
			Status: indexer.NewStatus(), Log: slog.New(slog.NewTextHandler(b.Progress, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
	})
	used := sample(ctx, n, sink.done)
	stop()
	if err := g.Wait(); err != nil {
		return err
	}
	used.fill(n, w, r)
	return ctx.Err()
}

// behind is the node's chain as a network of one endpoint.
func (b *bench) behind(n *served) (indexer.Network, error) {
	sources, err := decoder.Builtin()
	if err != nil {
		return indexer.Network{}, err
	}
	gate := pool.NewGate(0)
	client, err := ethrpc.New(ethrpc.Options{Network: "load", Name: "loadnode", URL: n.url, ChainID: n.o.ChainID, Gate: gate})
	if err != nil {
		return indexer.Network{}, err
	}
	source, err := pool.New(pool.Options{
		Network: "load", Members: []pool.Member{{Name: "loadnode", Endpoint: client, Gate: gate}}, Log: slog.New(slog.DiscardHandler),
	})
	watch := watched{}
	for _, a := range n.Watched() {
		watch[a] = true
	}
	return indexer.Network{
		Stream: chain.Stream{Name: "load", ChainID: n.o.ChainID}, Source: source, Decoder: decoder.New(sources),
		Watch: watch, Start: indexer.Start{Number: 1, Absolute: true},
	}, err
}

// usedUp is how much of a limit was used.
type usedUp struct {
	took     time.Duration
	found    loadnode.Counters // once the limits had to be found
	searched time.Duration     // when that was
	all      loadnode.Counters
}

// sample counts until done.
func sample(ctx context.Context, n *served, done <-chan struct{}) (u usedUp) {
	began := time.Now()
	found := time.NewTimer(foundIn)
	defer found.Stop()
	for {
		select {
		case <-found.C:
			u.found, u.searched = n.Counters(), time.Since(began)
			continue
		case <-done:
		case <-ctx.Done():
		}
		u.all, u.took = n.Counters(), time.Since(began)
		return u
	}
}

func (u usedUp) fill(n *served, w way, r *report.Result) {
	fewest, fewestItems := w.fewest(n.o, r.Logs)
	items := uint64(0)
	for _, count := range u.all.Items {
		items += count
	}
	r.Took, r.Rate, r.Requests = u.took, float64(r.Logs)/u.took.Seconds(), u.all.Requests
	r.Figures = append(r.Figures,
		report.Figure{Name: "items", Value: float64(items), Unit: "calls"},
		report.Figure{Name: "refused", Value: float64(u.all.Refused), Unit: "requests"},
		report.Figure{Name: "fewest", Value: fewest, Unit: "requests"})
	r.Ratios = append(r.Ratios,
		report.Ratio{What: "requests / the fewest that caps and mode allow", Value: float64(u.all.Requests) / fewest, Want: 1.15, Most: true},
		report.Ratio{What: "items / the fewest that caps and mode allow", Value: float64(items) / fewestItems, Want: 1.15, Most: true})
	if rest := u.took - u.searched; u.searched > 0 && rest > time.Second {
		r.Ratios = append(r.Ratios, report.Ratio{
			What: "of the allowed rate, after 30 s", Value: float64(u.all.Requests-u.found.Requests) / rest.Seconds() / n.o.Rate, Want: 0.95,
		})
	}
}

// receiptBlocks is how many blocks a request brings in receipts mode: two calls each,
// and more of them in a batch are refused by too many providers.
const receiptBlocks = 20

// fewest is how many requests, and calls in them, bring all logs of a chain. A range of
// logs has three headers beside it: its ends and the finalized block, which prove it.
func (w way) fewest(o loadnode.Options, logs uint64) (requests, items float64) {
	if w.mode == receiptsMode {
		requests = float64((o.Blocks + receiptBlocks - 1) / receiptBlocks)
		return requests, 2 * float64(o.Blocks)
	}
	requests = float64(max(o.Blocks/o.MaxBlocks, logs/uint64(o.MaxLogs)))
	return requests, 4 * requests
}

// watched is a watch set.
type watched map[chain.Address]bool

func (w watched) Has(a *chain.Address) bool { return w[*a] }

// ID is the same for every set: a run has one.
func (w watched) ID() chain.WatchID { return chain.WatchID{1} }

func (w watched) All() iter.Seq[chain.Address] {
	all := make([]chain.Address, 0, len(w))
	for a := range w {
		all = append(all, a)
	}
	slices.SortFunc(all, func(a, b chain.Address) int { return slices.Compare(a[:], b[:]) })
	return slices.Values(all)
}

// nowhere is a sink that keeps nothing but its position.
type nowhere struct {
	mu   sync.Mutex
	held chain.Position
	last uint64
	done chan struct{} // closed with block last
}

// Name implements indexer.Sink.
func (s *nowhere) Name() string { return "nowhere" }

// Position implements indexer.Sink.
func (s *nowhere) Position(_ context.Context, of chain.Stream) (chain.Position, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of.ChainID == 0 {
		return chain.Position{}, nil
	}
	return s.held, nil
}

// Write implements indexer.Sink.
func (s *nowhere) Write(_ context.Context, steps []chain.Step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, step := range steps {
		if step.Apply == nil {
			continue
		}
		if step.Apply.Last.Number == s.last && s.held.Final.Number != s.last {
			close(s.done)
		}
		s.held = chain.Position{Journal: step.Journal, Seq: step.Seq, Digest: step.Digest, High: step.Seq, HighDigest: step.Digest, Final: step.Apply.Final, Watch: step.Apply.Watch}
	}
	return nil
}
