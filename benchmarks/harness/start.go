package harness

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"superindex/benchmarks/report"
	"superindex/internal/child"
)

// startUp starts a daemon on OP Mainnet with the whole oss-directory and measures
// how long it takes until the node is asked for something: with an empty folder,
// which includes the making of everything, and then again with what is there.
func startUp(ctx context.Context, b *bench) ([]report.Result, error) {
	if b.Directory == "" {
		return nil, errors.New("no oss-directory is given (--oss-directory TARBALL): nothing was measured")
	}
	if _, err := os.Stat(b.Directory); err != nil {
		return nil, err
	}
	o := b.full()
	o.Blocks, o.Bodies = 100, 8
	r := report.Result{Set: filepath.Base(b.Directory) + ", as network optimism"}
	err := serve(ctx, o, func(ctx context.Context, n *served) error {
		n.name = "optimism"
		dir, err := b.folder("start-up")
		if err != nil {
			return err
		}
		c := config{dir: dir, directory: b.Directory, clickhouse: true, nats: true, networks: []*served{n}, start: "finalized"}
		if err := b.starts(ctx, n, dir, c, &r); err != nil {
			return err
		}
		r.Ratios = []report.Ratio{{What: "start to first request, in s", Value: r.Took.Seconds(), Want: 1.5, Most: true}}
		return nil
	})
	return []report.Result{r}, err
}

// starts starts the daemon some times; the result is the median of those after the
// first.
func (b *bench) starts(ctx context.Context, n *served, dir string, c config, r *report.Result) error {
	var took []time.Duration
	for range pick(b, 6, 2) {
		err := b.daemon(ctx, dir, c.String(), func(ctx context.Context, d *daemon) error {
			asked := n.Counters().Requests
			for n.Counters().Requests == asked {
				if err := errors.Join(pause(ctx, time.Millisecond), d.alive()); err != nil {
					return err
				}
			}
			took = append(took, time.Since(d.began))
			own, engine := d.usage()
			r.Daemon, r.Engine = &own, &engine
			return d.until(ctx, func(all map[string]child.State) bool { s := all[n.network()]; return s.Held(2) && s.Head > 0 })
		})
		if err != nil {
			return err
		}
	}
	r.Figures = append(r.Figures, report.Figure{Name: "with an empty folder", Value: took[0].Seconds(), Unit: "s"})
	again := took[1:]
	slices.Sort(again)
	r.Took = again[len(again)/2]
	r.Latency = append(r.Latency, quantiles("start to first request", again))
	return nil
}
