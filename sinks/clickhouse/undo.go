package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/ch-go/proto"
	"github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/ext"

	"superindex/chain"
)

// A row is removed by a copy of it that is deleted and has the higher version.
// Many are removed from the highest block down, in runs that are one INSERT and
// one part each: whoever reads between two of them sees the old fork, shorter.
const defaultRunBytes = 128 << 20 // of rows, before compression

// removable is a table whose rows can be removed.
type removable struct {
	table  string
	number string // its column of block numbers
	weight string // about how many bytes a row has in memory
}

var (
	events = removable{"raw_events", "block_number", "400 + length(args) + length(data)"}
	blocks = removable{"raw_blocks", "number", "250"}

	transactions = removable{"raw_transactions", "block_number", "600"}
)

// selection is the rows that a step removes: of one chain, in blocks from to to,
// of addresses unless there are none. What the step itself or a later one wrote
// is not among them, so that it can be repeated at any time.
type selection struct {
	removable
	step      *chain.Step
	from, to  uint64
	addresses []chain.Address
}

func (sel selection) where() string {
	where := fmt.Sprintf("chain_id = %d AND %s BETWEEN %d AND %d AND seq < %d AND NOT deleted",
		sel.step.Stream.ChainID, sel.number, sel.from, sel.to, sel.step.Seq)
	if len(sel.addresses) > 0 {
		where += " AND address IN " + addressTable
	}
	return where
}

// with is ctx with what a statement on the selection needs.
func (sel selection) with(ctx context.Context) (context.Context, error) {
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(wholeSettings()))
	if len(sel.addresses) == 0 {
		return ctx, nil
	}
	return withTexts(ctx, addressTable, func(yield func(string)) {
		for _, a := range sel.addresses {
			yield(a.String())
		}
	})
}

// Tables that are sent along with a statement. As text in it, so many addresses
// or hashes could exceed the server's limit for a query.
const (
	addressTable = "superindex_addresses"
	hashTable    = "superindex_hashes"
)

// withTexts is ctx with a table of one column of text.
func withTexts(ctx context.Context, name string, texts func(yield func(string))) (context.Context, error) {
	table, err := ext.NewTable(name, ext.Column("text", "String"))
	if err != nil {
		return nil, fmt.Errorf("clickhouse: table %s: %w", name, err)
	}
	texts(func(text string) {
		if err == nil {
			err = table.Append(text)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("clickhouse: table %s: %w", name, err)
	}
	return clickhouse.Context(ctx, clickhouse.WithExternalTable(table)), nil
}

// revert removes what lies above the step's block, and notes a reorg. What is in
// blocks goes before them.
func (s *Sink) revert(ctx context.Context, step *chain.Step) error {
	const highest = ^uint64(0)
	if step.Revert.To.Number < highest {
		for _, rows := range []removable{events, transactions, blocks} {
			if err := s.remove(ctx, selection{rows, step, step.Revert.To.Number + 1, highest, nil}); err != nil {
				return err
			}
		}
	}
	if step.Revert.Cause == chain.Begin {
		return nil
	}
	return s.noteReorg(ctx, step)
}

func (s *Sink) noteReorg(ctx context.Context, step *chain.Step) error {
	r := step.Revert
	return s.insertRows(
		ctx, "raw_reorgs",
		number("chain_id", step.Stream.ChainID),
		word1("network", step.Stream.Name),
		in("time", &seconds{proto.ColUInt32{uint32(r.Time)}}),
		number("from_number", r.From.Number),
		number("to_number", r.To.Number),
		number("depth", r.Depth()),
		number("seq", uint64(step.Seq)),
		number("digest", step.Digest),
	)
}

// remove removes the selection, run by run.
func (s *Sink) remove(ctx context.Context, sel selection) error {
	starts, err := s.runs(ctx, sel)
	if err != nil {
		return err
	}
	for _, start := range starts {
		run := sel
		run.from = start
		if err := s.removeRun(ctx, run); err != nil {
			return err
		}
		sel.to = start - 1
	}
	return nil
}

// runs are the first blocks of the runs, from the highest down.
func (s *Sink) runs(ctx context.Context, sel selection) (starts []uint64, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if ctx, err = sel.with(ctx); err != nil {
		return nil, err
	}
	found, err := s.conn.Query(ctx, fmt.Sprintf(`SELECT min(n) AS start
FROM (SELECT n, sum(bytes) OVER (ORDER BY n DESC) AS total
      FROM (SELECT %s AS n, sum(%s) AS bytes FROM %s FINAL WHERE %s GROUP BY n))
GROUP BY intDiv(total, %d)
ORDER BY start DESC`, sel.number, sel.weight, sel.table, sel.where(), s.runBytes))
	if err != nil {
		return nil, s.fault("read "+sel.table, err)
	}
	defer found.Close()
	for found.Next() {
		var start uint64
		if err := found.Scan(&start); err != nil {
			return nil, s.fault("read "+sel.table, err)
		}
		starts = append(starts, start)
	}
	if err := found.Err(); err != nil {
		return nil, s.fault("read "+sel.table, err)
	}
	return starts, nil
}

// removeRun is one INSERT. The inner SELECT is needed: beside "1 AS deleted", NOT
// deleted would mean that alias and select nothing.
func (s *Sink) removeRun(ctx context.Context, sel selection) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	ctx, err := sel.with(ctx)
	if err != nil {
		return err
	}
	err = s.conn.Exec(ctx, fmt.Sprintf(`INSERT INTO %s
SELECT * REPLACE (toUInt64(%d) AS seq, toUInt64(%d) AS digest, toUInt8(1) AS deleted)
FROM (SELECT * FROM %s FINAL WHERE %s)`, sel.table, sel.step.Seq, sel.step.Digest, sel.table, sel.where()))
	if err != nil {
		return s.fault("insert into "+sel.table, err)
	}
	return nil
}
