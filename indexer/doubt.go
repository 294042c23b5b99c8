package indexer

import (
	"context"
	"errors"
	"fmt"
	"time"

	"superindex/chain"
	"superindex/reorg"
)

// Witness is asked before a deep rollback is believed, which more often is a node
// that lost its way than a chain that did.
type Witness interface {
	// Confirm reports whether an endpoint other than the one that the Source shows
	// has lost the block gone, too; true where there is no other. One that holds it,
	// at the chain's head, is shown from then on.
	Confirm(ctx context.Context, gone chain.BlockRef) (bool, error)
}

const (
	fewBlocks   = 5                // a rollback of so many is taken at one endpoint's word
	wordAwaited = 30 * time.Second // after which a deeper one is, too
)

// believed reports whether what lies above block to, or the window's lowest block
// where not even that one is left, may be taken back.
func (w *Writer) believed(ctx context.Context, to chain.BlockRef, contested bool) (bool, error) {
	if w.net.Witness == nil || !contested && w.tracker.Head().Number-to.Number <= fewBlocks {
		return true, nil
	}
	gone := w.tracker.Floor()
	if !contested {
		gone = w.tracker.Blocks()[to.Number+1-w.tracker.Floor().Number]
	}
	if w.doubted.IsZero() {
		w.doubted = time.Now()
	}
	confirmed, err := w.net.Witness.Confirm(ctx, gone)
	if err != nil {
		return false, fmt.Errorf("confirm that %s has lost block %v: %w", w.net.Stream, gone, err)
	}
	return confirmed || time.Since(w.doubted) >= wordAwaited, nil
}

// revert finds the block up to which the node still agrees, and goes back to it.
func (w *Writer) revert(ctx context.Context) (moved bool, err error) {
	to, err := w.tracker.Ancestor(func(number uint64) (chain.Hash, bool, error) {
		headers, err := w.net.Source.Headers(ctx, []uint64{number})
		if err != nil || len(headers) == 0 {
			return chain.Hash{}, false, err
		}
		return headers[0].Hash, true, nil
	})
	contested := errors.Is(err, reorg.ErrContested)
	if err != nil && !contested {
		return false, fmt.Errorf("%s: %w", w.net.Stream, err)
	}
	if !contested && to == w.tracker.Head() {
		return false, nil // the node has come back to our fork, or another one answered
	}
	if ok, doubt := w.believed(ctx, to, contested); !ok || doubt != nil {
		return false, doubt
	}
	if contested {
		return false, chain.Fatal(fmt.Errorf("%s: %w", w.net.Stream, err), fmt.Sprintf(
			"let networks.%s.rpc name nodes of the right chain; if the chain itself went back, stop the daemon, then `superindex journal rewind --network %[1]s --to B`, B a block from before that", w.net.Name))
	}
	return true, w.commitRevert(ctx, to)
}
