package clickhouse

import (
	"context"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"

	"superindex/chain"
)

// state is a row of the table positions: the position of a stream and the heads
// of its chain at that step.
type state struct {
	chain.Position
	head, safe chain.BlockRef
	assumed    bool
}

// after is the state once the steps are held. Those that are held already change
// nothing.
func (st state) after(steps []chain.Step) state {
	for i := range steps {
		step := &steps[i]
		if step.Seq <= st.Seq {
			continue
		}
		st.Journal, st.Seq, st.Digest = step.Journal, step.Seq, step.Digest
		switch {
		case step.Apply != nil:
			a := step.Apply
			st.head, st.safe, st.Final, st.assumed, st.Watch = a.Last, a.Safe, a.Final, a.Assumed, a.Watch
		case step.Revert != nil:
			st.revert(step.Revert)
		}
	}
	return st
}

// revert takes the heads down with the chain: what lies above the block is no
// longer held, whatever it was called. A journal begins at a block that it knows
// to be final.
func (st *state) revert(r *chain.Revert) {
	st.head, st.safe, st.Final = r.To, lower(st.safe, r.To), lower(st.Final, r.To)
	if r.Cause == chain.Begin {
		st.Final = r.To
	}
}

// lowered is the state to record before a Revert removes rows below the finalized
// block on record: where that is cut, a journal that begins at what is on record
// would leave out what is gone already.
func (st state) lowered(steps []chain.Step) state {
	for i := range steps {
		if r := steps[i].Revert; r != nil && steps[i].Seq > st.Seq {
			st.Final, st.safe = lower(st.Final, r.To), lower(st.safe, r.To)
		}
	}
	return st
}

func lower(a, b chain.BlockRef) chain.BlockRef {
	if a.Number > b.Number {
		return b
	}
	return a
}

// basis is the number that the table has for it.
func (st state) basis() uint8 {
	if st.assumed {
		return 2
	}
	return 1
}

// writeState writes the state of one stream, and returns once it is on the disk.
func (s *Sink) writeState(ctx context.Context, of chain.Stream, st state) error {
	if err := s.insertStates(ctx, []entry{{of, st}}); err != nil {
		return err
	}
	return s.durable()
}

// entry is a row to be of positions.
type entry struct {
	of chain.Stream
	state
}

// insertStates is one INSERT: all of them are there then, or none.
func (s *Sink) insertStates(ctx context.Context, all []entry) error {
	networks, basis := newWords[string](), &choices{of: "Enum8('tags' = 1, 'assumed' = 2)"}
	for i := range all {
		word(networks, all[i].of.Name)
		basis.Append(all[i].basis())
	}
	return s.insertRows(
		ctx, "positions",
		in("network", networks),
		numbers(all, "chain_id", func(e *entry) uint64 { return e.of.ChainID }),
		texts(all, "journal", func(e *entry) string { return e.Journal.String() }),
		numbers(all, "seq", func(e *entry) uint64 { return uint64(e.Seq) }),
		numbers(all, "digest", func(e *entry) uint64 { return e.Digest }),
		numbers(all, "head_number", func(e *entry) uint64 { return e.head.Number }),
		texts(all, "head_hash", func(e *entry) string { return hashText(e.head.Hash) }),
		numbers(all, "safe_number", func(e *entry) uint64 { return e.safe.Number }),
		texts(all, "safe_hash", func(e *entry) string { return hashText(e.safe.Hash) }),
		numbers(all, "finalized_number", func(e *entry) uint64 { return e.Final.Number }),
		texts(all, "finalized_hash", func(e *entry) string { return hashText(e.Final.Hash) }),
		in("basis", basis),
		texts(all, "watch", func(e *entry) string { return e.Watch.String() }),
	)
}

// selectHigh finds the highest step above $1 that wrote a row. The index on seq
// leaves it those granules to read that hold such a row.
const selectHigh = `SELECT max(seq), argMax(digest, seq)
FROM (SELECT seq, digest FROM raw_events WHERE chain_id = $2 AND seq > $1
      UNION ALL SELECT seq, digest FROM raw_transactions WHERE chain_id = $2 AND seq > $1
      UNION ALL SELECT seq, digest FROM raw_blocks WHERE chain_id = $2 AND seq > $1
      UNION ALL SELECT seq, digest FROM raw_reorgs WHERE chain_id = $2 AND network = $3 AND seq > $1
      UNION ALL SELECT seq, digest FROM raw_rows WHERE stream = $3 AND seq > $1)`

// withHigh is the position and what lies above it: rows of a Write that was cut.
func (s *Sink) withHigh(ctx context.Context, of chain.Stream, p chain.Position) (chain.Position, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	err := s.conn.QueryRow(ctx, selectHigh, uint64(p.Seq), of.ChainID, of.Name).Scan((*uint64)(&p.High), &p.HighDigest)
	if err != nil {
		return p, s.fault("read the rows of "+of.Name+" above its position", err)
	}
	if p.High == 0 {
		p.High, p.HighDigest = p.Seq, p.Digest
	}
	return p, nil
}

const selectState = `SELECT journal, seq, digest, head_number, head_hash, safe_number, safe_hash,
       finalized_number, finalized_hash, basis = 'assumed', watch
FROM positions FINAL
WHERE network = $1 AND chain_id = $2`

// readState reads the state of a stream; the zero state where there is none.
func (s *Sink) readState(ctx context.Context, of chain.Stream) (st state, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	var journal, head, safe, final, watch string
	err = s.conn.QueryRow(ctx, selectState, of.Name, of.ChainID).Scan(
		&journal, (*uint64)(&st.Seq), &st.Digest, &st.head.Number, &head,
		&st.safe.Number, &safe, &st.Final.Number, &final, &st.assumed, &watch)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return state{}, nil
	case err != nil:
		return state{}, s.fault("read positions of "+of.Name, err)
	}
	err = errors.Join(
		parseID(st.Journal[:], journal), parseID(st.Watch[:], watch), parseHash(&st.head.Hash, head),
		parseHash(&st.safe.Hash, safe), parseHash(&st.Final.Hash, final))
	if err != nil {
		return state{}, chain.Fatal(fmt.Errorf("clickhouse: read positions of %s: %w", of, err),
			"delete that row of positions if nobody else can mend it; the stream is then written anew")
	}
	return st, nil
}

// hashText is the hash as text, and nothing where it is not known.
func hashText(h chain.Hash) string {
	if h == (chain.Hash{}) {
		return ""
	}
	return h.String()
}

func parseHash(h *chain.Hash, text string) error {
	if text == "" {
		return nil
	}
	return h.UnmarshalText([]byte(text))
}

func parseID(id []byte, text string) error {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) != len(id) {
		return fmt.Errorf("id %q is not %d bytes in hex", text, len(id))
	}
	copy(id, b)
	return nil
}
