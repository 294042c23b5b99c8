package chain

import (
	"slices"
	"time"
)

// Block is what is kept of a block. Above finalized every block is there; below
// it, those that hold a watched log and the ends of a range.
type Block struct {
	BlockRef
	Parent      Hash   // zero where only the block's logs were read
	Time        uint64 // seconds since 1970
	Txs, Logs   Count  // of the whole block, watched or not
	WatchedLogs uint32
}

// When is the block's time in UTC.
func (b Block) When() time.Time { return time.Unix(int64(b.Time), 0).UTC() }

// Count is a number that may not have been read: 0 is unknown, n+1 is n.
type Count uint32

// Known makes a count of n.
func Known(n int) Count { return Count(n) + 1 }

// Get returns the number and whether it is known.
func (c Count) Get() (n uint32, ok bool) { return uint32(c) - 1, c != 0 }

// Log is one log as the node gave it.
type Log struct {
	Block   BlockRef
	Time    uint64 // of its block, seconds since 1970
	TxHash  Hash
	TxIndex uint32
	Index   uint32 // within the block
	Address Address
	Topics  []Hash // 0 to 4
	Data    []byte
}

// Decoding says how an event's arguments were found.
type Decoding uint8

// The values that the views show.
const (
	Raw       Decoding = iota // no layout fits: Name, Signature and Args are empty
	Decoded                   // exactly one layout fits
	Ambiguous                 // several fit: the first by the decoder's order is shown
)

// String is the word that the views show.
func (d Decoding) String() string { return [...]string{"raw", "decoded", "ambiguous"}[d] }

// Event is a log of a watched address, decoded where its layout is known.
type Event struct {
	Log
	Decoding  Decoding
	Name      string // "Transfer"
	Signature string // "Transfer(address,address,uint256)"
	Args      []byte // canonical JSON object; empty for Raw
}

// Clone is the event in memory of its own.
func (e Event) Clone() Event {
	e.Topics, e.Data, e.Args = slices.Clone(e.Topics), slices.Clone(e.Data), slices.Clone(e.Args)
	return e
}

// Tx is a transaction that called, created or made emit a watched address, or
// came from one. Only receipts mode reads them.
type Tx struct {
	Block             BlockRef
	Time              uint64
	Hash              Hash
	Index             uint32
	From              Address
	To                *Address // nil for a creation
	Created           *Address // nil unless a contract was created
	Status            uint8    // 1: it did what it was to; 0: it failed; StatusUnknown
	GasUsed           uint64
	EffectiveGasPrice [32]byte // wei, big-endian
	L1Fee             [32]byte // wei, big-endian; zero where the chain has none
	Method            [4]byte  // first four bytes of the input
}

// StatusUnknown is the status of a transaction whose receipt has none: they have it
// since Byzantium (2017).
const StatusUnknown = 2

// Level says by what a range was proven to be complete.
type Level uint8

// Levels of proof, the weakest first.
const (
	LevelNone     Level = iota
	LevelSample         // a sample of its blocks was read again
	LevelLink           // parent hashes contiguous, header hashes as claimed
	LevelBloom          // bloom recomputed from all logs equals the header's
	LevelReceipts       // receipts root recomputed
)

// String is the word that the views show.
func (l Level) String() string {
	return [...]string{"none", "sample", "link", "bloom", "receipts"}[l]
}

// Proof travels with a range: what was in it and how that is known.
type Proof struct {
	Level  Level
	Rows   uint32 // watched logs
	Digest uint64 // of the watched logs' keys and contents, in order
}
