package harness

import (
	"context"
	"fmt"
	"time"

	"superindex/benchmarks/loadnode"
	"superindex/benchmarks/report"
	"superindex/internal/child"
)

// load is a backfill to measure.
type load struct {
	name             string
	node             loadnode.Options
	clickhouse, nats bool
	mode             string // "" is auto
	listed           bool   // the node answers once the sinks have the registry: what that costs is paid once
}

// full is the chain of the backfills: 1,000,000 logs, all of them watched.
func (b *bench) full() loadnode.Options {
	o := loadnode.Defaults()
	o.Blocks, o.Bodies = pick(b, o.Blocks, 300), pick(b, o.Bodies, 32)
	return o
}

func backfillNothing(ctx context.Context, b *bench) ([]report.Result, error) {
	return []report.Result{b.laps(func() report.Result {
		r := b.backfill(ctx, load{name: "backfill-nothing", node: b.full()}, nil)
		if r.Fault == "" {
			against(&r, limitReading, 0.25)(b.reading(ctx))
		}
		return r
	})}, nil
}

func backfillClickHouse(ctx context.Context, b *bench) ([]report.Result, error) {
	return []report.Result{b.laps(func() report.Result { return b.warehoused(ctx) })}, nil
}

// warehoused is a backfill into ClickHouse, compared with what its parts need.
func (b *bench) warehoused(ctx context.Context) report.Result {
	var kept rows
	r := b.backfill(ctx, load{name: "backfill-clickhouse", node: b.full(), clickhouse: true}, func(ctx context.Context, d *daemon) (err error) {
		kept, err = d.rows(ctx, pick(b, 6, 1))
		return err
	})
	if r.Fault != "" {
		return r
	}
	alone, err := b.clickhouseAlone(ctx, kept)
	against(&r, limitClickHouse, 0)(alone, err)
	against(&r, limitReading, 0.15)(b.reading(ctx))
	parse, err := b.parsing(ctx)
	if against(&r, limitParse, 0)(parse, err); err == nil {
		r.Ratios = append(r.Ratios, report.Ratio{What: "wall time / (our parse + ClickHouse alone)", Value: 1 / r.Rate / (1/parse.rate + 1/alone.rate), Want: 1.5, Most: true})
	}
	return r
}

func backfillJetStream(ctx context.Context, b *bench) ([]report.Result, error) {
	return b.streamed(ctx, load{name: "backfill-jetstream", node: b.full(), nats: true}, 0), nil
}

func backfillBoth(ctx context.Context, b *bench) ([]report.Result, error) {
	return b.streamed(ctx, load{name: "backfill-both", node: b.full(), clickhouse: true, nats: true}, 1.4), nil
}

// streamed is a backfill compared with JetStream alone: its time is at most so many
// times what that needs for the same messages.
func (b *bench) streamed(ctx context.Context, l load, most float64) []report.Result {
	var kept published
	r := b.backfill(ctx, l, func(ctx context.Context, d *daemon) (err error) {
		kept, err = d.published(ctx, pick(b, 20_000, 10_000))
		return err
	})
	if r.Fault != "" {
		return []report.Result{r}
	}
	alone, err := b.jetstreamAlone(ctx, kept)
	if against(&r, limitJetStream, 0)(alone, err); err == nil {
		r.Ratios = append(r.Ratios, report.Ratio{What: "wall time / JetStream alone", Value: alone.rate / r.Rate, Want: most, Most: true})
	}
	return []report.Result{r}
}

// sparse has four times the logs of the other backfills: few are watched, and one
// million would be over before it has begun. The directory of 25,000 contracts is
// published before.
func sparse(ctx context.Context, b *bench) ([]report.Result, error) {
	o := b.full()
	o.Blocks *= pick[uint64](b, 4, 1)
	o.Share, o.Addresses = 0.01, 25_000
	a, err := b.answered()
	if err != nil {
		return nil, err
	}
	return []report.Result{b.laps(func() report.Result {
		r := b.backfill(ctx, load{name: "sparse", node: o, clickhouse: true, nats: true, listed: true}, nil)
		if r.Fault == "" {
			against(&r, limitSimdjson, 0.7)(b.simdjson(ctx, a))
		}
		return r
	})}, nil
}

