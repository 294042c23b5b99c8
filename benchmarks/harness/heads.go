package harness

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"superindex/benchmarks/loadnode"
	"superindex/benchmarks/report"
	"superindex/internal/child"
)

// head is the chain of one followed network: a block of 100 logs a second.
func head(i int) loadnode.Options {
	o := loadnode.Defaults()
	o.ChainID = 900_001 + uint64(i)
	o.Blocks, o.Bodies, o.BlockTime, o.SafeLag, o.FinalLag, o.Live = 60, 8, time.Second, 10, 30, true
	o.Genesis = uint64(time.Now().Unix()) - o.Blocks
	return o
}

// heads follows many networks whose heads move, and measures how long it takes
// from the node's answer until the message is in the stream and the row can be
// read in the view. Then the heads stand still, and everything must be there.
func heads(ctx context.Context, b *bench) ([]report.Result, error) {
	var r report.Result
	dir, err := b.folder("heads")
	if err != nil {
		return nil, err
	}
	if err := b.files(ctx, dir, &r); err != nil {
		return nil, err
	}
	networks := b.Networks
	if networks == 0 {
		networks = pick(b, 34, 4)
	}
	var options []loadnode.Options
	for i := range networks {
		options = append(options, head(i))
	}
	r.Set = fmt.Sprintf("%d networks, each a block of %d logs a second", networks, options[0].Logs)
	err = serveAll(ctx, options, func(ctx context.Context, nodes []*served) error {
		c := config{dir: dir, clickhouse: true, nats: true, networks: nodes, profiles: b.Profiles != ""}
		var err error
		if c.directory, err = nodes[0].directory(dir); err != nil { // one seed: the others' contracts are the same
			return err
		}
		return b.daemon(ctx, dir, c.String(), func(ctx context.Context, d *daemon) error { return b.followHeads(ctx, d, nodes, &r) })
	})
	return []report.Result{r}, err
}

func (b *bench) followHeads(ctx context.Context, d *daemon, nodes []*served, r *report.Result) error {
	if err := d.until(ctx, caughtUp(nodes)); err != nil {
		return fmt.Errorf("the beginning: %w", err)
	}
	if err := pause(ctx, pick(b, settle, 0)); err != nil {
		return err
	}
	if err := b.whileTheyMove(ctx, d, nodes, r); err != nil {
		return err
	}
	if err := d.until(ctx, caughtUp(nodes)); err != nil {
		return fmt.Errorf("the end: %w", err)
	}
	for _, n := range nodes {
		r.Requests += n.Counters().Requests
	}
	var err error
	if r.Stages, err = d.stages(ctx); err != nil {
		return err
	}
	return b.proveAll(ctx, d, nodes, r)
}

// settle is between catching up and the first head: what the first took in memory goes
// back to the system, and ClickHouse has merged it.
const settle = 10 * time.Second

// caughtUp says that the daemon and its sinks have all that the nodes have.
func caughtUp(nodes []*served) func(map[string]child.State) bool {
	return func(all map[string]child.State) bool {
		return !slices.ContainsFunc(nodes, func(n *served) bool {
			s := all[n.network()]
			return s.Indexed != n.Head() || !s.Held(2)
		})
	}
}

// whileTheyMove measures the daemon while the heads move.
func (b *bench) whileTheyMove(ctx context.Context, d *daemon, nodes []*served, r *report.Result) error {
	span := b.Heads
	if span == 0 {
		span = pick(b, time.Minute, 5*time.Second)
	}
	live, still := context.WithCancel(ctx) // without a deadline: the driver would end a query a little before it
	defer still()
	times := &latencies{}
	stop, err := times.messages(ctx, d, nodes)
	if err != nil {
		return err
	}
	defer stop()
	blocks := uint64(0)
	for _, n := range nodes {
		blocks -= n.Head().Number
	}
	own, engine := d.usage()
	r.Figures = append(r.Figures, report.Figure{Name: "daemon's memory until then", Value: float64(own.Peak >> 20), Unit: "MiB"})
	d.Forget()
	began := time.Now()
	ended := b.profile(ctx, d, "heads")
	defer time.AfterFunc(span, still).Stop()
	var g sync.WaitGroup
	for i, n := range nodes { // not all in the same instant
		g.Go(func() { n.move(live, time.Duration(i)*n.o.BlockTime/time.Duration(len(nodes))) })
	}
	err = times.rows(live, d, nodes)
	g.Wait()
	ended()
	r.Took = time.Since(began)
	ownNow, engineNow := d.usage()
	r.Daemon, r.Engine = since(own, ownNow), since(engine, engineNow)
	for _, n := range nodes {
		blocks += n.Head().Number
	}
	r.Logs = blocks * uint64(nodes[0].o.Logs)
	r.Rate = float64(r.Logs) / r.Took.Seconds()
	times.judge(r)
	return err
}

// judge puts the latencies and what the daemon took beside what is wanted.
func (t *latencies) judge(r *report.Result) {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows, messages := quantiles("the row readable in the view", t.inView), quantiles("the message in the stream", t.inStream)
	r.Latency = []report.Latency{rows, quantiles("a query of the view that shows it", t.shown), messages, quantiles("the block's logs being asked for, since it came", t.asked)}
	share := r.Daemon.CPU / r.Took.Seconds()
	r.Figures = append(r.Figures, report.Figure{Name: "daemon, of one core", Value: 100 * share, Unit: "%"},
		report.Figure{Name: "ClickHouse, of one core", Value: 100 * r.Engine.CPU / r.Took.Seconds(), Unit: "%"})
	r.Ratios = append(r.Ratios,
		report.Ratio{What: "p99 of rows, in s", Value: rows.P99.Seconds(), Want: 0.25, Most: true},
		report.Ratio{What: "p99 of messages, in s", Value: messages.P99.Seconds(), Want: 0.25, Most: true},
		report.Ratio{What: "daemon's share of one core", Value: share, Want: 0.35, Most: true},
		report.Ratio{What: "daemon's memory / 300 MiB", Value: float64(r.Daemon.Peak) / (300 << 20), Want: 1, Most: true})
}

// move waits and then lets the head move until ctx ends.
func (n *served) move(ctx context.Context, wait time.Duration) {
	if pause(ctx, wait) == nil {
		n.Run(ctx)
	}
}

// proveAll compares every network with its node's ledger.
func (b *bench) proveAll(ctx context.Context, d *daemon, nodes []*served, r *report.Result) error {
	sum := report.Proof{}
	for _, n := range nodes {
		var one report.Result
		if err := b.prove(ctx, d, n, load{clickhouse: true, nats: true}, &one); err != nil {
			return err
		}
		p := one.Proof
		if !p.Holds() {
			r.Fault = fmt.Sprintf("%s: %d logs, digest %x; the ledger says %d, %x", n.network(), p.Got, p.GotDigest, p.Want, p.WantDigest)
		}
		sum.Want, sum.WantDigest = sum.Want+p.Want, sum.WantDigest+p.WantDigest
		sum.Got, sum.GotDigest = sum.Got+p.Got, sum.GotDigest+p.GotDigest
		sum.Decoded += p.Decoded / float64(len(nodes))
	}
	r.Proof = &sum
	return nil
}
