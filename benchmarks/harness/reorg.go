package harness

import (
	"context"
	"fmt"
	"time"

	"superindex/benchmarks/report"
)

// reorganise takes back 1,000 blocks of a short chain, and of one five times as
// long: what that costs should be a matter of depth.
func reorganise(ctx context.Context, b *bench) (results []report.Result, err error) {
	for _, blocks := range []uint64{pick[uint64](b, 2000, 150), pick[uint64](b, 10_000, 400)} {
		r, err := b.reorg(ctx, blocks, pick[uint64](b, 1000, 50))
		if err != nil {
			r.Fault = err.Error()
		}
		results = append(results, r)
	}
	if short, long := results[0].Took, results[1].Took; short > 0 && long > 0 {
		results[1].Figures = append(results[1].Figures, report.Figure{Name: "time / that of the short chain", Value: float64(long) / float64(short)})
	}
	return results, nil
}

// reorgLogs is how many logs a block has that goes away.
const reorgLogs = 20

func (b *bench) reorg(ctx context.Context, blocks, depth uint64) (r report.Result, err error) {
	o := b.full()
	o.Blocks, o.Logs, o.Transactions, o.SafeLag, o.FinalLag = blocks, reorgLogs, 4, depth, depth+100
	r = report.Result{Scenario: fmt.Sprintf("reorg-%d", blocks), Set: describe(o)}
	err = serve(ctx, o, func(ctx context.Context, n *served) error {
		dir, err := b.folder(r.Scenario)
		if err != nil {
			return err
		}
		c := config{dir: dir, clickhouse: true, nats: true, networks: []*served{n}, profiles: b.Profiles != ""}
		if c.directory, err = n.directory(dir); err != nil {
			return err
		}
		return b.daemon(ctx, dir, c.String(), func(ctx context.Context, d *daemon) error { return b.undo(ctx, d, n, depth, &r) })
	})
	return r, err
}

// undo reorganises once all is there, and measures from the first answer that
// shows the fork until the stores hold the other one.
func (b *bench) undo(ctx context.Context, d *daemon, n *served, depth uint64, r *report.Result) error {
	nodes := []*served{n}
	if err := d.until(ctx, caughtUp(nodes)); err != nil {
		return fmt.Errorf("the beginning: %w", err)
	}
	own, engine := d.usage()
	stop := b.profile(ctx, d, r.Scenario)
	asked := n.Counters().Requests
	began := time.Now()
	n.Reorg(depth)
	for n.Counters().Requests == asked && ctx.Err() == nil {
		if err := pause(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	shown := time.Now()
	if err := d.until(ctx, caughtUp(nodes)); err != nil {
		return fmt.Errorf("the other fork: %w", err)
	}
	r.Took = time.Since(shown)
	ownNow, engineNow := d.usage()
	stop()
	r.Daemon, r.Engine, r.Requests = since(own, ownNow), since(engine, engineNow), n.Counters().Requests-asked
	r.Figures = append(r.Figures,
		report.Figure{Name: "blocks taken back", Value: float64(depth)},
		report.Figure{Name: "rows taken back", Value: float64(depth * reorgLogs)},
		report.Figure{Name: "since the reorg itself", Value: time.Since(began).Seconds(), Unit: "s"})
	r.Ratios = append(r.Ratios, report.Ratio{What: "undone and redone, in s", Value: r.Took.Seconds(), Want: 2, Most: true})
	return b.prove(ctx, d, n, load{clickhouse: true}, r)
}

// pause waits, or for the end of ctx.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
