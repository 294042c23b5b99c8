package replay

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strconv"
	"sync"
	"testing"

	"superindex/chain"
)

// ledger is a sink that keeps the chain as the steps say it is.
type ledger struct {
	mu      sync.Mutex
	held    chain.Position
	head    chain.BlockRef
	blocks  map[uint64]chain.Block
	events  map[uint64][]chain.Event
	txs     map[uint64][]chain.Tx
	reverts []chain.Revert
	moved   chan struct{} // closed with the next write
}

func newLedger() *ledger {
	return &ledger{
		blocks: map[uint64]chain.Block{}, events: map[uint64][]chain.Event{}, txs: map[uint64][]chain.Tx{},
		moved: make(chan struct{}),
	}
}

func (l *ledger) Name() string { return "ledger" }

func (l *ledger) Position(_ context.Context, of chain.Stream) (chain.Position, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if of.ChainID == 0 {
		return chain.Position{}, nil
	}
	return l.held, nil
}

func (l *ledger) Write(_ context.Context, steps []chain.Step) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, s := range steps {
		if s.Stream.ChainID == 0 || s.Seq <= l.held.Seq {
			continue
		}
		switch {
		case s.Apply != nil:
			l.apply(s.Apply)
		case s.Revert != nil:
			l.revert(s.Revert)
		}
		l.held = chain.Position{Journal: s.Journal, Seq: s.Seq, Digest: s.Digest, High: s.Seq, HighDigest: s.Digest, Final: l.held.Final}
	}
	close(l.moved)
	l.moved = make(chan struct{})
	return nil
}

func (l *ledger) apply(b *chain.Batch) {
	for _, block := range b.Blocks {
		l.blocks[block.Number] = block
	}
	for _, e := range b.Events {
		l.events[e.Block.Number] = append(l.events[e.Block.Number], e)
	}
	for _, tx := range b.Transactions {
		l.txs[tx.Block.Number] = append(l.txs[tx.Block.Number], tx)
	}
	l.head, l.held.Final = b.Last, b.Final
}

func (l *ledger) revert(r *chain.Revert) {
	if r.Cause == chain.Reorg {
		l.reverts = append(l.reverts, chain.Revert{To: r.To, From: r.From})
	}
	maps.DeleteFunc(l.blocks, func(n uint64, _ chain.Block) bool { return n > r.To.Number })
	maps.DeleteFunc(l.events, func(n uint64, _ []chain.Event) bool { return n > r.To.Number })
	maps.DeleteFunc(l.txs, func(n uint64, _ []chain.Tx) bool { return n > r.To.Number })
	l.head = r.To
}

// wait waits until the ledger holds a block as its head.
func (l *ledger) wait(t *testing.T, head chain.BlockRef) {
	t.Helper()
	for {
		l.mu.Lock()
		at, moved := l.head, l.moved
		l.mu.Unlock()
		if at == head {
			return
		}
		select {
		case <-moved:
		case <-t.Context().Done():
			t.Fatalf("the ledger stands at %v, the node shows %v", at, head)
		}
	}
}

// everyOther is a watch set of addresses whose last byte is even, or of all.
type everyOther struct{ all bool }

func (w everyOther) Has(a *chain.Address) bool    { return w.all || a[19]%2 == 0 }
func (w everyOther) ID() chain.WatchID            { return chain.WatchID{1} }
func (w everyOther) All() iter.Seq[chain.Address] { return slices.Values([]chain.Address{{1}}) }
func (w everyOther) keep(logs []chain.Log) (kept []chain.Log) {
	for _, l := range logs {
		if w.Has(&l.Address) {
			kept = append(kept, l)
		}
	}
	return kept
}

// quantity is a number as nodes write it.
type quantity uint64

func (q *quantity) UnmarshalText(b []byte) error {
	n, err := strconv.ParseUint(string(b), 0, 64)
	*q = quantity(n)
	return err
}

// facts are a block's, read with encoding/json.
func (b *Block) facts(t *testing.T) (block chain.Block, logs []chain.Log) {
	t.Helper()
	var head struct {
		Timestamp    quantity
		Transactions []json.RawMessage
	}
	if err := json.Unmarshal(b.Body, &head); err != nil {
		t.Fatal(err)
	}
	block = chain.Block{BlockRef: b.BlockRef, Parent: b.Parent, Time: uint64(head.Timestamp), Txs: chain.Known(len(head.Transactions))}
	block.Logs = chain.Known(len(b.Logs))
	for _, text := range b.Logs {
		logs = append(logs, readLog(t, text, b.BlockRef, block.Time))
	}
	return block, logs
}

func readLog(t *testing.T, text json.RawMessage, of chain.BlockRef, time uint64) chain.Log {
	t.Helper()
	var l struct {
		BlockHash, TransactionHash chain.Hash
		TransactionIndex, LogIndex quantity
		Address                    chain.Address
		Topics                     []chain.Hash
		Data                       hexBytes
	}
	if err := json.Unmarshal(text, &l); err != nil {
		t.Fatal(err)
	}
	if l.BlockHash != of.Hash {
		t.Fatalf("the recording has a log of block %v in block %v", l.BlockHash, of)
	}
	return chain.Log{
		Block: of, Time: time, TxHash: l.TransactionHash, TxIndex: uint32(l.TransactionIndex), Index: uint32(l.LogIndex),
		Address: l.Address, Topics: l.Topics, Data: l.Data,
	}
}

// shown is all of a log, in words.
func shown(l chain.Log) string {
	return fmt.Sprint(l.Block.Number, l.Block.Hash, l.Time, l.TxHash, l.TxIndex, l.Index, l.Address, l.Topics, hex.EncodeToString(l.Data))
}

func shownBlock(b chain.Block) string {
	return fmt.Sprint(b.Number, b.Hash, b.Parent, b.Time, b.Txs, b.Logs, b.WatchedLogs)
}
