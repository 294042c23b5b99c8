package sinktest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"

	"superindex/chain"
)

type rowKey struct {
	hash  chain.Hash
	index uint32
}

func (r Row) key() rowKey { return rowKey{r.Hash, r.Index} }

// Want is what a user must read once a sink holds these steps, and no others:
// sorted by (block, index).
func Want(steps []chain.Step) []Row {
	rows := map[rowKey]Row{}
	for _, step := range steps {
		switch {
		case step.Apply != nil:
			put(rows, step.Apply.Events)
		case step.Revert != nil:
			maps.DeleteFunc(rows, func(_ rowKey, r Row) bool { return r.Block > step.Revert.To.Number })
		case step.Fill != nil:
			maps.DeleteFunc(rows, func(_ rowKey, r Row) bool { return replaces(step.Fill, r) })
			put(rows, step.Fill.Events)
		}
	}
	return sorted(slices.Collect(maps.Values(rows)))
}

// wantPosition is what Position must say once a sink holds these steps.
func wantPosition(steps []chain.Step) (p chain.Position) {
	for _, step := range steps {
		p.Journal, p.Seq, p.Digest = step.Journal, step.Seq, step.Digest
		p.High, p.HighDigest = step.Seq, step.Digest
		switch {
		case step.Apply != nil:
			p.Final, p.Watch = step.Apply.Final, step.Apply.Watch
		case step.Revert != nil && lowersFinal(step.Revert, p.Final):
			p.Final = step.Revert.To
		}
	}
	return p
}

// lowersFinal: a journal begins at a block that is final; the operator may go
// back below one.
func lowersFinal(r *chain.Revert, final chain.BlockRef) bool {
	return r.Cause == chain.Begin || r.Cause == chain.Rewind && r.To.Number < final.Number
}

func put(rows map[rowKey]Row, events []chain.Event) {
	for _, e := range events {
		r := RowOf(e)
		rows[r.key()] = r
	}
}

func replaces(f *chain.Fill, r Row) bool {
	return f.From <= r.Block && r.Block <= f.To.Number &&
		(len(f.Addresses) == 0 || slices.Contains(f.Addresses, r.Address))
}

// RowOf is the row that an event becomes.
func RowOf(e chain.Event) Row {
	return Row{e.Block.Number, e.Block.Hash, e.Index, e.Time, e.Address, e.Name, string(e.Args)}
}

func sorted(rows []Row) []Row {
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.Block, b.Block), cmp.Compare(a.Index, b.Index), slices.Compare(a.Hash[:], b.Hash[:]))
	})
	return rows
}

// differ names the first difference; nil where there is none.
func differ(got, want []Row) error {
	got = sorted(slices.Clone(got))
	for i := range max(len(got), len(want)) {
		switch {
		case i >= len(got):
			return fmt.Errorf("%d rows instead of %d; the first that is missing: %s", len(got), len(want), want[i])
		case i >= len(want):
			return fmt.Errorf("%d rows instead of %d; the first too many: %s", len(got), len(want), got[i])
		case got[i] != want[i]:
			return fmt.Errorf("%d rows, %d wanted; row %d is %s instead of %s", len(got), len(want), i, got[i], want[i])
		}
	}
	return nil
}

// String shows a row in a failure.
func (r Row) String() string {
	return fmt.Sprintf("%d:%x/%d %s %s", r.Block, r.Hash[:4], r.Index, r.Event, r.Args)
}
