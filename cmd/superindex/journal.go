package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"

	"github.com/dustin/go-humanize"
	"github.com/spf13/cobra"

	"superindex/chain"
	"superindex/indexer"
	"superindex/reorg"
)

func newJournal() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "journal",
		Short: "The exact steps that every sink is given, and the operator's two levers; for a daemon that is stopped",
		Args:  exactly(0),
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newJournalStat(), newJournalDump(), newJournalRewind(), newJournalAdopt())
	return cmd
}

// openJournal opens the journal alone, which must exist.
func openJournal(cmd *cobra.Command) (*reorg.Journal, error) {
	c, err := configOf(cmd)
	if err != nil {
		return nil, err
	}
	dir := filepath.Join(c.DataDir, "journal")
	if _, err := os.Stat(dir); err != nil {
		return nil, chain.Fatal(fmt.Errorf("there is no journal: %w", err), "give the --config of the daemon; its first `superindex run` makes the journal")
	}
	return reorg.Open(dir, c.journal(nil))
}

func newJournalStat() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "stat",
		Short:   "Where every stream is",
		Example: "  superindex journal stat --json | jq .last",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			j, err := openJournal(cmd)
			if err != nil {
				return err
			}
			for _, name := range j.Streams() {
				st, statErr := j.Stat(name)
				err = errors.Join(err, statErr, printStat(cmd.OutOrStdout(), j.ID(), st, asJSON))
			}
			return errors.Join(err, j.Close())
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

// streamStat is where a stream is, as JSON.
type streamStat struct {
	Journal   string         `json:"journal"`
	Stream    string         `json:"stream"`
	ChainID   uint64         `json:"chain_id"`
	Head      chain.Seq      `json:"head"`
	TrimmedTo chain.Seq      `json:"trimmed_to"`
	Bytes     uint64         `json:"bytes"`
	Quota     uint64         `json:"quota_bytes"`
	Start     uint64         `json:"start"`
	Last      chain.BlockRef `json:"last"`
	Safe      chain.BlockRef `json:"safe"`
	Final     chain.BlockRef `json:"finalized"`
	Window    int            `json:"window_blocks"`
	Watch     string         `json:"watch_set"`
	Owed      int            `json:"owed"`
}

func printStat(w io.Writer, id chain.JournalID, st reorg.Stat, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(streamStat{
			id.String(), st.Stream.Name, st.Stream.ChainID, st.Head, st.Cut, st.Bytes, st.Quota,
			st.Start, st.Last, st.Safe, st.Final, st.Window, st.Watch.String(), len(st.Owed),
		})
	}
	_, err := fmt.Fprintf(w, "%s (chain id %d), journal %s\n  steps     after %d to %d, %s of %s\n  blocks    from %d to %v, safe %v, finalized %v, %d may still be reverted\n  watch set %s, history owed to %d groups of addresses\n",
		st.Stream.Name, st.Stream.ChainID, id, st.Cut, st.Head, humanize.IBytes(st.Bytes), humanize.IBytes(st.Quota),
		st.Start, st.Last, st.Safe, st.Final, st.Window-1, st.Watch, len(st.Owed))
	return err
}

func newJournalRewind() *cobra.Command {
	var network string
	var to uint64
	cmd := &cobra.Command{
		Use:     "rewind --network N --to BLOCK",
		Short:   "Remove everything above a block, finalized or not, and read it again",
		Example: "  superindex journal rewind --network optimism --to 105235063",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withNetwork(cmd, network, func(d *daemon, net indexer.Network) error {
				ref, err := indexer.Rewind(cmd.Context(), net, d.journal, to)
				if err == nil {
					fmt.Fprintf(cmd.OutOrStdout(), "%s goes on from %v\n", network, ref)
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&network, "network", "", "which network")
	cmd.Flags().Uint64Var(&to, "to", 0, "the block to keep")
	required(cmd, "network", "to")
	return cmd
}

func newJournalAdopt() *cobra.Command {
	var network string
	cmd := &cobra.Command{
		Use:   "adopt --network N",
		Short: "Make journal and sinks fit again: begin anew at what all sinks hold for certain",
		Long: "Make journal and sinks fit again after one of them was lost, restored or swapped: the network begins anew\n" +
			"at the lowest finalized block that the sinks recorded, or at its start where one of them is empty.\n" +
			"Nothing is lost; what lies above is read again and written over. A rewind that no sink has taken is undone by it.",
		Example: "  superindex journal adopt --network optimism",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withNetwork(cmd, network, func(d *daemon, net indexer.Network) error {
				adopt := func() error { return indexer.Adopt(cmd.Context(), net, d.journal, d.sinks) }
				if net.Stream == indexer.Feeds {
					adopt = func() error { return indexer.AdoptFeeds(cmd.Context(), d.journal, d.sinks) }
				}
				before, _ := d.journal.Stat(network) // one that has not begun stands nowhere
				if err := adopt(); err != nil {
					return err
				}
				st, err := d.journal.Stat(network)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s goes on from %v with step %d\n", network, st.Last, st.Head)
				if before.Head > 0 && before.Last.Number < st.Last.Number {
					fmt.Fprintf(cmd.OutOrStdout(), "the journal had gone back to %v, by a rewind that no sink had taken yet: that is undone; rewind again if it is still wanted\n", before.Last)
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&network, "network", "", "which network; feeds for what no chain carries")
	required(cmd, "network")
	return cmd
}

// withNetwork opens what a stopped daemon would run with, and finds the network.
func withNetwork(cmd *cobra.Command, name string, do func(*daemon, indexer.Network) error) error {
	c, err := configOf(cmd)
	if err != nil {
		return err
	}
	d, err := newDaemon(cmd.Context(), c, slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn})))
	if err != nil {
		return err
	}
	if name == indexer.Feeds.Name {
		return errors.Join(do(d, indexer.Network{Stream: indexer.Feeds}), d.Close())
	}
	at := slices.IndexFunc(d.selected().networks, func(n indexer.Network) bool { return n.Name == name })
	if at < 0 {
		return errors.Join(&usageError{fmt.Errorf("--network %q: the config has no such network", name)}, d.Close())
	}
	return errors.Join(do(d, d.selected().networks[at]), d.Close())
}
