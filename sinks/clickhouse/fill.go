package clickhouse

import (
	"context"
	"fmt"

	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/chain"
)

// fill writes a Fill's rows, removes the events in its range that they replace,
// and counts the range's watched logs again. A block that is there keeps what is
// known of it: a fill may have read no more than some of its logs.
func (s *Sink) fill(ctx context.Context, t inserts, step *chain.Step) error {
	held, err := s.heldBlocks(ctx, step)
	if err != nil {
		return err
	}
	f := step.Fill
	added := &chain.Batch{Events: f.Events}
	for _, b := range f.Blocks {
		if !held[b.Hash.String()] {
			added.Blocks = append(added.Blocks, b)
		}
	}
	if err := s.insertAll(ctx, t, []chain.Step{{Stream: step.Stream, Seq: step.Seq, Digest: step.Digest, Apply: added}}); err != nil {
		return err
	}
	if err := s.remove(ctx, selection{events, step, f.From, f.To.Number, f.Addresses}); err != nil {
		return err
	}
	return s.recount(ctx, selection{blocks, step, f.From, f.To.Number, nil})
}

// heldBlocks are those of the fill's blocks that are there, by hash.
func (s *Sink) heldBlocks(ctx context.Context, step *chain.Step) (held map[string]bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	f := step.Fill
	ctx, err = withTexts(ctx, hashTable, func(yield func(string)) {
		for _, b := range f.Blocks {
			yield(b.Hash.String())
		}
	})
	if err != nil {
		return nil, err
	}
	found, err := s.conn.Query(ctx, fmt.Sprintf(
		"SELECT hash FROM raw_blocks FINAL WHERE chain_id = %d AND number BETWEEN %d AND %d AND hash IN %s AND NOT deleted",
		step.Stream.ChainID, f.From, f.To.Number, hashTable))
	if err != nil {
		return nil, s.fault("read raw_blocks", err)
	}
	defer found.Close()
	held = map[string]bool{}
	for found.Next() {
		var hash string
		if err := found.Scan(&hash); err != nil {
			return nil, s.fault("read raw_blocks", err)
		}
		held[hash] = true
	}
	if err := found.Err(); err != nil {
		return nil, s.fault("read raw_blocks", err)
	}
	return held, nil
}

// recount writes those of the selected blocks again whose number of events is
// another now.
func (s *Sink) recount(ctx context.Context, sel selection) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	ctx = clickhouse.Context(ctx, clickhouse.WithSettings(wholeSettings()))
	err := s.conn.Exec(ctx, fmt.Sprintf(`INSERT INTO raw_blocks
SELECT b.* REPLACE (toUInt64(%d) AS seq, toUInt64(%d) AS digest, toUInt32(e.events) AS watched_log_count)
FROM (SELECT * FROM raw_blocks FINAL WHERE %s) AS b
LEFT JOIN (SELECT concat('0x', lower(hex(block_hash))) AS hash, count() AS events FROM raw_events FINAL
           WHERE chain_id = %d AND block_number BETWEEN %d AND %d AND NOT deleted
           GROUP BY block_hash) AS e ON e.hash = b.hash
WHERE b.watched_log_count != e.events
SETTINGS join_use_nulls = 0`,
		sel.step.Seq, sel.step.Digest, sel.where(), sel.step.Stream.ChainID, sel.from, sel.to))
	if err != nil {
		return s.fault("insert into raw_blocks", err)
	}
	return nil
}
