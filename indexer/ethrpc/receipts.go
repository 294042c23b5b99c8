package ethrpc

import (
	"context"
	"fmt"
	"slices"

	"superindex/chain"
	"superindex/indexer"
)

// receiptBlocks is how many blocks one request asks for with their receipts: of a
// busy chain they are some MB.
const receiptBlocks = 20

// fetchReceipts reads a range by its blocks' transactions and receipts, which hold
// the logs as well. A block and its receipts come from one request, and so does the
// anchor with the last of them.
func (c *Client) fetchReceipts(ctx context.Context, r indexer.Range, want indexer.Want) (f indexer.Fetched, err error) {
	var headers []*header
	for from := r.From; from <= r.To; from += receiptBlocks {
		part, anchor := indexer.Range{From: from, To: min(r.To, from+receiptBlocks-1)}, chain.BlockRef{}
		if part.To == r.To {
			anchor = want.Anchor
		}
		blocks, size, err := c.receiptBatch(ctx, part, want, anchor)
		if err != nil {
			return indexer.Fetched{}, err
		}
		f.Bytes += size
		for _, b := range blocks {
			if err := b.check(); err != nil {
				return indexer.Fetched{}, c.wrap(r, err)
			}
			headers = append(headers, b.header)
			b.add(&f, want.Dense || b.number == r.From || b.number == r.To)
		}
	}
	if err := linked(headers); err != nil {
		return indexer.Fetched{}, c.wrap(r, err)
	}
	return f, nil
}

// receiptBatch is one request: blocks, receipts, and the anchor.
func (c *Client) receiptBatch(ctx context.Context, r indexer.Range, want indexer.Want, anchor chain.BlockRef) ([]*receipted, int, error) {
	var blocks []*receipted
	var calls []*call
	mem := newArena(want.Memory)
	for n := r.From; n <= r.To; n++ {
		b := &receipted{number: n, scan: scan{within: indexer.Range{From: n, To: n}, watched: want.Watched, arena: mem}}
		blocks, calls = append(blocks, b), append(calls, b.calls()...)
	}
	var anchored *header
	if anchor != (chain.BlockRef{}) {
		calls = append(calls, headerCall(hexNumber(anchor.Number), &anchored))
	}
	size, err := c.do(ctx, calls)
	if err != nil {
		return nil, size, err
	}
	for _, call := range calls {
		if call.err != nil {
			return nil, size, call.err
		}
	}
	for _, b := range blocks {
		if b.header == nil || b.gone {
			return nil, size, c.errorf(indexer.ErrAbsent, "it does not have block %d with its receipts", b.number)
		}
	}
	return blocks, size, c.checkAnchor(anchored, anchor)
}

// checkAnchor checks that the node has the anchor, if there is one.
func (c *Client) checkAnchor(got *header, anchor chain.BlockRef) error {
	switch {
	case anchor == chain.BlockRef{}:
	case got == nil:
		return c.errorf(indexer.ErrAbsent, "it does not have block %d", anchor.Number)
	case got.ref() != anchor:
		return c.errorf(indexer.ErrTorn, "it has block %v in place of %v", got.ref(), anchor)
	}
	return nil
}

// receipted is a block with its transactions and receipts.
type receipted struct {
	number uint64
	header *header       // nil: the node does not have the block
	txs    []transaction // all of them
	scan   scan          // of the receipts' logs
	count  int           // of the receipts
	gone   bool          // the node does not have them
	kept   []kept        // those that are wanted
}

// kept is a transaction as its receipt shows it.
type kept struct {
	chain.Tx
	priced bool // the receipt says what its gas cost
}

// calls are those that read it.
func (b *receipted) calls() []*call {
	at := hexNumber(b.number)
	return []*call{
		{method: "eth_getBlockByNumber", params: []any{at, true}, read: func(c *cursor) (err error) {
			b.header, err = c.block(b.readTxs)
			return err
		}},
		{method: "eth_getBlockReceipts", params: []any{at}, read: b.readReceipts},
	}
}

// check compares what the two calls said.
func (b *receipted) check() error {
	if err := b.scan.match([]*header{b.header}, false); err != nil {
		return err
	}
	if b.header.Number.n != b.number || b.count != len(b.txs) {
		return fmt.Errorf("block %v has %d transactions, block %d has %d receipts: %w",
			b.header.ref(), len(b.txs), b.number, b.count, indexer.ErrTorn)
	}
	for i := range b.kept {
		tx := &b.kept[i]
		if of := b.txs[tx.Index].hash; tx.Hash != of || tx.Block != b.header.ref() {
			return fmt.Errorf("transaction %d of block %v is %v, its receipt is of %v in %v: %w",
				tx.Index, b.header.ref(), of, tx.Hash, tx.Block, indexer.ErrTorn)
		}
	}
	return nil
}

// add puts the block with its logs and transactions into f, if it holds any or must
// be there.
func (b *receipted) add(f *indexer.Fetched, needed bool) {
	got := b.scan.merge([]*header{b.header})
	f.All += got.All
	if !needed && len(got.Events)+len(b.kept) == 0 {
		return
	}
	f.Blocks, f.Events = append(f.Blocks, got.Blocks...), append(f.Events, got.Events...)
	f.Transactions = slices.Grow(f.Transactions, len(b.kept))
	for i := range b.kept {
		k := &b.kept[i]
		of := &b.txs[k.Index]
		k.Time, k.Method = b.header.Timestamp.n, of.method
		if !k.priced {
			k.EffectiveGasPrice = of.gasPrice
		}
		f.Transactions = append(f.Transactions, k.Tx)
	}
}
