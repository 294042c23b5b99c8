package harness

import (
	"context"
	"fmt"
	"net/http"
	"runtime"

	"superindex/benchmarks/loadnode"
	"superindex/benchmarks/report"
	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
)

// everything is a watch set that has every address.
type everything struct{}

// Has implements indexer.Watched.
func (everything) Has(*chain.Address) bool { return true }

// answered are the answers that the measured parts read: 200,000 logs in 40 of them.
func (b *bench) answered() (*answers, error) {
	o := b.full()
	o.Blocks = pick[uint64](b, 2000, 200)
	n, err := loadnode.New(o)
	if err != nil {
		return nil, err
	}
	return newAnswers(n, o, int(o.Blocks/span)), nil
}

// reader is our own client over answers in memory.
func (a *answers) reader() (*ethrpc.Client, error) {
	return ethrpc.New(ethrpc.Options{
		Network: "load", Name: "load", URL: "http://in.memory", ChainID: 10,
		HTTP: &http.Client{Transport: &inside{node: a.node, cache: map[string][]byte{}}},
	})
}

// fetcher is our own client as the engine has it: it reads an answer into logs. The
// answers are in memory, each was read once.
func (a *answers) fetcher(ctx context.Context) (func(context.Context, int, indexer.Range) error, error) {
	client, err := a.reader()
	if err != nil {
		return nil, err
	}
	memory := make([]indexer.Memory, workers())
	fetch := func(ctx context.Context, worker int, r indexer.Range) error {
		got, err := client.Fetch(ctx, r, indexer.Want{Watched: everything{}, Memory: &memory[worker]})
		memory[worker].Reset(got.Events) // as the engine does once they are in the journal
		if err == nil && got.All != int(a.logs)/len(a.ranges) {
			err = fmt.Errorf("%d logs of %d", got.All, int(a.logs)/len(a.ranges))
		}
		return err
	}
	_, err = a.each(ctx, 1, fetch)
	return fetch, err
}

// parse reads answers that lie in memory into logs, on all cores, beside what
// simdjson-go and ethclient make of them.
func parse(ctx context.Context, b *bench) ([]report.Result, error) {
	a, err := b.answered()
	if err != nil {
		return nil, err
	}
	fetch, err := a.fetcher(ctx)
	if err != nil {
		return nil, err
	}
	r := report.Result{Logs: a.logs, Set: fmt.Sprintf("answers of 5,000 logs in memory, read on all cores, the fastest of %d passes", b.rounds())}
	before := allocated()
	m, err := a.each(ctx, b.rounds(), fetch)
	if err != nil {
		return nil, err
	}
	m.fill(&r)
	r.Figures = append(r.Figures, report.Figure{Name: "allocations a log", Value: float64(allocated()-before) / float64(b.rounds()) / float64(r.Logs)})
	against(&r, limitSimdjson, 0.8)(b.simdjson(ctx, a))
	against(&r, limitEthclient, 10)(b.ethclient(ctx, a))
	return []report.Result{r}, nil
}

// parsing is our parse as a limit.
func (b *bench) parsing(ctx context.Context) (measure, error) {
	return b.limit(limitParse, func() (measure, error) {
		a, err := b.answered()
		if err != nil {
			return measure{}, err
		}
		fetch, err := a.fetcher(ctx)
		if err != nil {
			return measure{}, err
		}
		return a.each(ctx, b.rounds(), fetch)
	})
}

// allocated is how many objects were ever allocated.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.Mallocs
}

// decode makes events of logs, on one core.
func decode(ctx context.Context, b *bench) ([]report.Result, error) {
	a, err := b.answered()
	if err != nil {
		return nil, err
	}
	events, err := a.events(ctx)
	if err != nil {
		return nil, err
	}
	sources, err := decoder.Builtin()
	if err != nil {
		return nil, fmt.Errorf("the built-in event table: %w", err)
	}
	table := decoder.New(sources)
	before, watch := allocated(), newWatch()
	var buf []byte
	for range b.rounds() {
		for i := range events {
			if i%(span*100) == 0 {
				buf = buf[:0] // as for the next answer
			}
			buf, _ = table.Decode(&events[i], buf)
		}
	}
	r := report.Result{Logs: uint64(b.rounds() * len(events)), Set: "logs in memory, on one core"}
	watch.measure(r.Logs).fill(&r)
	r.Figures = append(r.Figures, report.Figure{Name: "decoded", Value: 100 * share(events), Unit: "%"},
		report.Figure{Name: "allocations a log", Value: float64(allocated()-before) / float64(r.Logs)})
	return []report.Result{r}, nil
}

// share is how many of the events are decoded.
func share(events []chain.Event) float64 {
	decoded := 0
	for i := range events {
		if events[i].Decoding == chain.Decoded {
			decoded++
		}
	}
	return float64(decoded) / float64(len(events))
}

// events are all answers' logs, not decoded yet.
func (a *answers) events(ctx context.Context) (all []chain.Event, err error) {
	client, err := a.reader()
	if err != nil {
		return nil, err
	}
	for _, r := range a.ranges {
		got, err := client.Fetch(ctx, r, indexer.Want{Watched: everything{}})
		if err != nil {
			return nil, err
		}
		all = append(all, got.Events...)
	}
	return all, nil
}
