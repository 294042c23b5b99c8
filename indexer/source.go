package indexer

import (
	"context"
	"errors"

	"superindex/chain"
)

// Source is one network as its RPC endpoints show it. It is safe for concurrent
// use. Every error but the ones named here is temporary unless chain.IsFatal.
type Source interface {
	// Heads reads the three heads. Safe and Final are zero where the node does
	// not know them yet. They are read one after the other: the chain may have
	// moved between them.
	Heads(ctx context.Context) (Heads, error)

	// Headers reads the canonical headers of these block numbers. A block that
	// the node does not have is absent from the answer; the others keep their
	// order.
	Headers(ctx context.Context, numbers []uint64) ([]chain.Block, error)

	// Next is as much of the beginning of r as is worth one Fetch now. It asks
	// nothing.
	Next(r Range, want Want) Range

	// Fetch reads the blocks r.From to r.To and their watched logs. It returns
	// ErrTooLarge where no node answers so much at once, ErrAbsent where none has
	// all of the range, and ErrTorn where the answer shows two forks at once.
	Fetch(ctx context.Context, r Range, want Want) (Fetched, error)
}

// What Fetch says of a range; the caller waits, or reads it again.
var (
	ErrTooLarge = errors.New("range too large for the node")
	ErrAbsent   = errors.New("the node does not have the block")
	ErrTorn     = errors.New("the answer shows two forks")
)

// Heads are a network's heads at about one instant.
type Heads struct {
	Latest  chain.BlockRef `json:"latest"`
	Safe    chain.BlockRef `json:"safe,omitzero"`
	Final   chain.BlockRef `json:"finalized,omitzero"`
	Time    uint64         `json:"-"`                 // of Latest, seconds since 1970; 0 where it is not known
	Assumed bool           `json:"assumed,omitempty"` // no node said that Final is finalized: it is old enough
}

// Range is the blocks From to To, both included.
type Range struct{ From, To uint64 }

// Len is the number of blocks.
func (r Range) Len() uint64 { return r.To - r.From + 1 }

// Watched is a set of addresses. Has is called once a log: it does not allocate, and
// does not keep a. By value, half of its time would go into the copy.
type Watched interface{ Has(a *chain.Address) bool }

// Want says what Fetch is to read.
type Want struct {
	Dense   bool    // every header, and each log's block hash checked against it
	Watched Watched // logs of other addresses are counted and dropped

	// Receipts: read each block with its transactions and receipts in place of the
	// range's logs, and give the transactions that called, created or made emit a
	// watched address, or came from one.
	Receipts bool

	// Anchor, where it is not zero, is a block that the node which answers must
	// have, else ErrTorn: a finalized one at or above the range, so that what an
	// endpoint on an abandoned fork says is not taken for finalized.
	Anchor chain.BlockRef

	// Memory is where the logs are put, for as long as the caller does not use it
	// again; nil: new memory.
	Memory *Memory
}

// Fetched is a range as the node gave it. Blocks are ascending; dense: all of
// them, contiguous by parent hash; otherwise the two ends and those that hold a
// watched log or one of Transactions; of those only logs were read of, Parent is
// zero.
type Fetched struct {
	Blocks []chain.Block
	Events []chain.Event // the logs of watched addresses, not decoded yet, ascending by (block, index)
	All    int           // logs read, watched or not
	Bytes  int           // size of the answer

	Transactions []chain.Tx // ascending by (block, index), their blocks among Blocks; with Want.Receipts only
}
