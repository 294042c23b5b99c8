package clickhouse

import (
	"context"
	"slices"
	"strconv"

	"github.com/ClickHouse/ch-go"
	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/chain"
)

// An INSERT is cut after the step that reaches this many rows: the server holds
// them in memory until it has made a part of them.
const maxRows = 200_000

// inserts are what steps add rows to, in the order in which they are written: blocks
// come before what is in them, so that an event always has its block.
type inserts []*table

func newInserts() any { return inserts{newBlocks(), newTransactions(), newEvents(), newObservations()} }

// whole makes of one INSERT one part a network, which readers see at once or not at all,
// and of its acknowledgement a promise: it is written, not queued, and nothing
// is dropped as a repetition of what a Revert removed since. Skip indexes are made
// when parts are merged: a new part is small enough to be read whole.
var whole = []ch.Setting{
	{Key: "async_insert", Value: "0", Important: true},
	{Key: "insert_deduplicate", Value: "0", Important: true},
	{Key: "max_insert_block_size", Value: "16777216", Important: true},
	{Key: "materialize_skip_indexes_on_insert", Value: "0", Important: true},
	{Key: "max_insert_threads", Value: "1", Important: true},
	{Key: "max_partitions_per_insert_block", Value: "0", Important: true},
	{Key: "min_insert_block_size_bytes", Value: "0", Important: true},
	{Key: "min_insert_block_size_rows", Value: "16777216", Important: true},
	{Key: "optimize_on_insert", Value: "0", Important: true},
}

// partOf is whole, but for the server making the part once it has so many rows, and not when
// the INSERT ends.
func partOf(rows int) []ch.Setting {
	settings := slices.Clone(whole)
	for i := range settings {
		if settings[i].Key == "min_insert_block_size_rows" {
			settings[i].Value = strconv.Itoa(rows)
		}
	}
	return settings
}

// wholeSettings are the same for a statement of the driver's upper layer.
func wholeSettings() clickhouse.Settings {
	settings := clickhouse.Settings{}
	for _, s := range whole {
		settings[s.Key] = s.Value
	}
	return settings
}

// writeRows makes the inserts hold the steps, in their order.
func (s *Sink) writeRows(ctx context.Context, steps []chain.Step) error {
	t := s.inserts.Get().(inserts)
	defer s.inserts.Put(t)
	for len(steps) > 0 {
		n := leading(steps)
		if err := s.writeRun(ctx, t, steps[:n]); err != nil {
			return err
		}
		steps = steps[n:]
	}
	return nil
}

// leading is how many of the steps are written together. A Revert and a Fill read the
// inserts, once they hold every step before.
func leading(steps []chain.Step) int {
	rows := 0
	for i := range steps {
		switch s := &steps[i]; {
		case s.Apply != nil:
			rows += len(s.Apply.Blocks) + len(s.Apply.Events) + len(s.Apply.Transactions)
		case s.Rows != nil:
			rows += len(s.Rows.Rows)
		default:
			return max(i, 1)
		}
		if rows >= maxRows {
			return i + 1
		}
	}
	return len(steps)
}

func (s *Sink) writeRun(ctx context.Context, t inserts, steps []chain.Step) error {
	switch {
	case steps[0].Revert != nil:
		return s.revert(ctx, &steps[0])
	case steps[0].Fill != nil:
		return s.fill(ctx, t, &steps[0])
	}
	return s.insertAll(ctx, t, steps)
}

func (s *Sink) insertAll(ctx context.Context, t inserts, steps []chain.Step) error {
	for _, table := range t {
		if err := s.insert(ctx, table, steps); err != nil {
			return err
		}
	}
	return nil
}
