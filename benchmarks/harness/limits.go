package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/minio/simdjson-go"
	"golang.org/x/sync/errgroup"

	"superindex/benchmarks/loadnode"
	"superindex/benchmarks/report"
	"superindex/indexer"
	"superindex/internal/child"
)

// The parts' limits, by which ratios are named.
const (
	limitReading    = "reading the bytes"
	limitSimdjson   = "one simdjson-go pass"
	limitEthclient  = "ethclient.FilterLogs"
	limitParse      = "our parse"
	limitClickHouse = "ClickHouse alone"
	limitJetStream  = "JetStream alone"
)

// span is how many blocks one answer has where parts are measured alone: 5,000 logs,
// about what the engine asks for.
const span = 50

// workers is how many things the measured parts do at once: as many as there are cores.
func workers() int { return max(1, machine().Cores) }

// answers are requests for ranges, and their answers as they lie in memory.
type answers struct {
	node   *loadnode.Node
	ranges []indexer.Range
	logs   uint64 // in all of them
}

func newAnswers(n *loadnode.Node, o loadnode.Options, spans int) *answers {
	a := &answers{node: n}
	for i := range uint64(spans) {
		r := indexer.Range{From: 1 + i*span, To: (i + 1) * span}
		a.ranges, a.logs = append(a.ranges, r), a.logs+span*uint64(o.Logs)
	}
	return a
}

// each calls do for every range, on all cores, so many times over. The rate is that
// of the fastest pass: whatever else the machine does only takes from it.
func (a *answers) each(ctx context.Context, passes int, do func(ctx context.Context, worker int, r indexer.Range) error) (best measure, err error) {
	cpu := 0.0
	for range passes {
		m, err := a.pass(ctx, do)
		if err != nil {
			return m, err
		}
		if cpu += m.cpu; best.took == 0 || m.took < best.took {
			best = m
		}
	}
	best.cpu = cpu / float64(passes)
	return best, nil
}

// pass calls do for every range once.
func (a *answers) pass(ctx context.Context, do func(ctx context.Context, worker int, r indexer.Range) error) (measure, error) {
	var next atomic.Int64
	watch := newWatch()
	g, ctx := errgroup.WithContext(ctx)
	for worker := range workers() {
		g.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(a.ranges) || ctx.Err() != nil {
					return ctx.Err()
				}
				if err := do(ctx, worker, a.ranges[i]); err != nil {
					return err
				}
			}
		})
	}
	err := g.Wait()
	return watch.measure(a.logs), err
}

// measure is how fast something is.
type measure struct {
	took time.Duration
	rate float64 // logs a second
	cpu  float64 // CPU seconds of this process for a million logs
}

// watch is a stopwatch for what this process does.
type watch struct {
	began time.Time
	cpu   float64
}

func newWatch() watch { return watch{time.Now(), child.UsageOf(os.Getpid()).CPU} }

func (w watch) measure(logs uint64) measure {
	m := measure{took: time.Since(w.began)}
	m.rate, m.cpu = float64(logs)/m.took.Seconds(), (child.UsageOf(os.Getpid()).CPU-w.cpu)/float64(logs)*1e6
	return m
}

// reading is how fast a plain reader has the logs' bytes, over loopback.
func (b *bench) reading(ctx context.Context) (measure, error) {
	return b.limit(limitReading, func() (m measure, err error) {
		err = serve(ctx, b.full(), func(ctx context.Context, n *served) error {
			a := newAnswers(n.Node, n.o, int(n.o.Blocks/span))
			for range pick(b, 3, 0) { // about as long as a backfill takes
				a.ranges, a.logs = append(a.ranges, a.ranges...), 2*a.logs
			}
			buffers := make([][]byte, workers())
			m, err = a.each(ctx, 1, func(ctx context.Context, worker int, r indexer.Range) error {
				if buffers[worker] == nil {
					buffers[worker] = make([]byte, 1<<20)
				}
				return discard(ctx, n.url, logsOf(r), buffers[worker])
			})
			return err
		})
		return m, err
	})
}

