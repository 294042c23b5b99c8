package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"superindex/chain"
	"superindex/reorg"
)

func newJournalDump() *cobra.Command {
	var network string
	var after uint64
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "dump --network N",
		Short:   "The steps that are kept, one a line",
		Example: "  superindex journal dump --network optimism --after 1888000000",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			j, err := openJournal(cmd)
			if err != nil {
				return err
			}
			return errors.Join(dump(cmd, j, network, chain.Seq(after), asJSON), j.Close())
		},
	}
	cmd.Flags().StringVar(&network, "network", "", "which stream")
	required(cmd, "network")
	cmd.Flags().Uint64Var(&after, "after", 0, "only steps with a higher Seq")
	cmd.Flags().BoolVar(&asJSON, "json", false, "whole steps as JSON")
	return cmd
}

// dumpBytes is how much of the journal is in memory at once.
const dumpBytes = 16 << 20

func dump(cmd *cobra.Command, j *reorg.Journal, network string, after chain.Seq, asJSON bool) error {
	st, err := j.Stat(network)
	switch {
	case errors.Is(err, reorg.ErrUnknown):
		return &usageError{fmt.Errorf("--network %q: the journal has %q", network, j.Streams())}
	case err != nil:
		return err
	}
	for after = max(after, st.Cut); after < st.Head; {
		steps, err := j.Next(cmd.Context(), network, after, dumpBytes)
		if err != nil {
			return err
		}
		for i := range steps {
			if err := printStep(cmd.OutOrStdout(), &steps[i], asJSON); err != nil {
				return err
			}
		}
		after = steps[len(steps)-1].Seq
	}
	return nil
}

func printStep(w io.Writer, s *chain.Step, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(w).Encode(dumpedStep(s))
	}
	var what string
	switch {
	case s.Apply != nil:
		what = fmt.Sprintf("apply   %v to %v, %d events, safe %v, finalized %v", s.Apply.Parent, s.Apply.Last, len(s.Apply.Events), s.Apply.Safe, s.Apply.Final)
	case s.Revert != nil:
		what = fmt.Sprintf("revert  to %v from %v, %v", s.Revert.To, s.Revert.From, s.Revert.Cause)
	case s.Fill != nil:
		what = fmt.Sprintf("fill    %d to %v, %d events of %d addresses", s.Fill.From, s.Fill.To, len(s.Fill.Events), len(s.Fill.Addresses))
	case s.Rows != nil:
		what = fmt.Sprintf("rows    %d of %s", len(s.Rows.Rows), s.Rows.Feed)
	}
	_, err := fmt.Fprintf(w, "%d  %s\n", s.Seq, what)
	return err
}

// What follows is a step as JSON: as it is, but bytes as 0x text, and what is JSON
// already as it stands.
type (
	shownStep struct {
		*chain.Step
		Apply *shownBatch `json:",omitempty"`
		Fill  *shownFill  `json:",omitempty"`
		Rows  *shownRows  `json:",omitempty"`

		Revert *chain.Revert `json:",omitempty"`
	}
	shownBatch struct {
		*chain.Batch
		Events       []shownEvent
		Transactions []shownTx
	}
	shownFill struct {
		*chain.Fill
		Events []shownEvent
	}
	shownEvent struct {
		*chain.Event
		Data hexText
		Args json.RawMessage `json:",omitempty"`
	}
	shownTx struct {
		*chain.Tx
		EffectiveGasPrice, L1Fee, Method hexText
	}
	shownRows struct {
		Feed string
		Rows []shownRow
	}
	shownRow struct {
		*chain.Row
		Body json.RawMessage
	}
	hexText []byte
)

// MarshalText is lower-case 0x text.
func (h hexText) MarshalText() ([]byte, error) { return chain.AppendHex(nil, h), nil }

func dumpedStep(s *chain.Step) shownStep {
	out := shownStep{Step: s, Revert: s.Revert}
	switch {
	case s.Apply != nil:
		out.Apply = &shownBatch{Batch: s.Apply, Events: dumpedEvents(s.Apply.Events)}
		for i := range s.Apply.Transactions {
			tx := &s.Apply.Transactions[i]
			out.Apply.Transactions = append(out.Apply.Transactions, shownTx{tx, tx.EffectiveGasPrice[:], tx.L1Fee[:], tx.Method[:]})
		}
	case s.Fill != nil:
		out.Fill = &shownFill{Fill: s.Fill, Events: dumpedEvents(s.Fill.Events)}
	case s.Rows != nil:
		out.Rows = &shownRows{Feed: s.Rows.Feed}
		for i := range s.Rows.Rows {
			out.Rows.Rows = append(out.Rows.Rows, shownRow{&s.Rows.Rows[i], s.Rows.Rows[i].Body})
		}
	}
	return out
}

func dumpedEvents(all []chain.Event) (shown []shownEvent) {
	for i := range all {
		shown = append(shown, shownEvent{&all[i], all[i].Data, all[i].Args})
	}
	return shown
}
