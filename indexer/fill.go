package indexer

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"superindex/chain"
	"superindex/reorg"
)

// Filler brings the history that late addresses lack, as finality reaches it, in
// bounded steps, so that the head never waits for one. It belongs to one goroutine.
type Filler struct {
	net     Network
	journal *reorg.Journal
	room    *room
	watch   *watcher
}

// NewFiller fills what the journal says is owed.
func NewFiller(net Network, journal *reorg.Journal, status *Status) *Filler {
	return &Filler{net: net, journal: journal, room: newRoom(), watch: status.network(net.Stream)}
}

// addressSet is a small Watched.
type addressSet map[chain.Address]struct{}

func (s addressSet) Has(a *chain.Address) bool { _, ok := s[*a]; return ok }

// Advance fills one range of what is owed first. moved is false when nothing is
// owed at or below finalized.
func (f *Filler) Advance(ctx context.Context) (moved bool, err error) {
	st, err := f.journal.Stat(f.net.Name)
	if err != nil {
		return false, err
	}
	ready := slices.IndexFunc(st.Owed, func(o reorg.Owed) bool { return o.From <= st.Final.Number })
	if ready < 0 {
		return false, nil
	}
	if full, err := f.journal.Full(f.net.Name); err != nil || full {
		return false, err
	}
	owed, set := st.Owed[ready], addressSet{}
	for _, a := range owed.Addresses {
		set[a] = struct{}{}
	}
	return f.fill(ctx, Range{owed.From, min(owed.To, st.Final.Number)}, owed.Addresses, Want{Watched: set, Anchor: st.Final})
}

// fill brings as much of a range's beginning as one Fetch gives.
func (f *Filler) fill(ctx context.Context, r Range, addresses []chain.Address, want Want) (moved bool, err error) {
	taken, err := f.room.take(ctx)
	if err != nil {
		return false, err
	}
	defer f.room.give(taken)
	r = f.net.Source.Next(r, want)
	want.Memory = new(Memory)
	got, err := f.net.Source.Fetch(ctx, r, want)
	if err != nil {
		return false, fmt.Errorf("fill blocks %d to %d of %s: %w", r.From, r.To, f.net.Stream, err)
	}
	f.watch.decode(f.net.Decoder, got.Events, want.Memory)
	all := piece{blocks: got.Blocks, events: got.Events, memory: want.Memory}
	f.room.saw(all.bytes())
	for _, part := range cut(all) {
		if err := f.append(ctx, r.From, addresses, part); err != nil {
			return moved, err
		}
		moved, r.From = true, part.last().Number+1
	}
	return moved, nil
}

func (f *Filler) append(ctx context.Context, from uint64, addresses []chain.Address, p piece) error {
	fill := &chain.Fill{
		From: from, To: p.last(), Addresses: addresses, Watch: f.net.Watch.ID(),
		Blocks: slices.DeleteFunc(slices.Clone(p.blocks), func(b chain.Block) bool { return b.WatchedLogs == 0 }),
		Events: p.events, Proof: prove(p.events),
	}
	return f.watch.append(ctx, f.journal, &chain.Step{Stream: f.net.Stream, Fill: fill})
}

// adoptWatchSet notices a set that changed while nobody looked: the new addresses'
// history is owed, those that left are no longer watched.
func adoptWatchSet(net Network, journal *reorg.Journal) error {
	before, err := journal.Watch(net.Name)
	if err != nil {
		return err
	}
	set := slices.Collect(net.Watch.All())
	if slices.Equal(before, set) {
		return nil
	}
	var late []chain.Address
	for _, a := range set {
		if _, watched := slices.BinarySearchFunc(before, a, compareAddresses); !watched {
			late = append(late, a)
		}
	}
	return journal.Adopt(net.Name, set, late)
}

func compareAddresses(a, b chain.Address) int { return bytes.Compare(a[:], b[:]) }
