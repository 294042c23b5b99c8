package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/indexer/pool"
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
				return err
			}
			d.screen = screen
			return errors.Join(d.run(cmd.Context()), d.Close())
		},
	}
}

func configOf(cmd *cobra.Command) (config, error) {
	flag := cmd.Flag("config")
	return loadConfig(flag.Value.String(), flag.Changed)
}

// daemon is the wiring of `run`, of `demo` and of the commands that open a journal.
type daemon struct {
	*parts
	config   config
	snapshot *registry.Snapshot
	networks []indexer.Network
	listed   map[string]string // a network's name -> its name in oss-directory
	pools    map[string]*pool.Pool
	feeds    []feed
	status   *indexer.Status
	metrics  *prometheus.Registry
	screen   *screen      // where progress is drawn; nil: it is logged
	listener net.Listener // of HTTP; nil: config.HTTP.Listen is opened
	log      *slog.Logger
}

// newDaemon reads the registry, then opens the parts. It starts nothing that
// indexes; the caller closes it.
func newDaemon(ctx context.Context, c config, log *slog.Logger) (*daemon, error) {
	d := &daemon{config: c, status: indexer.NewStatus(), metrics: prometheus.NewRegistry(), log: log}
	var err error
	if d.snapshot, err = loadSnapshot(ctx, c); err != nil {
		return nil, err
	}
	log.Info("registry", "source", d.snapshot.Source, "version", d.snapshot.Version(), "projects", len(d.snapshot.Projects),
		"malformed", len(d.snapshot.Malformed()), "note", d.snapshot.Note)
	table, err := newDecoder()
	if err != nil {
		return nil, err
	}
	if err := d.choose(table, ethrpc.NewMetrics(d.metrics, d.status)); err != nil {
		return nil, err
	}
	if d.parts, err = openParts(ctx, c, d.owners(), log); err != nil {
		return d, err
	}
	if err := d.openFeeds(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// choose makes the networks that the config and the snapshot say.
func (d *daemon) choose(table *decoder.Table, metrics *ethrpc.Metrics) error {
	all, err := networks(&d.config, d.snapshot, d.log)
	if err != nil {
		return err
	}
	d.listed, d.pools = map[string]string{}, map[string]*pool.Pool{}
	for _, one := range all {
		net, endpoints, err := one.network(d.snapshot, table, metrics, d.log)
		if err != nil {
			return err
		}
		d.networks = append(d.networks, net)
		d.listed[one.name], d.pools[one.name] = one.directory(), endpoints
	}
	return nil
}

// owners looks up the projects that own an address.
func (d *daemon) owners() func(string, chain.Address) []string {
	type owned interface {
		Owners(a chain.Address) []string
	}
	sets := map[string]owned{}
	for _, n := range d.networks {
		if set, ok := n.Watch.(owned); ok {
			sets[n.Name] = set
		}
	}
	return func(network string, a chain.Address) []string {
		if set := sets[network]; set != nil {
			return set.Owners(a)
		}
		return nil
	}
}

// run follows the chains and serves HTTP until ctx ends.
func (d *daemon) run(ctx context.Context) error {
	d.metrics.MustRegister(indexer.NewCollector(d.status, d.journal), pool.NewCollector(d.pools), buildInfo(),
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return d.serve(ctx) })
	g.Go(func() error { return d.progress(ctx) })
	g.Go(func() error { return d.watchEndpoints(ctx) })
	g.Go(func() error { return indexer.Run(ctx, d.engine()) })
	return g.Wait()
}

// directory is the registry's snapshot as rows, for the networks that run.
func (d *daemon) directory() indexer.Directory {
	var running []string
	for _, n := range d.networks {
		running = append(running, d.listed[n.Name])
	}
	return indexer.Directory{ID: d.snapshot.ID() + " " + strings.Join(running, " "), Rows: d.snapshot.Rows(running)}
}

func (d *daemon) engine() indexer.Engine {
	return indexer.Engine{
		Journal: d.journal, Sinks: d.sinks, Networks: d.networks, Registry: d.directory(), Pollers: d.pollers(), Status: d.status, Log: d.log,
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
