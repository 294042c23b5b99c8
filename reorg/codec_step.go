package reorg

import (
	"encoding/binary"

	"superindex/chain"
)

// applied is the beginning of an Apply: what depends on the steps before it.
func (w *encoder) applied(b *chain.Batch) {
	w.byte(kindApply)
	w.ref(b.Parent)
	w.ref(b.Last)
	w.ref(b.Safe)
	w.ref(b.Final)
	w.bool(b.Moved)
	w.bool(b.Assumed)
	w.raw(b.Watch[:])
}

// added is the rest of it.
func (w *encoder) added(b *chain.Batch) {
	w.blocks(b.Blocks)
	w.events(b.Blocks, b.Events)
	w.txs(b.Blocks, b.Transactions)
	w.proof(b.Proof)
}

func (r *decoder) batch() *chain.Batch {
	b := &chain.Batch{
		Parent: r.ref(), Last: r.ref(), Safe: r.ref(), Final: r.ref(),
		Moved: r.bool(), Assumed: r.bool(),
	}
	copy(b.Watch[:], r.raw(len(b.Watch)))
	b.Blocks = r.blocks()
	b.Events = r.events(b.Blocks)
	b.Transactions = r.txs(b.Blocks)
	b.Proof = r.proof()
	return b
}

func (w *encoder) revert(v *chain.Revert) {
	w.ref(v.To)
	w.ref(v.From)
	w.uint(v.Time)
	w.byte(byte(v.Cause))
}

func (r *decoder) revert() *chain.Revert {
	v := &chain.Revert{To: r.ref(), From: r.ref(), Time: r.uint(), Cause: chain.Cause(r.byte())}
	r.failed = r.failed || v.Cause > chain.Rewind
	return v
}

func (w *encoder) fill(f *chain.Fill) {
	w.uint(f.From)
	w.ref(f.To)
	w.addresses(f.Addresses)
	w.raw(f.Watch[:])
	w.blocks(f.Blocks)
	w.events(f.Blocks, f.Events)
	w.proof(f.Proof)
}

func (r *decoder) fill() *chain.Fill {
	f := &chain.Fill{From: r.uint(), To: r.ref(), Addresses: r.addresses()}
	copy(f.Watch[:], r.raw(len(f.Watch)))
	f.Blocks = r.blocks()
	f.Events = r.events(f.Blocks)
	f.Proof = r.proof()
	return f
}

func (w *encoder) rows(v *chain.Rows) {
	w.string(v.Feed)
	w.uint(uint64(len(v.Rows)))
	for i := range v.Rows {
		row := &v.Rows[i]
		w.string(row.Kind)
		w.string(row.ID)
		w.uint(row.Time)
		w.bytes(row.Body)
	}
}

func (r *decoder) rows() *chain.Rows {
	v := &chain.Rows{Feed: r.string()}
	for range r.length(4) {
		v.Rows = append(v.Rows, chain.Row{Kind: r.string(), ID: r.string(), Time: r.uint(), Body: r.bytes()})
	}
	return v
}

func (w *encoder) blocks(blocks []chain.Block) {
	w.uint(uint64(len(blocks)))
	for i := range blocks {
		b := &blocks[i]
		w.ref(b.BlockRef)
		w.raw(b.Parent[:])
		w.uint(b.Time)
		w.uint(uint64(b.Txs))
		w.uint(uint64(b.Logs))
		w.uint(uint64(b.WatchedLogs))
	}
}

func (r *decoder) blocks() []chain.Block {
	n := r.length(69)
	blocks := make([]chain.Block, n)
	for i := range blocks {
		b := &blocks[i]
		b.BlockRef, b.Parent, b.Time = r.ref(), r.hash(), r.uint()
		b.Txs, b.Logs, b.WatchedLogs = chain.Count(r.uint()), chain.Count(r.uint()), uint32(r.uint())
	}
	return blocks
}

// place is where a row's block stands in the step's blocks: rows name their block
// by how much further it is than the last one's. Rows are ascending, so it only
// ever moves on.
type place struct {
	blocks []chain.Block
	at     int
}

// next is how many blocks further ref is.
func (w *encoder) next(p *place, ref *chain.BlockRef) uint64 {
	from := p.at
	for p.at < len(p.blocks) && (p.blocks[p.at].Number != ref.Number || !same(&p.blocks[p.at].Hash, &ref.Hash)) {
		p.at++
	}
	if p.at == len(p.blocks) && w.fault == nil {
		w.fault = errLost
	}
	return uint64(p.at - from)
}

// same is a == b without a call, which takes longer than comparing.
func same(a, b *chain.Hash) bool {
	word := func(h *chain.Hash, at int) uint64 { return binary.NativeEndian.Uint64(h[at:]) }
	return word(a, 0) == word(b, 0) && word(a, 8) == word(b, 8) && word(a, 16) == word(b, 16) && word(a, 24) == word(b, 24)
}

// next gives the block that is so many further.
func (r *decoder) next(p *place, further uint64) *chain.Block {
	if further >= uint64(len(p.blocks)-p.at) {
		r.fail()
		return &chain.Block{}
	}
	p.at += int(further)
	return &p.blocks[p.at]
}

func (w *encoder) txs(blocks []chain.Block, txs []chain.Tx) {
	w.uint(uint64(len(txs)))
	at := place{blocks: blocks}
	for i := range txs {
		tx := &txs[i]
		w.uint(w.next(&at, &tx.Block))
		w.raw(tx.Hash[:])
		w.uint(uint64(tx.Index))
		w.raw(tx.From[:])
		w.address(tx.To)
		w.address(tx.Created)
		w.byte(tx.Status)
		w.uint(tx.GasUsed)
		w.raw(tx.EffectiveGasPrice[:])
		w.raw(tx.L1Fee[:])
		w.raw(tx.Method[:])
		w.spilled()
	}
}

func (r *decoder) txs(blocks []chain.Block) []chain.Tx {
	n := r.length(128)
	txs, at := make([]chain.Tx, n), place{blocks: blocks}
	for i := range txs {
		tx := &txs[i]
		block := r.next(&at, r.uint())
		tx.Block, tx.Time = block.BlockRef, block.Time
		tx.Hash, tx.Index, tx.From = r.hash(), uint32(r.uint()), r.addr()
		tx.To, tx.Created = r.address(), r.address()
		tx.Status, tx.GasUsed = r.byte(), r.uint()
		tx.EffectiveGasPrice, tx.L1Fee = r.hash(), r.hash()
		copy(tx.Method[:], r.raw(len(tx.Method)))
	}
	return txs
}

func (w *encoder) proof(p chain.Proof) {
	w.byte(byte(p.Level))
	w.uint(uint64(p.Rows))
	w.uint(p.Digest)
}

func (r *decoder) proof() chain.Proof {
	p := chain.Proof{Level: chain.Level(r.byte()), Rows: uint32(r.uint()), Digest: r.uint()}
	r.failed = r.failed || p.Level > chain.LevelReceipts
	return p
}
