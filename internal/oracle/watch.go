package oracle

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"

	"superindex/chain"
)

// ContradictionError is what no view may show: rows of two forks, or a row twice.
type ContradictionError struct{ What string }

func (c *ContradictionError) Error() string { return c.What }

func contradiction(format string, args ...any) error {
	return &ContradictionError{fmt.Sprintf(format, args...)}
}

// Reads is what a Watch did.
type Reads struct {
	Good   int
	Failed int   // could not be made: the warehouse was away
	Last   error // why the last one failed
}

// failedPause is the least pause after a read that failed.
const failedPause = 20 * time.Millisecond

// Watch reads what the views show of a network, again and again with a pause
// between, until ctx ends. It returns a ContradictionError as soon as one answer shows
// two forks, or a row twice: every answer must lie on one line of parents. It
// remembers the parents of all blocks that it ever saw, so that rows of two forks
// are told apart also where their numbers differ. A warehouse that cannot be read
// is asked again: that Reads.Good is not 0 is for the caller to see.
//
// The views are not compared with one another: between a query of one and of the
// other the warehouse may move.
func Watch(ctx context.Context, conn driver.Conn, of chain.Stream, pause time.Duration) (r Reads, err error) {
	w := &watcher{conn: conn, of: of, parents: map[chain.Hash]chain.Hash{}}
	again := time.NewTimer(0)
	defer again.Stop()
	for {
		select {
		case <-ctx.Done():
			return r, nil
		case <-again.C:
		}
		err := w.look(ctx)
		var found *ContradictionError
		switch {
		case errors.As(err, &found):
			return r, fmt.Errorf("oracle: after %d reads of %s: %w", r.Good, of.Name, err)
		case ctx.Err() != nil:
			return r, nil
		case err != nil:
			r.Failed, r.Last = r.Failed+1, err
			again.Reset(max(pause, failedPause))
		default:
			r.Good++
			again.Reset(pause)
		}
	}
}

// watcher is one Watch under way.
type watcher struct {
	conn    driver.Conn
	of      chain.Stream
	parents map[chain.Hash]chain.Hash // of every block seen whose parent is known
}

// look reads both views. The events come first: their blocks' parents, which are
// written before them, are then known by the time they are judged.
func (w *watcher) look(ctx context.Context) error {
	events, err := w.refs(ctx, `
		SELECT block_number, block_hash, '', count() != uniqExact(log_index) FROM events
		WHERE chain_id = ? AND network = ? GROUP BY block_number, block_hash ORDER BY block_number DESC, block_hash`)
	if err != nil {
		return fmt.Errorf("events: %w", err)
	}
	blocks, err := w.refs(ctx, `
		SELECT number, hash, max(parent_hash), count() > 1 FROM blocks
		WHERE chain_id = ? AND network = ? GROUP BY number, hash ORDER BY number DESC, hash`)
	if err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	if err := w.oneLine(events); err != nil {
		return fmt.Errorf("events: %w", err)
	}
	if err := w.oneLine(blocks); err != nil {
		return fmt.Errorf("blocks: %w", err)
	}
	return nil
}

// refs are the blocks that a view shows, descending. It keeps their parents.
func (w *watcher) refs(ctx context.Context, query string) (refs []chain.BlockRef, err error) {
	rows, err := w.conn.Query(ctx, query, w.of.ChainID, w.of.Name)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var ref chain.BlockRef
		var hash, parent string
		var twice uint8
		if err := rows.Scan(&ref.Number, &hash, &parent, &twice); err != nil {
			return nil, err
		}
		if err := (text{hash, ref.Hash[:]}).parse(); err != nil {
			return nil, contradiction("block %d: %v", ref.Number, err)
		}
		if twice != 0 {
			return nil, contradiction("a row of block %v is there twice", ref)
		}
		if err := w.keep(ref, parent); err != nil {
			return nil, err
		}
		refs = append(refs, ref)
	}
	return refs, rows.Err()
}

func (w *watcher) keep(ref chain.BlockRef, parent string) error {
	if parent == "" { // not read
		return nil
	}
	var hash chain.Hash
	if err := (text{parent, hash[:]}).parse(); err != nil {
		return contradiction("parent of block %v: %v", ref, err)
	}
	w.parents[ref.Hash] = hash
	return nil
}

// oneLine checks that the blocks, descending, are ancestors of the first. Where a
// parent is not known, as of blocks below finalized, the line begins anew.
func (w *watcher) oneLine(refs []chain.BlockRef) error {
	var at chain.BlockRef // on the line
	for i, ref := range refs {
		if i == 0 {
			at = ref
		}
		for at.Number > ref.Number {
			parent, known := w.parents[at.Hash]
			if !known {
				at = ref
				break
			}
			at = chain.BlockRef{Number: at.Number - 1, Hash: parent}
		}
		if at.Hash != ref.Hash {
			return contradiction("two forks at one instant: block %v beside %v, whose line has %v", ref, refs[0], at)
		}
	}
	return nil
}
