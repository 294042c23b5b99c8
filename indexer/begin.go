package indexer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"superindex/chain"
	"superindex/reorg"
)

// Start is where a network's history begins: a block number, a time, so many blocks
// back from finalized, or finalized itself, the zero value.
type Start struct {
	Number   uint64
	FromTop  bool      // Number counts back from finalized
	Absolute bool      // Number is a block number
	At       time.Time // the first block that is not older, from block Number on; zero: none of this
}

// number resolves a start that is no time.
func (s Start) number(final uint64) uint64 {
	switch {
	case s.Absolute:
		return max(s.Number, 1) // the genesis block holds no log
	case s.FromTop:
		return final - min(s.Number, final) + 1
	}
	return final + 1
}

// fixed: the start does not depend on when it is resolved.
func (s Start) fixed() bool { return s.Absolute || !s.At.IsZero() }

// errNoFinal is temporary: a node that has just started has no finalized block yet.
var errNoFinal = errors.New("the node knows no finalized block yet, which the start is counted from")

// Resolve returns the first block to ask for. A time takes a request for every
// doubling of the chain's length: some 25.
func (s Start) Resolve(ctx context.Context, source Source, final chain.BlockRef) (uint64, error) {
	if final == (chain.BlockRef{}) && !s.Absolute {
		return 0, errNoFinal
	}
	if s.At.IsZero() {
		return s.number(final.Number), nil
	}
	return s.search(ctx, source, final.Number)
}

// search finds the first block of a time among those from s.Number to top.
func (s Start) search(ctx context.Context, source Source, top uint64) (uint64, error) {
	low, high := max(s.Number, 1), top+1 // the block lies at low or above, and high is too high or right
	for low < high {
		middle := low + (high-low)/2
		headers, err := source.Headers(ctx, []uint64{middle})
		if err == nil && len(headers) == 0 {
			err = errNoHeader
		}
		if err != nil {
			return 0, fmt.Errorf("find the block of %s: read header %d: %w", s.At.Format(time.RFC3339), middle, err)
		}
		if headers[0].When().Before(s.At) {
			low = middle + 1
		} else {
			high = middle
		}
	}
	if low > top {
		return 0, fmt.Errorf("no block of %s or later is finalized yet; the last one is %d", s.At.Format(time.RFC3339), top)
	}
	return low, nil
}

// Begin adopts the network's watch set; where the journal has not the stream, it
// makes its first step, with which the set comes. It asks every sink what it holds,
// so that no Seq is used twice and no row stays that a lost journal knew of and this
// one does not; while one cannot be asked it does not begin.
func Begin(ctx context.Context, net Network, journal *reorg.Journal, sinks []Sink) error {
	if slices.Contains(journal.Streams(), net.Name) {
		return adoptWatchSet(net, journal)
	}
	held, err := positions(ctx, net.Stream, sinks)
	if err != nil {
		return err
	}
	return beginFrom(ctx, net, journal, held)
}

func positions(ctx context.Context, stream chain.Stream, sinks []Sink) (map[string]chain.Position, error) {
	held := map[string]chain.Position{}
	for _, s := range sinks {
		p, err := s.Position(ctx, stream)
		if err != nil {
			return nil, fmt.Errorf("%s cannot begin before %s has said what it holds: %w", stream, s.Name(), err)
		}
		held[s.Name()] = p
	}
	return held, nil
}

// beginFrom begins, or begins again, from what the sinks hold.
func beginFrom(ctx context.Context, net Network, journal *reorg.Journal, held map[string]chain.Position) error {
	heads, err := net.Source.Heads(ctx)
	if err != nil {
		return fmt.Errorf("read the heads of %s: %w", net.Stream, err)
	}
	start, err := net.Start.Resolve(ctx, net.Source, heads.Final)
	if err != nil {
		return fmt.Errorf("%s cannot begin: %w", net.Stream, err)
	}
	if heads.Final != (chain.BlockRef{}) && start > heads.Final.Number+1 { // what a stream begins at can never be reverted
		return fmt.Errorf("%s begins once block %d before its start is finalized; now %d is", net.Stream, start-1, heads.Final.Number)
	}
	to, err := meeting(ctx, net, held, chain.BlockRef{Number: min(start-1, heads.Latest.Number)})
	if err != nil {
		return err
	}
	b := beginning(net, start, to, held)
	if !net.Start.fixed() && b.Owed {
		return chain.Fatal(fmt.Errorf("%s: the sinks hold history of another watch set, or a part of a step", net.Stream),
			fmt.Sprintf("let networks.%s.start be the block number, or the date, at which that history begins", net.Name))
	}
	_, err = journal.Begin(ctx, b)
	return err
}

