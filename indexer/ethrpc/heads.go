package ethrpc

import (
	"context"
	"errors"
	"strconv"
	"strings"

	"superindex/chain"
	"superindex/indexer"
)

// maxHeaders is how many headers one request asks for. Nodes take 1,000 calls,
// but a header carries its transactions' hashes: 100 of them are some MB.
const maxHeaders = 100

// headerCall reads one block's header; at is a number or a tag. The header stays
// nil where the node has no such block.
func headerCall(at string, into **header) *call {
	return &call{
		method: "eth_getBlockByNumber",
		params: []any{at, false},
		read: func(c *cursor) (err error) {
			*into, err = c.header()
			return err
		},
	}
}

func hexNumber(n uint64) string { return "0x" + strconv.FormatUint(n, 16) }

// Heads reads latest, safe and finalized in one request.
func (c *Client) Heads(ctx context.Context) (indexer.Heads, error) {
	var latest, safe, final *header
	calls := []*call{headerCall("latest", &latest), headerCall("safe", &safe), headerCall("finalized", &final)}
	if _, err := c.do(ctx, calls); err != nil {
		return indexer.Heads{}, err
	}
	if calls[0].err != nil {
		return indexer.Heads{}, calls[0].err
	}
	if latest == nil {
		return indexer.Heads{}, c.errorf(nil, "latest block: the answer is null")
	}
	for _, call := range calls[1:] {
		if call.err != nil && !call.unknownTag() {
			return indexer.Heads{}, call.err
		}
	}
	return indexer.Heads{Latest: latest.ref(), Safe: refOrZero(safe), Final: refOrZero(final), Time: latest.block().Time}, nil
}

func refOrZero(h *header) chain.BlockRef {
	if h == nil {
		return chain.BlockRef{}
	}
	return h.ref()
}

// unknownTag reports whether the node has no such head yet ("safe block not
// found", before the first fork choice) or does not know the tag at all.
func (c *call) unknownTag() bool {
	const invalidParams = -32602
	if c.fault == nil {
		return false
	}
	switch c.fault.judge().Kind {
	case Behind, Missing:
		return true
	case Unknown, Transient:
		return c.fault.code == invalidParams || strings.Contains(strings.ToLower(c.fault.text), "not found")
	}
	return false
}

// Headers reads the canonical headers of these numbers, 100 in a request. The
// answer lacks those that the node does not have. A node that takes fewer in one
// request is asked for halves.
func (c *Client) Headers(ctx context.Context, numbers []uint64) ([]chain.Block, error) {
	headers, _, err := c.headers(ctx, numbers)
	if err != nil {
		return nil, err
	}
	blocks := make([]chain.Block, 0, len(headers))
	for _, h := range headers {
		if h != nil {
			blocks = append(blocks, h.block())
		}
	}
	return blocks, nil
}

// headers returns a header a number, nil where the node has none, and the size
// of the answers.
func (c *Client) headers(ctx context.Context, numbers []uint64) (headers []*header, size int, err error) {
	for len(numbers) > 0 {
		n := min(len(numbers), maxHeaders)
		some, bytes, err := c.headerBatch(ctx, numbers[:n])
		if err != nil {
			return nil, 0, err
		}
		headers, size, numbers = append(headers, some...), size+bytes, numbers[n:]
	}
	return headers, size, nil
}

func (c *Client) headerBatch(ctx context.Context, numbers []uint64) ([]*header, int, error) {
	headers, calls := headerCalls(numbers)
	size, err := c.do(ctx, calls)
	if err == nil {
		err = c.checkHeaders(headers, numbers, calls)
	}
	half := len(numbers) / 2
	if half == 0 || !errors.Is(err, indexer.ErrTooLarge) {
		return headers, size, err
	}
	left, n, err := c.headerBatch(ctx, numbers[:half])
	if err != nil {
		return nil, 0, err
	}
	right, m, err := c.headerBatch(ctx, numbers[half:])
	return append(left, right...), n + m, err
}

// headerCalls makes a call a number; the headers stand where the calls put them.
func headerCalls(numbers []uint64) ([]*header, []*call) {
	headers, calls := make([]*header, len(numbers)), make([]*call, len(numbers))
	for i, n := range numbers {
		calls[i] = headerCall(hexNumber(n), &headers[i])
	}
	return headers, calls
}

// checkHeaders returns the first error of the calls. That the node has not got a
// block is none: some say so by an error, most by null, and its header is nil.
func (c *Client) checkHeaders(headers []*header, numbers []uint64, calls []*call) error {
	for i, h := range headers {
		if err := calls[i].err; err != nil && !errors.Is(err, indexer.ErrAbsent) {
			return err
		}
		if h != nil && h.Number.n != numbers[i] {
			return c.errorf(nil, "asked for block %d and was given %d", numbers[i], h.Number.n)
		}
	}
	return nil
}
