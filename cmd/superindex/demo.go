package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"
	"golang.org/x/term"

	"superindex/indexer"
	"superindex/internal/devchain"
	"superindex/internal/oracle"
)

// The demo's pace: an OP Stack chain makes a block every second or two; a reorg
// every quarter of a minute is a bad day.
const (
	demoNetwork = "devchain"
	demoBlock   = time.Second
	demoReorg   = 15 * time.Second
	demoActs    = 6
	demoDepth   = 6
)

func newDemo() *cobra.Command {
	var during time.Duration
	var dir string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "A local OP Stack dev chain, embedded NATS and ClickHouse, live rows; no account, no server",
		Args:  exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), os.Stdout, during, dir)
		},
	}
	cmd.Flags().DurationVar(&during, "for", 0, "end after so long, with exit code 0 only if warehouse, stream and chain are equal; 0 goes on until Ctrl-C")
	cmd.Flags().StringVar(&dir, "dir", "", "the data folder; by default a temporary one, removed at the end")
	return cmd
}

// demo runs a chain and the daemon on it, shows what happens, and at the end
// compares what users would read with the chain.
func demo(ctx context.Context, w io.Writer, during time.Duration, dir string) (err error) {
	if dir == "" {
		if dir, err = os.MkdirTemp("", "superindex-demo-"); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	dev, err := devchain.Start(ctx, devchain.Options{})
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	defer dev.Close()
	c, err := demoConfig(dir, dev)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(dir, "superindex.yaml"), []byte("data_dir: "+c.DataDir+"\n"), 0o600); err != nil {
		return fmt.Errorf("demo: %w", err)
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
	stage := &stage{daemon: d, dev: dev, out: w, dir: dir, terminal: term.IsTerminal(int(os.Stdout.Fd())), during: during}
	return errors.Join(stage.play(ctx), d.Close())
}

// demoConfig is a config like any other: the dev chain is its only network, and
// its contracts stand in an oss-directory of their own.
func demoConfig(dir string, dev *devchain.Chain) (config, error) {
	c := defaults()
	c.DataDir = filepath.Join(dir, "data")
	c.Registry.OSSDirectory = filepath.Join(dir, "oss-directory")
	c.Networks = map[string]networkConfig{demoNetwork: {
		ChainID: dev.ChainID(), RPC: []endpoint{{"anvil", dev.URL()}}, Start: start{indexer.Start{Number: 1, Absolute: true}},
	}}
	c.Sinks.NATS.Listen, c.HTTP.Listen = "127.0.0.1:0", "127.0.0.1:0"
	return c, writeDirectory(c.Registry.OSSDirectory, dev.Contracts())
}

// writeDirectory makes an oss-directory with one project a listed contract.
func writeDirectory(dir string, contracts []devchain.Contract) error {
	for _, c := range contracts {
		if !c.Listed {
			continue
		}
		folder := filepath.Join(dir, "data", "projects", c.Name[:1])
		if err := os.MkdirAll(folder, 0o755); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
		project := fmt.Sprintf("version: 7\nname: %s\ndisplay_name: %s\nblockchain:\n  - address: %q\n    networks: [any_evm]\n    tags: [contract]\n",
			c.Name, c.Name, c.Address)
		if err := os.WriteFile(filepath.Join(folder, c.Name+".yaml"), []byte(project), 0o600); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	return nil
}

// stage is a demo under way.
type stage struct {
	*daemon
	dev      *devchain.Chain
	out      io.Writer
	dir      string
	terminal bool
	during   time.Duration
	reads    oracle.Reads
}

// configFile is enough of a config for `superindex query` beside the demo.
func (s *stage) configFile() string { return filepath.Join(s.dir, "superindex.yaml") }

// play lets chain, daemon, screen and the reader that never sleeps run side by
// side, then lets the chain stand still and compares.
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
	acts.Go(func() error {
		defer end()
		pace := devchain.Pace{Block: demoBlock, Acts: demoActs, Reorg: demoReorg, MaxDepth: demoDepth, Log: s.log}
		return s.dev.Run(show, rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0)), pace)
	})
	acts.Go(func() error {
		defer end()
		return s.watch(show)
	})
	acts.Go(func() error {
		defer end()
		return s.screen(show)
	})
	err := acts.Wait()
	if err == nil && s.during > 0 && ctx.Err() == nil {
		err = s.verdict(ctx)
	}
	stop()
	return errors.Join(err, daemon.Wait())
}
