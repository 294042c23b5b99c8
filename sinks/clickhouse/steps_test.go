package clickhouse

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"

	"superindex/chain"
)

// history writes the steps of one network by hand. A block is named by its
// number and its fork, a letter.
type history struct {
	stream  chain.Stream
	journal chain.JournalID
	seq     chain.Seq
	head    chain.BlockRef
	safe    chain.BlockRef
	final   chain.BlockRef
}

func newHistory(name string) *history {
	id := sha256.Sum256([]byte(name))
	h := &history{stream: chain.Stream{Name: name, ChainID: uint64(binary.BigEndian.Uint32(id[:]))}, seq: 1 << 40}
	copy(h.journal[:], id[:])
	return h
}

func (h *history) ref(number uint64, fork byte) chain.BlockRef {
	return chain.BlockRef{Number: number, Hash: sha256.Sum256(fmt.Appendf(nil, "%s %d %c", h.stream.Name, number, fork))}
}

func (h *history) step() chain.Step {
	h.seq++
	return chain.Step{Journal: h.journal, Stream: h.stream, Seq: h.seq, Digest: uint64(h.seq) * 7}
}

// apply adds the blocks from to to of a fork with n events each.
func (h *history) apply(from, to uint64, fork byte, n int) chain.Step {
	b := &chain.Batch{Parent: h.head, Safe: h.safe, Final: h.final, Watch: chain.WatchID{7, 8}}
	for number := from; number <= to; number++ {
		block := h.block(number, fork, n)
		b.Blocks = append(b.Blocks, block)
		b.Events = append(b.Events, h.events(block, n)...)
	}
	h.head = h.ref(to, fork)
	b.Last = h.head
	s := h.step()
	s.Apply = b
	return s
}

func (h *history) block(number uint64, fork byte, n int) chain.Block {
	return chain.Block{
		BlockRef: h.ref(number, fork), Parent: h.ref(number-1, fork).Hash, Time: 1_700_000_000 + 2*number,
		Txs: chain.Known(2), WatchedLogs: uint32(n),
	}
}

func (h *history) events(block chain.Block, n int) (events []chain.Event) {
	for i := range n {
		address := chain.Address{byte(i % 50), 1}
		events = append(events, chain.Event{
			Log: chain.Log{
				Block: block.BlockRef, Time: block.Time, TxHash: sha256.Sum256(append(block.Hash[:], byte(i/3))), TxIndex: uint32(i / 3),
				Index: uint32(i), Address: address, Topics: []chain.Hash{{0xdd}, {0: 1, 31: byte(i)}, {0: 2, 31: byte(i)}}, Data: block.Hash[:],
			},
			Decoding: chain.Decoded, Name: "Transfer", Signature: "Transfer(address,address,uint256)",
			Args: fmt.Appendf(nil, `{"from":"0x%040x","to":"0x%040x","value":"%d"}`, i, i+1, block.Number*1000+uint64(i)),
		})
	}
	return events
}

// revert goes back to a block of a fork.
func (h *history) revert(to uint64, fork byte, cause chain.Cause) chain.Step {
	s := h.step()
	s.Revert = &chain.Revert{To: h.ref(to, fork), From: h.head, Time: 1_800_000_000, Cause: cause}
	h.head = s.Revert.To
	return s
}
