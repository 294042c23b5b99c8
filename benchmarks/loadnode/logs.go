package loadnode

import (
	"encoding/json"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"

	"superindex/chain"
)

// filter is eth_getLogs' parameter.
type filter struct {
	From      string                    `json:"fromBlock"`
	To        string                    `json:"toBlock"`
	BlockHash *chain.Hash               `json:"blockHash"`
	Address   oneOrMany[common.Address] `json:"address"`
	Topics    []oneOrMany[common.Hash]  `json:"topics"`
	addresses map[common.Address]bool   // nil: all
	picked    map[uint32][]int          // a body's logs that match
}

// oneOrMany is a value, a list of them, or null for any.
type oneOrMany[T any] []T

// UnmarshalJSON reads any of the forms.
func (m *oneOrMany[T]) UnmarshalJSON(b []byte) error {
	if string(b) == "null" {
		return nil
	}
	if len(b) > 0 && b[0] == '[' {
		return json.Unmarshal(b, (*[]T)(m))
	}
	var one T
	err := json.Unmarshal(b, &one)
	*m = []T{one}
	return err
}

// logs is eth_getLogs.
func (n *Node) logs(params []json.RawMessage) (result, error) {
	var f filter
	if len(params) == 0 {
		return result{}, fail(-32602, "missing value for required argument 0")
	}
	if err := json.Unmarshal(params[0], &f); err != nil {
		return result{}, fail(-32602, "invalid argument 0: %v", err)
	}
	f.prepare()
	some, err := n.filtered(&f)
	if err != nil {
		return result{}, err
	}
	if err := n.tooMany(&f, some); err != nil {
		return result{}, err
	}
	out := result{list: true, parts: make([]part, 0, len(some))}
	for _, r := range some {
		out.parts = n.matching(out.parts, &f, r)
		n.served(r)
	}
	return out, nil
}

// filtered are the blocks that a filter names.
func (n *Node) filtered(f *filter) ([]*record, error) {
	if f.BlockHash != nil {
		if r := n.blocks.hash(*f.BlockHash); r != nil {
			return []*record{r}, nil
		}
		return nil, fail(-32000, "unknown block")
	}
	from, err := n.tagged(f.From)
	if err != nil {
		return nil, err
	}
	to, err := n.tagged(f.To)
	switch {
	case err != nil:
		return nil, err
	case from == nil || to == nil:
		return nil, fail(-32602, "block range extends beyond current head block")
	case from.number > to.number:
		return nil, fail(-32602, "invalid block range params")
	case n.o.MaxBlocks > 0 && to.number-from.number >= n.o.MaxBlocks:
		return nil, fail(-32602, "query exceeds max block range %d", n.o.MaxBlocks)
	}
	return n.blocks.between(from.number, to.number), nil
}

// tooMany refuses as op-reth does, with a range that would do.
func (n *Node) tooMany(f *filter, some []*record) error {
	if n.o.MaxLogs == 0 || len(some) == 0 {
		return nil
	}
	count, last := 0, some[0].number
	for _, r := range some {
		count += len(f.pick(r.body, n.blocks.bodies[r.body]))
		if count > n.o.MaxLogs {
			return fail(-32602, "query exceeds max results %d, retry with the range %d-%d", n.o.MaxLogs, some[0].number, last)
		}
		last = r.number
	}
	return nil
}

// matching adds a block's logs that match: all as one part, or each as one.
func (n *Node) matching(parts []part, f *filter, r *record) []part {
	b := n.blocks.bodies[r.body]
	picked := f.pick(r.body, b)
	if len(picked) == 0 {
		return parts
	}
	p := r.place()
	if len(picked) == len(b.logs) {
		return append(parts, part{&b.shownLogs, b.shownLogs.whole(), p})
	}
	for _, i := range picked {
		parts = append(parts, part{&b.shownLogs, b.shownLogs.log(i), p})
	}
	return parts
}

func (f *filter) prepare() {
	f.picked = map[uint32][]int{}
	if len(f.Address) > 0 {
		f.addresses = make(map[common.Address]bool, len(f.Address))
		for _, a := range f.Address {
			f.addresses[a] = true
		}
	}
}

// pick are the indexes of a body's logs that match; found once for each body.
func (f *filter) pick(index uint32, b *body) []int {
	picked, known := f.picked[index]
	if !known {
		for i, l := range b.logs {
			if f.match(l) {
				picked = append(picked, i)
			}
		}
		f.picked[index] = picked
	}
	return picked
}

func (f *filter) match(l *types.Log) bool {
	if f.addresses != nil && !f.addresses[l.Address] || len(f.Topics) > len(l.Topics) {
		return false
	}
	for i, want := range f.Topics {
		if len(want) > 0 && !slices.Contains(want, l.Topics[i]) {
			return false
		}
	}
	return true
}
