// Command superindex follows the networks of the Superchain, decodes the logs of
// the contracts that oss-directory lists, and keeps a warehouse and a stream equal
// to the chain. This package holds flags, config, wiring and the HTTP server, and
// no logic; each command is one function, on one goroutine until indexer.Run.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	embedded "superindex/internal/embedded/clickhouse"
)

// Exit codes of the contract.
const (
	exitFault = 1
	exitUsage = 2
)

func main() {
	embedded.Child() // in a child process this is the engine, and does not return
	takeSlack()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	os.Exit(run(ctx, os.Args[1:]))
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string) int {
	defer collect()()
	root := newRoot() //nolint:contextcheck // cobra hands ctx to each command
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	switch usage := new(usageError); {
	case err == nil:
		return 0
	case errors.As(err, &usage):
		say(os.Stderr, err)
		return exitUsage
	default:
		say(os.Stderr, err)
		return exitFault
	}
}

// say writes an error, of which each line is one fault.
func say(w io.Writer, err error) {
	for line := range strings.SplitSeq(strings.TrimSpace(err.Error()), "\n") {
		fmt.Fprintf(w, "superindex: %s\n", line)
	}
}

// usageError is a command line that cannot be.
type usageError struct{ error }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:     "superindex",
		Version: version(),
		Short:   "An indexer for the Superchain: every event of the contracts that oss-directory lists, exact through reorgs",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return &usageError{fmt.Errorf("no command %q; `superindex --help` lists them", args[0])}
			}
			return nil
		},
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return &usageError{fmt.Errorf("%w; `%s --help` says how", err, cmd.CommandPath())}
	})
	root.PersistentFlags().String("config", "superindex.yaml", "the config file")
	root.AddCommand(newRun(), newDemo(), newCheck(), newStatus(), newQuery(), newRegistry(), newJournal(), newPoll(), newBackfill(), newBench(), newVersion())
	return root
}

// required makes a command refuse to run without these flags.
func required(cmd *cobra.Command, flags ...string) {
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range flags {
			if !cmd.Flag(name).Changed {
				return &usageError{fmt.Errorf("--%s is missing; `%s --help` says how", name, cmd.CommandPath())}
			}
		}
		return nil
	}
}

// exactly takes n arguments.
func exactly(n int) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if err := cobra.ExactArgs(n)(cmd, args); err != nil {
			return &usageError{fmt.Errorf("%w; `%s --help` says how", err, cmd.CommandPath())}
		}
		return nil
	}
}
