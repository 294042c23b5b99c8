package replay

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"sync"

	"superindex/chain"
)

// Node answers from a recording. It is an http.Handler.
type Node struct {
	chainID uint64
	rec     *Recording
	final   int // so many blocks below the head one is finalized; below 0: it has no such tags

	mu     sync.Mutex
	blocks []*Block // the chain now
}

// NewNode shows the recording's first head. Where final is 0 or above, the block so
// far below the head is safe and finalized, or the lowest that was recorded.
func NewNode(chainID uint64, rec *Recording, final int) *Node {
	return &Node{chainID: chainID, rec: rec, final: final, blocks: rec.Chain(rec.Heads[0])}
}

// Show shows another head of the recording.
func (n *Node) Show(head chain.Hash) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.blocks = n.rec.Chain(head)
}

type call struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

// ServeHTTP answers a batch of calls, all from one state of the chain.
func (n *Node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var calls []call
	if err := json.NewDecoder(r.Body).Decode(&calls); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	n.mu.Lock()
	now := state{n.chainID, n.blocks, n.final}
	n.mu.Unlock()
	type answer struct {
		ID     json.RawMessage `json:"id"`
		Result any             `json:"result,omitempty"`
		Error  *fault          `json:"error,omitempty"`
	}
	answers := make([]answer, len(calls))
	for i, c := range calls {
		answers[i].ID = c.ID
		answers[i].Result, answers[i].Error = now.answer(c)
	}
	if err := json.NewEncoder(w).Encode(answers); err != nil {
		panic(http.ErrAbortHandler) // the caller is gone
	}
}

type fault struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// state is the chain at one instant.
type state struct {
	chainID uint64
	blocks  []*Block
	final   int
}

var null = json.RawMessage("null")

func (s state) answer(c call) (any, *fault) {
	switch c.Method {
	case "eth_chainId":
		return fmt.Sprintf("%#x", s.chainID), nil
	case "eth_getBlockByNumber":
		return s.block(text(c)), nil
	case "eth_getLogs":
		return s.logs(c)
	case "eth_getBlockReceipts":
		if b := s.at(text(c)); b == nil {
			return null, nil
		} else if b.Receipts != nil {
			return b.Receipts, nil
		}
	}
	return nil, &fault{-32601, "the method " + c.Method + " does not exist/is not available"}
}

// text is a call's first parameter; "" where that is no text.
func text(c call) (t string) {
	if len(c.Params) > 0 && json.Unmarshal(c.Params[0], &t) != nil {
		return ""
	}
	return t
}

// at is the block of a number or a tag; nil where there is none.
func (s state) at(name string) *Block {
	top := len(s.blocks) - 1
	switch name {
	case "latest":
		return s.blocks[top]
	case "safe", "finalized":
		if s.final < 0 {
			return nil
		}
		return s.blocks[max(0, top-s.final)]
	}
	number, err := strconv.ParseUint(name, 0, 64)
	if i := int(number - s.blocks[0].Number); err == nil && i >= 0 && i <= top {
		return s.blocks[i]
	}
	return nil
}

// block is a block's text. Of the one below the recording nothing is known but its
// number and hash.
func (s state) block(name string) json.RawMessage {
	if b := s.at(name); b != nil {
		return b.Body
	}
	lowest := s.blocks[0]
	if name != fmt.Sprintf("%#x", lowest.Number-1) {
		return null
	}
	return fmt.Appendf(nil, `{"number":%q,"hash":"%v","parentHash":"%v","timestamp":"0x0","logsBloom":"0x","transactions":[]}`, name, lowest.Parent, chain.Hash{})
}

func (s state) logs(c call) (any, *fault) {
	var filter struct{ FromBlock, ToBlock string }
	if len(c.Params) == 0 || json.Unmarshal(c.Params[0], &filter) != nil {
		return nil, &fault{-32602, "invalid argument 0"}
	}
	from, to := s.at(filter.FromBlock), s.at(filter.ToBlock)
	if from == nil || to == nil || from.Number > to.Number {
		return nil, &fault{-32602, "block range extends beyond current head block"}
	}
	all := []json.RawMessage{}
	for _, b := range s.blocks[from.Number-s.blocks[0].Number : to.Number-s.blocks[0].Number+1] {
		all = append(all, b.Logs...)
	}
	return all, nil
}
