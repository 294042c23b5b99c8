package clickhouse

import (
	"context"
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

// insertStates is one INSERT of where the entries lead: all of it is there then, or nothing.
func (s *Sink) insertStates(ctx context.Context, all []*entry) error {
	networks, basis := newWords[string](), &choices{of: "Enum8('tags' = 1, 'assumed' = 2)"}
	for _, e := range all {
		word(networks, e.of.Name, 1)
		basis.Append(e.next.basis())
	}
	return s.insertRows(
		ctx, "positions",
		in("network", networks),
		numbers(all, "chain_id", func(e *entry) uint64 { return e.of.ChainID }),
		texts(all, "journal", func(e *entry) string { return e.next.Journal.String() }),
		numbers(all, "seq", func(e *entry) uint64 { return uint64(e.next.Seq) }),
		numbers(all, "digest", func(e *entry) uint64 { return e.next.Digest }),
		numbers(all, "head_number", func(e *entry) uint64 { return e.next.head.Number }),
		texts(all, "head_hash", func(e *entry) string { return hashText(e.next.head.Hash) }),
		numbers(all, "safe_number", func(e *entry) uint64 { return e.next.safe.Number }),
		texts(all, "safe_hash", func(e *entry) string { return hashText(e.next.safe.Hash) }),
		numbers(all, "finalized_number", func(e *entry) uint64 { return e.next.Final.Number }),
		texts(all, "finalized_hash", func(e *entry) string { return hashText(e.next.Final.Hash) }),
		in("basis", basis),
		texts(all, "watch", func(e *entry) string { return e.next.Watch.String() }),
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

const selectStates = `SELECT network, chain_id, journal, seq, digest, head_number, head_hash, safe_number, safe_hash,
       finalized_number, finalized_hash, basis = 'assumed', watch
FROM positions FINAL
SETTINGS max_threads = 1`

// states are the rows of positions, as they were read.
type states map[chain.Stream]storedState

// storedState is a state and its texts.
type storedState struct {
	state
	journal, headHash, safeHash, finalHash, watch string
}

// readStates reads all: they are few, and one costs the server as much.
func (s *Sink) readStates(ctx context.Context) (states, error) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	found, err := s.conn.Query(ctx, selectStates)
	if err != nil {
		return nil, s.fault("read positions", err)
	}
	defer found.Close()
	all := states{}
	for found.Next() {
		var of chain.Stream
		var st storedState
		if err := found.Scan(&of.Name, &of.ChainID, &st.journal, (*uint64)(&st.Seq), &st.Digest, &st.head.Number, &st.headHash,
			&st.safe.Number, &st.safeHash, &st.Final.Number, &st.finalHash, &st.assumed, &st.watch); err != nil {
			return nil, s.fault("read positions", err)
		}
		all[of] = st
	}
	if err := found.Err(); err != nil {
		return nil, s.fault("read positions", err)
	}
	return all, nil
}

// of is the state of a stream; the zero state where there is none.
func (all states) of(stream chain.Stream) (state, error) {
	t, ok := all[stream]
	if !ok {
		return state{}, nil
	}
	st := t.state
	err := errors.Join(
		parseID(st.Journal[:], t.journal), parseID(st.Watch[:], t.watch), parseHash(&st.head.Hash, t.headHash),
		parseHash(&st.safe.Hash, t.safeHash), parseHash(&st.Final.Hash, t.finalHash))
	if err != nil {
		return state{}, chain.Fatal(fmt.Errorf("clickhouse: read positions of %s: %w", stream, err),
			"delete that row of positions if nobody else can mend it; the stream is then written anew")
	}
	return st, nil
}

// readState reads the state of a stream.
func (s *Sink) readState(ctx context.Context, of chain.Stream) (state, error) {
	all, err := s.readStates(ctx)
	if err != nil {
		return state{}, err
	}
	return all.of(of)
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
