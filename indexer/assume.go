package indexer

import (
	"context"
	"fmt"
	"sync"

	"superindex/chain"
)

// Assume is a Source whose finalized block is that of so many blocks ago, where
// nobody says better: on an OP Stack chain whatever is older than the sequencing
// window has its batch on L1, or will never be part of the chain. Such heads say
// that they are Assumed.
type Assume struct {
	Source
	Blocks uint64 // how far below the latest block; above zero
	Always bool   // even where the node has tags of its own

	mu   sync.Mutex
	last chain.BlockRef // what was assumed last
}

// Heads implements Source.
func (a *Assume) Heads(ctx context.Context) (Heads, error) {
	h, err := a.Source.Heads(ctx)
	if err != nil || !a.Always && h.Final != (chain.BlockRef{}) {
		return h, err
	}
	final, err := a.final(ctx, h.Latest.Number)
	if err != nil {
		return Heads{}, err
	}
	h.Final, h.Assumed = final, true
	if a.Always || h.Safe.Number <= final.Number {
		h.Safe = final
	}
	return h, nil
}

// final asks for the header only once a hundredth of the window has gone by: it
// costs a request, and nobody waits for a block that is hours old.
func (a *Assume) final(ctx context.Context, latest uint64) (chain.BlockRef, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	number := latest - min(latest, a.Blocks)
	if held := a.last != (chain.BlockRef{}) && number >= a.last.Number; held && number < a.last.Number+max(1, a.Blocks/100) {
		return a.last, nil
	}
	headers, err := a.Headers(ctx, []uint64{number})
	if err == nil && len(headers) == 0 {
		err = errNoHeader
	}
	if err != nil {
		return chain.BlockRef{}, fmt.Errorf("read header %d, which is taken for finalized: %w", number, err)
	}
	a.last = headers[0].BlockRef
	return a.last, nil
}
