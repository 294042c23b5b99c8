package clickhouse

import (
	"context"
	"fmt"
	"reflect"

	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"superindex/chain"
)

// An INSERT is cut after the step that reaches one of these. A step is smaller
// by far than what the server would split.
const (
	maxRows  = 50_000
	maxBytes = 16 << 20
)

// rows are what the steps of one stream add, until they are sent: one INSERT a
// table.
type rows struct {
	blocks       blockRows
	events       eventRows
	observations observationRows
}

func (r *rows) apply(step *chain.Step) {
	r.blocks.add(step, step.Apply.Blocks)
	r.events.add(step, step.Apply.Events)
}

func (r *rows) full() bool {
	n := len(r.blocks.seq) + len(r.events.seq) + len(r.observations.seq)
	return n >= maxRows || r.events.size()+r.observations.size() >= maxBytes
}

func (r *rows) reset() {
	r.blocks.reset()
	r.events.reset()
	r.observations.reset()
}

// writeRows makes the tables hold the steps, in their order.
func (s *Sink) writeRows(ctx context.Context, steps []chain.Step) error {
	pending := s.rows.Get().(*rows)
	defer func() {
		pending.reset()
		s.rows.Put(pending)
	}()
	for i := range steps {
		if err := s.writeStep(ctx, pending, &steps[i]); err != nil {
			return err
		}
	}
	return s.send(ctx, pending)
}

// writeStep adds a step's rows to those pending. A Revert and a Fill read the
// tables, once they hold every step before.
func (s *Sink) writeStep(ctx context.Context, pending *rows, step *chain.Step) error {
	switch {
	case step.Apply != nil:
		pending.apply(step)
	case step.Rows != nil:
		pending.observations.add(step)
	default:
		if err := s.send(ctx, pending); err != nil {
			return err
		}
		if step.Revert != nil {
			return s.revert(ctx, step)
		}
		return s.fill(ctx, pending, step)
	}
	if pending.full() {
		return s.send(ctx, pending)
	}
	return nil
}

// send inserts what is pending. Blocks come before their events, so that an event
// always has its block.
func (s *Sink) send(ctx context.Context, pending *rows) error {
	defer pending.reset()
	for _, table := range []struct {
		name    string
		rows    int
		columns []string
		values  func() []any
	}{
		{"raw_blocks", len(pending.blocks.seq), blockColumns, pending.blocks.values},
		{"raw_events", len(pending.events.seq), eventColumns, pending.events.values},
		{"raw_rows", len(pending.observations.seq), observationColumns, pending.observations.values},
	} {
		if table.rows == 0 {
			continue
		}
		if err := s.insert(ctx, table.name, table.columns, table.values()); err != nil {
			return err
		}
	}
	return nil
}

// whole makes of one INSERT one part, which readers see at once or not at all,
// and of its acknowledgement a promise: it is written, not queued, and nothing
// is dropped as a repetition of what a Revert removed since.
func whole() clickhouse.Settings {
	return clickhouse.Settings{
		"async_insert":                0,
		"insert_deduplicate":          0,
		"max_insert_block_size":       16 << 20,
		"max_insert_threads":          1,
		"min_insert_block_size_bytes": 0,
		"min_insert_block_size_rows":  16 << 20,
		"optimize_on_insert":          0,
	}
}

// insert sends one block of rows, a slice a column.
func (s *Sink) insert(ctx context.Context, table string, columns []string, values []any) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(whole()))
	batch, err := s.conn.PrepareBatch(ctx, insertInto(table, columns))
	if err != nil {
		return s.fault("insert into "+table, err)
	}
	defer batch.Abort() //nolint:errcheck // nothing is left of it once it is closed
	for from, n := 0, reflect.ValueOf(values[0]).Len(); from < n; from += blockLength {
		for i, column := range values {
			if err := appendColumn(batch.Column(i), column, from, min(from+blockLength, n)); err != nil {
				return chain.Fatal(fmt.Errorf("clickhouse: insert into %s: column %s: %w", table, columns[i], err),
					"somebody altered the table: give the column back the type that docs/warehouse.md shows")
			}
		}
		if err := batch.Flush(); err != nil {
			return s.fault("insert into "+table, err)
		}
	}
	// Close ends the INSERT. Send would too, but it leaves a goroutine behind that may
	// close the connection when ctx ends, and it is another statement's by then
	// (ClickHouse/clickhouse-go#2032).
	if err := batch.Close(); err != nil {
		return s.fault("insert into "+table, err)
	}
	return nil
}

// An INSERT is sent in blocks of so many rows, so that the driver's buffers stay
// small; the server joins them.
const blockLength = 8192

// appendColumn appends a part of a slice. Lists go row by row, which spares the
// driver the reflection.
func appendColumn(to driver.BatchColumn, values any, from, end int) error {
	lists, ok := values.([][]string)
	if !ok {
		return to.Append(reflect.ValueOf(values).Slice(from, end).Interface())
	}
	for _, list := range lists[from:end] {
		if err := to.AppendRow(list); err != nil {
			return err
		}
	}
	return nil
}
