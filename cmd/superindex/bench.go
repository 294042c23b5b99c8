package main

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"superindex/benchmarks/harness"
	"superindex/benchmarks/loadnode"
	figures "superindex/benchmarks/report"
)

func newBench() *cobra.Command {
	var o harness.Options
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "bench [scenario...]",
		Short: "What this machine is capable of: every scenario, or those named, against a load node",
		Long:  "Measures superindex on this machine, scenario by scenario, against a load node.\nScenarios: " + strings.Join(harness.Names(), ", "),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Only = args
			return runBench(cmd, o, out, asJSON)
		},
	}
	f := cmd.Flags()
	f.BoolVar(&o.Quick, "quick", false, "small sizes, to see that it works")
	f.StringVar(&out, "out", "", "the folder that takes the results; none are written without it")
	f.BoolVar(&asJSON, "json", false, "the results as JSON")
	f.DurationVar(&o.Heads, "heads", 0, "how long heads are followed; 1m, or 5s with --quick")
	f.IntVar(&o.Networks, "networks", 0, "how many heads are followed; 34, or 4 with --quick")
	f.StringVar(&o.Directory, "oss-directory", "", "a tarball of the whole oss-directory, for the scenario of the start-up")
	f.StringVar(&o.Profiles, "profiles", "", "the folder that takes CPU and heap profiles")
	f.StringVar(&o.Dir, "dir", "", "the folder for the daemons' data; a temporary one without it")
	cmd.AddCommand(newLoadNode())
	return cmd
}

// runBench measures this very binary.
func runBench(cmd *cobra.Command, o harness.Options, out string, asJSON bool) (err error) {
	o.Progress = cmd.ErrOrStderr()
	if o.Binary, err = os.Executable(); err != nil {
		return fmt.Errorf("find this binary: %w", err)
	}
	if o.Dir == "" {
		if o.Dir, err = os.MkdirTemp("", "superindex-bench-"); err != nil {
			return fmt.Errorf("make a folder for the data: %w", err)
		}
		defer os.Remove(o.Dir) // unless a fault's data lie in it
	}
	for _, dir := range []string{o.Profiles, out} {
		if dir == "" {
			continue
		}
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("make the folder for results: %w", err)
		}
	}
	if err := o.Check(); err != nil {
		return &usageError{err}
	}
	result, err := harness.Run(cmd.Context(), o)
	if err != nil {
		return err
	}
	result.Command = "superindex " + strings.Join(os.Args[1:], " ")
	result.Versions = append([]figures.Figure{{Name: "superindex", Text: version()}}, result.Versions...)
	if asJSON {
		if err := json.NewEncoder(cmd.OutOrStdout()).Encode(result); err != nil {
			return fmt.Errorf("write the results: %w", err)
		}
	}
	if out == "" {
		return nil
	}
	paths, err := figures.Write(out, &result)
	for _, path := range paths {
		fmt.Fprintf(cmd.ErrOrStderr(), "written: %s\n", path)
	}
	return err
}

func newLoadNode() *cobra.Command {
	o := loadnode.Defaults()
	var listen string
	cmd := &cobra.Command{
		Use:   "loadnode",
		Short: "A node with a made-up chain, as fast as the machine: point any indexer at it",
		Args:  exactly(0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return runLoadNode(cmd, o, listen) },
	}
	f := cmd.Flags()
	f.StringVar(&listen, "listen", "127.0.0.1:8545", "where it answers, over HTTP and WebSocket")
	f.Uint64Var(&o.Seed, "seed", o.Seed, "another seed is another chain")
	f.Uint64Var(&o.ChainID, "chain-id", o.ChainID, "the chain's id")
	f.Uint64Var(&o.Genesis, "genesis", o.Genesis, "time of block 0, seconds since 1970")
	f.Uint64Var(&o.Blocks, "blocks", o.Blocks, "full blocks at first")
	f.IntVar(&o.Transactions, "txs", o.Transactions, "transactions in a block")
	f.IntVar(&o.Logs, "logs", o.Logs, "logs in a block")
	f.IntVar(&o.Data, "data", o.Data, "bytes of data in a log; 0 is a mix of common events")
	f.IntVar(&o.Bodies, "bodies", o.Bodies, "how many different blocks there are")
	f.DurationVar(&o.BlockTime, "block-time", o.BlockTime, "between two blocks")
	f.BoolVar(&o.Live, "live", o.Live, "the head moves")
	f.IntVar(&o.Addresses, "addresses", o.Addresses, "contracts that are watched")
	f.Float64Var(&o.Zipf, "zipf", o.Zipf, "how unequal contracts are, above 1")
	f.Float64Var(&o.Share, "share", o.Share, "of the logs that come from watched contracts, 0 to 1")
	f.Uint64Var(&o.SafeLag, "safe-lag", o.SafeLag, "blocks between the head and safe")
	f.Uint64Var(&o.FinalLag, "final-lag", o.FinalLag, "blocks between the head and finalized")
	f.Uint64Var(&o.ReorgEvery, "reorg-every", o.ReorgEvery, "new heads between two reorgs; 0 is none")
	f.Uint64Var(&o.ReorgDepth, "reorg-depth", o.ReorgDepth, "blocks that a reorg removes")
	f.DurationVar(&o.Latency, "latency", o.Latency, "before each answer")
	f.Float64Var(&o.Rate, "rate", o.Rate, "requests a second, above which they are refused; 0 is no limit")
	f.BoolVar(&o.RateItems, "rate-items", o.RateItems, "refuse items of a batch (-32016) in place of requests (HTTP 429)")
	f.IntVar(&o.MaxLogs, "max-logs", o.MaxLogs, "most logs in one answer; 0 is no limit")
	f.Uint64Var(&o.MaxBlocks, "max-blocks", o.MaxBlocks, "most blocks in one range; 0 is no limit")
	f.BoolVar(&o.Gzip, "gzip", o.Gzip, "pack answers for those who accept it")
	return cmd
}

// runLoadNode serves until the command is told to stop.
func runLoadNode(cmd *cobra.Command, o loadnode.Options, listen string) error {
	n, err := loadnode.New(o)
	if err != nil {
		return &usageError{err}
	}
	l, err := new(net.ListenConfig).Listen(cmd.Context(), "tcp", listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	url := "http://" + l.Addr().String()
	ledger := n.Ledger(0, o.Blocks)
	fmt.Fprintf(cmd.OutOrStdout(), `chain %d at %s and ws://%s: blocks 0 to %d, %d logs of watched contracts
what it expects of an indexer: %s/ledger?from=0&to=%d; what it was asked: %s/counters; whom to watch: %s/watched
for superindex:
  registry: {oss_directory: "%s/oss-directory.tar.gz"}
  networks: {loadnode: {chain_id: %d, start: 1, rpc: [{name: loadnode, url: "%s"}]}}
and then, of its warehouse:
%s
`, o.ChainID, url, l.Addr(), o.Blocks, ledger.Logs, url, o.Blocks, url, url, url, o.ChainID, url, ledger.Query("events", o.ChainID))
	g, ctx := errgroup.WithContext(cmd.Context())
	g.Go(func() error { return loadnode.Serve(ctx, l, n) })
	g.Go(func() error { n.Run(ctx); return nil })
	return g.Wait()
}
