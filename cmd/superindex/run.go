package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/indexer/pool"
	"superindex/poller"
	"superindex/registry"
)

func newRun() *cobra.Command {
	return &cobra.Command{
		Use:     "run",
		Example: "  superindex run --config /etc/superindex.yaml",
		Short:   "The daemon",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := configOf(cmd)
			if err != nil {
				return err
			}
			screen := newScreen(os.Stderr)
			d, err := newDaemon(cmd.Context(), c, newLog(c.Log, screen))
			if err != nil {
				return stopped(cmd.Context(), err)
			}
			d.screen = screen
			return errors.Join(d.run(cmd.Context()), d.Close())
		},
	}
}

// stopped is nil where err only says that the start was told to stop.
func stopped(ctx context.Context, err error) error {
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return nil
	}
	return err
}

func configOf(cmd *cobra.Command) (config, error) {
	flag := cmd.Flag("config")
	return loadConfig(flag.Value.String(), flag.Changed)
}

// daemon is the wiring of `run`, of `demo` and of the commands that open a journal.
type daemon struct {
	*parts
	config   config
	current  atomic.Pointer[selection]
	table    *decoder.Table
	rpc      *ethrpc.Metrics
	payloads *poller.Payloads
	polled   *poller.Metrics
	status   *indexer.Status
	metrics  *prometheus.Registry
	screen   *screen      // where progress is drawn; nil: it is logged
	listener net.Listener // of HTTP; nil: config.HTTP.Listen is opened
	log      *slog.Logger
}

// newDaemon reads the registry and opens the parts, side by side: each takes half a
// second. It starts nothing that indexes; the caller closes it.
func newDaemon(ctx context.Context, c config, log *slog.Logger) (*daemon, error) {
	d := &daemon{config: c, status: indexer.NewStatus(), metrics: prometheus.NewRegistry(), log: log}
	d.rpc, d.polled = ethrpc.NewMetrics(d.metrics, d.status), poller.NewMetrics(d.metrics)
	g, both := errgroup.WithContext(ctx)
	var snapshot *registry.Snapshot
	g.Go(func() (err error) { d.parts, err = openParts(both, c, d, log); return err })
	g.Go(func() (err error) { d.table, err = newDecoder(); return err })
	g.Go(func() (err error) { snapshot, err = loadSnapshot(both, c); return err })
	if err := g.Wait(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err := d.begin(snapshot); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// begin selects by the first snapshot.
func (d *daemon) begin(snapshot *registry.Snapshot) error {
	d.log.Info("registry", "source", snapshot.Source, "version", snapshot.Version(), "projects", len(snapshot.Projects),
		"malformed", len(snapshot.Malformed()), "note", snapshot.Note)
	first, err := d.choose(snapshot, nil)
	if err != nil {
		return err
	}
	d.current.Store(first)
	if err := d.openPayloads(); err != nil {
		return err
	}
	first.feeds, err = d.makeFeeds(snapshot)
	return err
}

// selected is what the newest snapshot that was taken over leads to.
func (d *daemon) selected() *selection { return d.current.Load() }

// owners names the projects that own an address.
func (d *daemon) owners(network string, a chain.Address) []string {
	return d.selected().owners(network, a)
}

// rowOwners names the projects that own what a feed's row is about.
func (d *daemon) rowOwners(feed string, row *chain.Row) []string {
	return d.selected().rowOwners(feed, row)
}

// run follows the chains and serves HTTP until ctx ends.
func (d *daemon) run(ctx context.Context) error {
	d.metrics.MustRegister(indexer.NewCollector(d.status, d.journal), pool.NewCollector(func() map[string]*pool.Pool { return d.selected().pools }), buildInfo(),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.serve(ctx) })
	g.Go(func() error { return d.progress(ctx) })
	g.Go(func() error { return d.follow(ctx) })
	return g.Wait()
}

func (d *daemon) engine(now *selection) indexer.Engine {
	return indexer.Engine{
		Journal: d.journal, Sinks: d.sinks, Networks: now.networks, Registry: now.directory(), Pollers: now.pollers(), Status: d.status, Log: d.log,
	}
}

// newLog writes text to a terminal and JSON elsewhere, unless told otherwise. Its
// level is one that check has let pass; an unknown one is info.
func newLog(c logConfig, w *screen) *slog.Logger {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Level)); err != nil {
		level = slog.LevelInfo
	}
	if c.Format == "text" || c.Format == "auto" && w.terminal {
		return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: level}))
	}
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: readable}))
}

// readable writes a duration as text writes it, 217ms, where JSON would have
// nanoseconds.
func readable(_ []string, a slog.Attr) slog.Attr {
	if a.Value.Kind() == slog.KindDuration {
		a.Value = slog.StringValue(a.Value.Duration().String())
	}
	return a
}