// receipts reads whole blocks and their receipts, and keeps the transactions too.
func receipts(ctx context.Context, b *bench) ([]report.Result, error) {
	o := b.full()
	o.Blocks = pick[uint64](b, 2000, 100)
	var kept uint64
	r := b.backfill(ctx, load{name: "receipts", node: o, clickhouse: true, mode: "receipts"}, func(ctx context.Context, d *daemon) (err error) {
		kept, err = d.transactions(ctx)
		return err
	})
	r.Figures = append(r.Figures, report.Figure{Name: "transactions in the view", Value: float64(kept)})
	if want := o.Blocks * uint64(o.Transactions); r.Fault == "" && kept != want {
		r.Fault = fmt.Sprintf("%d transactions in the view, the chain has %d", kept, want)
	}
	return []report.Result{r}, nil
}

// backfill runs a daemon from the chain's first block to its last, and measures it
// from its first request to the last row. With the daemon still there, then does
// what is to be done with its data.
func (b *bench) backfill(ctx context.Context, l load, then func(context.Context, *daemon) error) report.Result {
	r := report.Result{Scenario: l.name, Set: describe(l.node)}
	err := serve(ctx, l.node, func(ctx context.Context, n *served) error {
		dir, err := b.folder(l.name)
		if err != nil {
			return err
		}
		c := config{dir: dir, clickhouse: l.clickhouse, nats: l.nats, networks: []*served{n}, mode: l.mode, profiles: b.Profiles != ""}
		if c.directory, err = n.directory(dir); err != nil {
			return err
		}
		answer := n.hold(l.listed)
		defer answer()
		return b.daemon(ctx, dir, c.String(), func(ctx context.Context, d *daemon) error {
			if l.listed {
				if err := d.listed(ctx, l.nats); err != nil {
					return err
				}
				if err := pause(ctx, pick(b, rest, 0)); err != nil {
					return err
				}
			}
			answer()
			if err := b.follow(ctx, d, n, l, &r); err != nil {
				return err
			}
			if err := b.prove(ctx, d, n, l, &r); err != nil {
				return err
			}
			if then != nil {
				return then(ctx, d)
			}
			return nil
		})
	})
	if err != nil {
		r.Fault = err.Error()
	}
	return r
}

// rest is between the registry's loading and the first answer: 100,000 contracts take
// both cores for seconds, which is paid once. Without it, of two runs each, a log of 100,000
// contracts took 1.20 times what one of 100 did; with it 1.05.
const rest = 5 * time.Second

// follow waits for the last row and takes the measure.
func (b *bench) follow(ctx context.Context, d *daemon, n *served, l load, r *report.Result) error {
	if err := d.until(ctx, func(map[string]child.State) bool { return !n.First().IsZero() }); err != nil {
		return err
	}
	own, engine := d.usage()
	stop := b.profile(ctx, d, l.name)
	said := time.Now()
	err := d.until(ctx, func(all map[string]child.State) bool {
		s := all[n.network()]
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			b.say("  block %d of %d", s.Indexed.Number, n.o.Blocks)
		}
		return s.Indexed.Number >= n.o.Blocks && s.Held(count(l.clickhouse, l.nats))
	})
	r.Took = time.Since(n.First())
	ownNow, engineNow := d.usage()
	stop()
	if err != nil {
		return err
	}
	r.Logs = n.o.Blocks * uint64(n.o.Logs)
	r.Rate = float64(r.Logs) / r.Took.Seconds()
	r.Requests = n.Counters().Requests
	r.Daemon = since(own, ownNow)
	if l.clickhouse {
		r.Engine = since(engine, engineNow)
	}
	r.Stages, err = d.stages(ctx)
	return err
}

func count(all ...bool) (n int) {
	for _, yes := range all {
		if yes {
			n++
		}
	}
	return n
}

// describe says in words what a node serves.
func describe(o loadnode.Options) string {
	return fmt.Sprintf("seed %d: %d blocks of %d logs in %d transactions, %.0f %% of the logs of %d watched contracts (Zipf %.2f), %d bodies",
		o.Seed, o.Blocks, o.Logs, o.Transactions, 100*o.Share, o.Addresses, o.Zipf, o.Bodies)
}
