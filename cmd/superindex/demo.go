package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"superindex/internal/oracle"
	"superindex/registry"
)

func newDemo() *cobra.Command {
	var during time.Duration
	var dir string
	cmd := &cobra.Command{
		Use:     "demo",
		Example: "  superindex demo --for 60s",
		Short:   "Three local OP Stack dev chains, embedded NATS and ClickHouse, live rows; no account, no server",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), newScreen(os.Stdout), during, dir)
		},
	}
	cmd.Flags().DurationVar(&during, "for", 0, "end after so long, with exit code 0 only if warehouse, stream and chains are equal; 0 goes on until Ctrl-C")
	cmd.Flags().StringVar(&dir, "dir", "", "the data folder; by default a temporary one, removed at the end")
	return cmd
}

// demo runs chains and the daemon on them, shows what happens, and at the end
// compares what users would read with the chains.
func demo(ctx context.Context, out *screen, during time.Duration, dir string) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "superindex-demo-"); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		return fmt.Errorf("demo: %s holds the data of an earlier demo, whose chains are gone: remove it, or name another folder by --dir", dir)
	}
	chains, err := startChains(ctx, demoPlan[:])
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer chains.Close()
	c, err := demoConfig(dir, chains)
	if err != nil {
		return err
	}
	listener, err := demoListener(ctx, c.HTTP.Listen)
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer listener.Close() // a second time does no harm: the server closes it
	c.HTTP.Listen = listener.Addr().String()
	if err := writeDemoConfig(dir, c); err != nil {
		return err
	}
	logFile, err := os.Create(filepath.Join(dir, "superindex.log"))
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer logFile.Close()
	d, err := newDaemon(ctx, c, slog.New(slog.NewTextHandler(logFile, nil)))
	if err != nil {
		return err
	}
	d.listener = listener
	s := &stage{daemon: d, chains: chains, out: out, dir: dir, during: during, reads: make([]oracle.Reads, len(chains))}
	return errors.Join(s.play(ctx), d.Close())
}

// demoConfig is a config like any other: the chains are its only networks, and the
// bundled sample of oss-directory, which lists their contracts, its registry.
func demoConfig(dir string, chains demoChains) (config, error) {
	c := defaults()
	c.DataDir = filepath.Join(dir, "data")
	c.Registry.OSSDirectory = filepath.Join(dir, "oss-directory")
	c.Networks = map[string]networkConfig{}
	for _, ch := range chains {
		c.Networks[ch.name] = ch.config()
	}
	c.Sinks.NATS.Listen = "127.0.0.1:0"
	c.Poller = map[string]feedConfig{} // the sample names real accounts and packages: nothing is asked of their sources
	for _, s := range feedSources() {
		c.Poller[s.Name] = feedConfig{Enabled: new(bool)}
	}
	files, err := registry.SampleFiles()
	if err != nil {
		return c, fmt.Errorf("demo: %w", err)
	}
	if err := os.CopyFS(c.Registry.OSSDirectory, files); err != nil && !errors.Is(err, os.ErrExist) {
		return c, fmt.Errorf("demo: %w", err)
	}
	return c, nil
}

// demoListener listens where a daemon would, or, where that is taken, anywhere.
func demoListener(ctx context.Context, address string) (net.Listener, error) {
	var listen net.ListenConfig
	l, err := listen.Listen(ctx, "tcp", address)
	if err != nil {
		l, err = listen.Listen(ctx, "tcp", "127.0.0.1:0")
	}
	return l, err
}

// writeDemoConfig writes enough of a config for the commands beside the demo.
func writeDemoConfig(dir string, c config) error {
	text := fmt.Sprintf("data_dir: %q\nregistry: {oss_directory: %q}\nhttp: {listen: %q}\n", c.DataDir, c.Registry.OSSDirectory, c.HTTP.Listen)
	if err := os.WriteFile(filepath.Join(dir, "superindex.yaml"), []byte(text), 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	return nil
}

// stage is a demo under way.
type stage struct {
	*daemon
	chains demoChains
	out    *screen
	dir    string
	during time.Duration
	reads  []oracle.Reads // of each chain
}

// configFile is enough of a config for other commands beside the demo.
func (s *stage) configFile() string { return filepath.Join(s.dir, "superindex.yaml") }

// play lets chains, daemon, screen and the readers that never sleep run side by side,
// then lets the chains stand still and compares.
func (s *stage) play(ctx context.Context) error {
	show, end := context.WithCancel(ctx)
	if s.during > 0 {
		show, end = context.WithTimeout(ctx, s.during)
	}
	defer end()
	all, stop := context.WithCancel(ctx)
	defer stop()
	var daemon, acts errgroup.Group
	daemon.Go(func() error {
		defer end()
		return s.run(all)
	})
	side := func(act func(context.Context) error) {
		acts.Go(func() error {
			defer end()
			return act(show)
		})
	}
	for i, ch := range s.chains {
		side(func(ctx context.Context) error { return ch.live(ctx, s.log) })
		side(func(ctx context.Context) error { return s.watch(ctx, i) })
	}
	side(s.draw)
	err := acts.Wait()
	if err == nil && s.during > 0 && ctx.Err() == nil {
		err = s.verdict(ctx)
	}
	stop()
	err = errors.Join(err, daemon.Wait())
	if err == nil {
		err = s.next()
	}
	return err
}

// next prints what to try after the demo.
func (s *stage) next() error {
	_, err := io.WriteString(s.out.out, `
Next, beside a demo that runs in another terminal (bin/superindex demo --dir demo):
  bin/superindex status --watch --config demo/superindex.yaml
  bin/superindex query --config demo/superindex.yaml "SELECT network, event, count() FROM events GROUP BY ALL ORDER BY 3 DESC"
On real chains, over their public endpoints:
  bin/superindex registry find uniswap      who is watched, and why
  bin/superindex check --dry-run            what would be done, and what it would cost
  bin/superindex run                        every mainnet that oss-directory lists
`)
	return err
}
