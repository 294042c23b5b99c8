package loadnode

import (
	"fmt"
	"strconv"

	"github.com/cespare/xxhash/v2"

	"superindex/chain"
)

// Ledger is what an indexer must hold of a range of the chain: how many logs of
// watched contracts, and a digest of them that no order changes.
type Ledger struct {
	From   uint64 `json:"from"`
	To     uint64 `json:"to"`
	Logs   uint64 `json:"logs"`
	Digest uint64 `json:"digest"` // the sum, modulo 2^64, of the xxHash64 of each log's line
}

// Ledger reads blocks from..to as they are now. A log's line is what Query makes of
// a row: number, block hash, time, transaction hash and index, log index, address,
// topics and data, with a space between each two.
func (n *Node) Ledger(from, to uint64) Ledger {
	out := Ledger{From: from, To: to}
	var head, line []byte
	lines := map[uint32][][]byte{} // a body's watched logs, without what the block says
	for _, r := range n.blocks.between(from, to) {
		if _, ok := lines[r.body]; !ok {
			lines[r.body] = n.blocks.bodies[r.body].lines()
		}
		head = strconv.AppendUint(head[:0], r.number, 10)
		head = appendHex(append(head, ' '), r.hash[:])
		head = strconv.AppendUint(append(head, ' '), r.time, 10)
		for _, l := range lines[r.body] {
			line = append(append(line[:0], head...), l...)
			out.Digest += xxhash.Sum64(line)
			out.Logs++
		}
	}
	return out
}

// lines are the watched logs' lines from the transaction hash on.
func (b *body) lines() (all [][]byte) {
	for i, l := range b.logs {
		if !b.watched[i] {
			continue
		}
		line := appendHex([]byte{' '}, l.TxHash[:])
		line = strconv.AppendUint(append(line, ' '), uint64(l.TxIndex), 10)
		line = strconv.AppendUint(append(line, ' '), uint64(l.Index), 10)
		line = append(appendHex(append(line, ' '), l.Address[:]), ' ')
		for j, topic := range l.Topics {
			if j > 0 {
				line = append(line, ',')
			}
			line = appendHex(line, topic[:])
		}
		all = append(all, appendHex(append(line, ' '), l.Data))
	}
	return all
}

// Query is the same in ClickHouse's SQL over a table or view with the columns of
// superindex's events.
func (l Ledger) Query(table string, chainID uint64) string {
	return fmt.Sprintf(`SELECT count() AS logs, sum(xxHash64(concat(toString(block_number), ' ', block_hash, ' ', toString(toUnixTimestamp(block_time)), ' ',
  tx_hash, ' ', toString(tx_index), ' ', toString(log_index), ' ', address, ' ', arrayStringConcat(topics, ','), ' ', data))) AS digest
FROM %s WHERE chain_id = %d AND block_number BETWEEN %d AND %d`, table, chainID, l.From, l.To)
}

// Watched are the watched contracts.
func (n *Node) Watched() []chain.Address {
	all := make([]chain.Address, len(n.blocks.maker.watched))
	for i, a := range n.blocks.maker.watched {
		all[i] = chain.Address(a)
	}
	return all
}

// Blooms are the blooms in the headers of blocks from..to.
func (n *Node) Blooms(from, to uint64) (all [][256]byte) {
	for _, r := range n.blocks.between(from, to) {
		all = append(all, n.blocks.bodies[r.body].header.Bloom)
	}
	return all
}