func beginning(net Network, start uint64, to chain.BlockRef, held map[string]chain.Position) reorg.Beginning {
	b := reorg.Beginning{Stream: net.Stream, Start: start, To: to, Sinks: held, Set: slices.Collect(net.Watch.All())}
	used := false
	for _, p := range held {
		b.Owed = b.Owed || !p.Empty() && p.Watch != net.Watch.ID() || p.Empty() && p.High > 0
		used = used || !p.Empty()
	}
	b.Whole = !used || net.Start.fixed() && to.Number < start
	return b
}

// meeting is the block that sinks and chain have in common for certain: the lowest
// of the finalized blocks that the sinks recorded, if the chain still has it. It is
// not today's finalized block: what lies between was perhaps never written. Only if
// no sink holds anything is it the block before the start.
func meeting(ctx context.Context, net Network, held map[string]chain.Position, before chain.BlockRef) (chain.BlockRef, error) {
	low := before
	for _, p := range held {
		if !p.Empty() && (low == before || p.Final.Number < low.Number) {
			low = p.Final
		}
	}
	there, err := header(ctx, net, low.Number)
	if err == nil && low != before && there != low {
		err = chain.Fatal(fmt.Errorf("%s: %w: %v in the sinks, %v there", net.Stream, reorg.ErrContested, low, there), fmt.Sprintf(
			"let networks.%s.rpc name nodes of the chain that the sinks hold; if the chain itself went back, begin anew in an empty database and stream", net.Name))
	}
	return there, err
}

// errNoHeader is temporary: the node may yet get the block.
var errNoHeader = errors.New("the node does not have it")

func header(ctx context.Context, net Network, number uint64) (chain.BlockRef, error) {
	headers, err := net.Source.Headers(ctx, []uint64{number})
	if err == nil && len(headers) == 0 {
		err = errNoHeader
	}
	if err != nil {
		return chain.BlockRef{}, fmt.Errorf("read header %d of %s: %w", number, net.Stream, err)
	}
	return headers[0].BlockRef, nil
}

// Adopt makes a journal and sinks that do not fit each other fit again: the stream
// begins anew at what all sinks hold for certain, above every Seq that was used; at
// the start where one of them holds nothing. No Run is under way on this journal.
func Adopt(ctx context.Context, net Network, journal *reorg.Journal, sinks []Sink) error {
	held, err := positions(ctx, net.Stream, sinks)
	if err != nil {
		return err
	}
	st, err := journal.Stat(net.Name)
	if err != nil {
		return err
	}
	net.Start = Start{Number: st.Start, Absolute: true}
	for _, p := range held {
		if p.Empty() {
			first, err := header(ctx, net, net.Start.number(0)-1)
			if err != nil {
				return err
			}
			_, err = journal.Begin(ctx, beginning(net, st.Start, first, held))
			return err
		}
	}
	return beginFrom(ctx, net, journal, held)
}

// Rewind removes everything above a block, finalized or not, on the operator's
// word. No Run is under way on this journal.
func Rewind(ctx context.Context, net Network, journal *reorg.Journal, to uint64) (chain.BlockRef, error) {
	ref, err := header(ctx, net, to)
	if err != nil {
		return ref, err
	}
	st, err := journal.Stat(net.Name)
	if err != nil {
		return ref, err
	}
	if to >= st.Last.Number || to+1 < st.Start {
		return ref, fmt.Errorf("rewind %s to %d: it goes from %d to %v", net.Stream, to, st.Start, st.Last)
	}
	window, err := journal.Tracker(net.Name)
	if err != nil {
		return ref, err
	}
	if window.Conflicts(ref) {
		return ref, fmt.Errorf("rewind %s to %d: the node has %v there, which was never indexed; a lower block is needed", net.Stream, to, ref)
	}
	r := &chain.Revert{To: ref, From: st.Last, Time: uint64(time.Now().Unix()), Cause: chain.Rewind}
	_, err = journal.Append(ctx, &chain.Step{Stream: net.Stream, Revert: r})
	return ref, err
}