// against puts a limit beside a result, and compares their rates where something is
// wanted of that. A limit that cannot be measured is a note.
func against(r *report.Result, limit string, want float64) func(measure, error) {
	return func(m measure, err error) {
		if err != nil {
			r.Notes = append(r.Notes, err.Error())
			return
		}
		r.Figures = append(r.Figures, report.Figure{Name: limit, Value: m.rate, Unit: "logs/s", Limit: true},
			report.Figure{Name: limit + ", CPU-s per million logs", Value: m.cpu})
		if want > 0 {
			r.Ratios = append(r.Ratios, report.Ratio{What: "rate / " + limit, Value: r.Rate / m.rate, Want: want})
		}
	}
}

// fill takes a measure over into a result.
func (m measure) fill(r *report.Result) {
	r.Took, r.Rate = m.took, m.rate
	r.Figures = append(r.Figures, report.Figure{Name: "CPU-s per million logs", Value: m.cpu})
}

// laps runs a scenario several times, each time with its limits measured anew behind it:
// the machine may be half as fast again a minute later.
func (b *bench) laps(lap func() report.Result) report.Result {
	all := make([]report.Result, pick(b, 3, 1))
	for i := range all {
		clear(b.limits)
		if all[i] = lap(); len(all) > 1 {
			b.say("  lap %d: %s", i+1, report.Line(all[i]))
		}
	}
	return report.Middle(all)
}

// limit measures once a lap, and once a run for scenarios that have none.
func (b *bench) limit(name string, find func() (measure, error)) (measure, error) {
	if m, known := b.limits[name]; known {
		return m, nil
	}
	m, err := find()
	if err != nil {
		return m, fmt.Errorf("%s: %w", name, err)
	}
	b.limits[name] = m
	b.say("  limit: %s: %s logs/s", name, report.Figure{Value: m.rate})
	return m, nil
}

// logsOf is a request for a range's logs.
func logsOf(r indexer.Range) string {
	return fmt.Sprintf(`[{"jsonrpc":"2.0","id":1,"method":"eth_getLogs","params":[{"fromBlock":"0x%x","toBlock":"0x%x"}]}]`, r.From, r.To)
}

func discard(ctx context.Context, url, body string, buffer []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader([]byte(body)))
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, resp.Body, buffer)
	if err == nil && n != resp.ContentLength {
		err = fmt.Errorf("%d bytes of %d", n, resp.ContentLength)
	}
	return err
}

var errNoSIMD = errors.New("this CPU has not what simdjson-go needs (AVX2 and CLMUL)")

// simdjson is how fast simdjson-go reads the same answers from memory, into its
// tape and no further.
func (b *bench) simdjson(ctx context.Context, a *answers) (measure, error) {
	return b.limit(limitSimdjson, func() (measure, error) {
		if !simdjson.SupportedCPU() {
			return measure{}, errNoSIMD
		}
		texts := map[indexer.Range][]byte{}
		for _, r := range a.ranges {
			texts[r] = inMemory(a.node, []byte(logsOf(r)))
		}
		tapes := make([]*simdjson.ParsedJson, workers())
		return a.each(ctx, b.rounds(), func(_ context.Context, worker int, r indexer.Range) (err error) {
			tapes[worker], err = simdjson.Parse(texts[r], tapes[worker], simdjson.WithCopyStrings(false))
			return err
		})
	})
}

// ethclient is how fast go-ethereum's client makes logs of the same answers.
func (b *bench) ethclient(ctx context.Context, a *answers) (measure, error) {
	return b.limit(limitEthclient, func() (measure, error) {
		client, err := rpc.DialOptions(ctx, "http://in.memory", rpc.WithHTTPClient(&http.Client{Transport: &inside{node: a.node}}))
		if err != nil {
			return measure{}, err
		}
		defer client.Close()
		eth := ethclient.NewClient(client)
		few := &answers{node: a.node, ranges: a.ranges[:max(1, len(a.ranges)/4)], logs: a.logs / uint64(len(a.ranges)) * uint64(max(1, len(a.ranges)/4))}
		return few.each(ctx, 1, func(ctx context.Context, _ int, r indexer.Range) error {
			_, err := eth.FilterLogs(ctx, ethereum.FilterQuery{FromBlock: new(big.Int).SetUint64(r.From), ToBlock: new(big.Int).SetUint64(r.To)})
			return err
		})
	})
}

// rounds is how often the answers in memory are read.
func (b *bench) rounds() int { return pick(b, 5, 1) }
