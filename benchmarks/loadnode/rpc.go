package loadnode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"

	"superindex/chain"
)

// request is one JSON-RPC call.
type request struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

// rpcError is an answer that is none.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (e *rpcError) Error() string { return e.Message }

func fail(code int, format string, args ...any) error {
	return &rpcError{code, fmt.Sprintf(format, args...)}
}

// part is a piece of a result: some of a template at a place.
type part struct {
	*template
	span
	*place
}

// result is what a call gives: text, or parts, which a list has in brackets and
// with commas between them.
type result struct {
	text  []byte
	parts []part
	list  bool
}

// answer is one call's answer.
type answer struct {
	id json.RawMessage
	result
}

// parse reads a request's body: one call, or a batch.
func parse(body []byte) (calls []request, batch bool, err error) {
	body = bytes.TrimLeft(body, " \t\r\n")
	if len(body) > 0 && body[0] == '[' {
		err = json.Unmarshal(body, &calls)
		return calls, true, err
	}
	calls = make([]request, 1)
	return calls, false, json.Unmarshal(body, &calls[0])
}

// answer answers one call. A fault is a result too.
func (n *Node) answer(c *request) answer {
	n.counters.item(c.Method)
	r, err := n.call(c)
	if err != nil {
		r = result{}
		r.text, _ = json.Marshal(err) // a struct of a number and a text
	}
	if c.ID == nil {
		c.ID = json.RawMessage("null")
	}
	return answer{failed(c.ID, err), r}
}

// failed is the id, and whether a result or an error follows it: the members
// between them.
func failed(id json.RawMessage, err error) json.RawMessage {
	member := `,"result":`
	if err != nil {
		member = `,"error":`
	}
	return append(id[:len(id):len(id)], member...)
}

func (n *Node) call(c *request) (result, error) {
	switch c.Method {
	case "eth_chainId":
		return result{text: strconv.AppendQuote(nil, string(appendQuantity(nil, n.o.ChainID)))}, nil
	case "net_version":
		return result{text: strconv.AppendQuote(nil, strconv.FormatUint(n.o.ChainID, 10))}, nil
	case "eth_blockNumber":
		latest, _, _ := n.blocks.heads()
		return result{text: strconv.AppendQuote(nil, string(appendQuantity(nil, latest.number)))}, nil
	case "eth_syncing":
		return result{text: []byte("false")}, nil
	case "web3_clientVersion":
		return result{text: []byte(`"superindex-loadnode"`)}, nil
	case "eth_getBlockByNumber", "eth_getBlockByHash":
		return n.block(c.Params)
	case "eth_getBlockReceipts":
		return n.receipts(c.Params)
	case "eth_getLogs":
		return n.logs(c.Params)
	}
	return result{}, fail(-32601, "the method %s does not exist/is not available", c.Method)
}

// find is the block that a parameter names: by number, tag or hash, or an object
// with one of them; nil where there is none.
func (n *Node) find(param json.RawMessage) (*record, error) {
	var text string
	if err := json.Unmarshal(param, &text); err != nil {
		var o struct {
			Number *string `json:"blockNumber"`
			Hash   *string `json:"blockHash"`
		}
		if json.Unmarshal(param, &o) != nil || (o.Number == nil) == (o.Hash == nil) {
			return nil, fail(-32602, "invalid argument 0: no block number or hash")
		}
		if text = ""; o.Number != nil {
			text = *o.Number
		} else {
			text = *o.Hash
		}
	}
	var hash chain.Hash
	if hash.UnmarshalText([]byte(text)) == nil {
		return n.blocks.hash(hash), nil
	}
	return n.tagged(text)
}

// tagged is the block of a number or a tag; nil where there is none yet.
func (n *Node) tagged(text string) (*record, error) {
	latest, safe, final := n.blocks.heads()
	switch text {
	case "latest", "pending", "":
		return latest, nil
	case "safe":
		return safe, nil
	case "finalized":
		return final, nil
	case "earliest":
		return n.blocks.number(0), nil
	}
	number, err := strconv.ParseUint(text, 0, 63)
	if err != nil {
		return nil, fail(-32602, "invalid argument 0: %q is no block number", text)
	}
	return n.blocks.number(number), nil
}

var null = result{text: []byte("null")}

// block is eth_getBlockByNumber and eth_getBlockByHash.
func (n *Node) block(params []json.RawMessage) (result, error) {
	if len(params) == 0 {
		return result{}, fail(-32602, "missing value for required argument 0")
	}
	r, err := n.find(params[0])
	if err != nil || r == nil {
		return null, err
	}
	shown := &n.blocks.bodies[r.body].shownHashes
	if len(params) > 1 && string(params[1]) == "true" {
		shown = &n.blocks.bodies[r.body].shownFull
	}
	return result{parts: []part{{shown, shown.whole(), r.place()}}}, nil
}

// receipts is eth_getBlockReceipts.
func (n *Node) receipts(params []json.RawMessage) (result, error) {
	if len(params) == 0 {
		return result{}, fail(-32602, "missing value for required argument 0")
	}
	r, err := n.find(params[0])
	if err != nil || r == nil {
		return null, err
	}
	n.served(r)
	shown := &n.blocks.bodies[r.body].shownReceipts
	return result{parts: []part{{shown, shown.whole(), r.place()}}, list: true}, nil
}
