package replay

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"

	"superindex/chain"
)

// Block is one block as a node gave it.
type Block struct {
	chain.BlockRef
	Parent   chain.Hash
	Body     json.RawMessage   // eth_getBlockByNumber(n, true)
	Logs     []json.RawMessage // as eth_getLogs gives them
	Receipts json.RawMessage   // eth_getBlockReceipts; nil where they were not recorded
}

// Recording is blocks, some of them of forks that were left, and the order in which
// they were the head.
type Recording struct {
	Blocks map[chain.Hash]*Block
	Heads  []chain.Hash
}

// body is what of a block its place depends on.
type body struct {
	Number       string
	Hash, Parent chain.Hash
}

func (b *body) UnmarshalJSON(text []byte) error {
	var all struct {
		Number           string
		Hash, ParentHash chain.Hash
	}
	err := json.Unmarshal(text, &all)
	*b = body{all.Number, all.Hash, all.ParentHash}
	return err
}

// add takes a block, once.
func (r *Recording) add(text json.RawMessage) (*Block, error) {
	var of body
	if err := json.Unmarshal(text, &of); err != nil {
		return nil, fmt.Errorf("read a recorded block: %w", err)
	}
	number, err := strconv.ParseUint(of.Number, 0, 64)
	if err != nil {
		return nil, fmt.Errorf("read a recorded block's number: %w", err)
	}
	if r.Blocks == nil {
		r.Blocks = map[chain.Hash]*Block{}
	}
	if r.Blocks[of.Hash] == nil {
		r.Blocks[of.Hash] = &Block{BlockRef: chain.BlockRef{Number: number, Hash: of.Hash}, Parent: of.Parent, Body: text}
	}
	return r.Blocks[of.Hash], nil
}

// ReadBlock reads {"block": ..., "receipts": ...}, packed with gzip: a chain of one
// block.
func ReadBlock(from io.Reader) (*Recording, error) {
	unpacked, err := gzip.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("unpack a block: %w", err)
	}
	var file struct{ Block, Receipts json.RawMessage }
	if err := json.NewDecoder(unpacked).Decode(&file); err != nil {
		return nil, fmt.Errorf("read a block: %w", err)
	}
	var receipts []struct{ Logs []json.RawMessage }
	if err := json.Unmarshal(file.Receipts, &receipts); err != nil {
		return nil, fmt.Errorf("read a block's receipts: %w", err)
	}
	r := new(Recording)
	b, err := r.add(file.Block)
	if err != nil {
		return nil, err
	}
	for _, one := range receipts {
		b.Logs = append(b.Logs, one.Logs...)
	}
	b.Receipts, r.Heads = file.Receipts, []chain.Hash{b.Hash}
	return r, nil
}

// entry is one line of a transcript.
type entry struct {
	Request struct {
		Method string
		Params []json.RawMessage
	}
	Response struct{ Result json.RawMessage }
}

// ReadTranscript reads what a node was asked and said, a line each, packed with gzip.
// Each block that was asked for by number, and was there, was the head then.
func ReadTranscript(from io.Reader) (*Recording, error) {
	unpacked, err := gzip.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("unpack a transcript: %w", err)
	}
	r := new(Recording)
	for lines := json.NewDecoder(unpacked); ; {
		var e entry
		if err := lines.Decode(&e); errors.Is(err, io.EOF) {
			return r, nil
		} else if err != nil {
			return nil, fmt.Errorf("read a transcript: %w", err)
		}
		if err := r.take(e); err != nil {
			return nil, err
		}
	}
}

func (r *Recording) take(e entry) error {
	if len(e.Response.Result) == 0 || string(e.Response.Result) == "null" {
		return nil
	}
	switch e.Request.Method {
	case "eth_getBlockByNumber":
		b, err := r.add(e.Response.Result)
		if err == nil && !slices.Contains(r.Heads, b.Hash) {
			r.Heads = append(r.Heads, b.Hash)
		}
		return err
	case "eth_getBlockByHash":
		_, err := r.add(e.Response.Result)
		return err
	case "eth_getLogs":
		return r.takeLogs(e)
	}
	return fmt.Errorf("read a transcript: nobody knows %s", e.Request.Method)
}

// takeLogs takes the logs of a block that was read before.
func (r *Recording) takeLogs(e entry) error {
	var filter struct{ BlockHash chain.Hash }
	if len(e.Request.Params) == 0 || json.Unmarshal(e.Request.Params[0], &filter) != nil || r.Blocks[filter.BlockHash] == nil {
		return errors.New("read a transcript: logs of no block that was recorded")
	}
	if err := json.Unmarshal(e.Response.Result, &r.Blocks[filter.BlockHash].Logs); err != nil {
		return fmt.Errorf("read a transcript's logs: %w", err)
	}
	return nil
}

// Chain is the blocks up to a head, lowest first, as far as they were recorded.
func (r *Recording) Chain(head chain.Hash) (blocks []*Block) {
	for b := r.Blocks[head]; b != nil; b = r.Blocks[b.Parent] {
		blocks = append(blocks, b)
	}
	slices.Reverse(blocks)
	return blocks
}
