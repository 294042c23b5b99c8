package ethrpc

import (
	"context"
	"fmt"

	"superindex/chain"
	"superindex/indexer"
)

// Fetch reads a range. The header of its last block and its logs come from one
// request; dense ranges of more than 100 blocks ask for the first headers before.
func (c *Client) Fetch(ctx context.Context, r indexer.Range, want indexer.Want) (indexer.Fetched, error) {
	if r.From > r.To {
		return indexer.Fetched{}, fmt.Errorf("range %d to %d is no range", r.From, r.To)
	}
	if want.Receipts {
		return c.fetchReceipts(ctx, r, want)
	}
	s := newScan(r, want.Watched, want.Memory)
	numbers := ends(r)
	if want.Dense {
		numbers = all(r)
	}
	headers, size, err := c.headersAndLogs(ctx, numbers, s, want.Anchor)
	if err != nil {
		return indexer.Fetched{}, err
	}
	if err := s.match(headers, want.Dense); err != nil {
		return indexer.Fetched{}, c.wrap(r, err)
	}
	if !want.Dense {
		more, err := c.readTimes(ctx, s, headers[0], headers[len(headers)-1])
		if err != nil {
			return indexer.Fetched{}, err
		}
		size += more
	}
	f := s.merge(headers)
	f.Bytes = size
	return f, nil
}

// wrap names the endpoint and the range in an error that was found here.
func (c *Client) wrap(r indexer.Range, err error) error {
	return c.errorf(err, "blocks %d to %d: %v", r.From, r.To, err)
}

// ends are the numbers of the first block and the last, once if they are one.
func ends(r indexer.Range) []uint64 {
	if r.From == r.To {
		return []uint64{r.From}
	}
	return []uint64{r.From, r.To}
}

func all(r indexer.Range) []uint64 {
	numbers := make([]uint64, 0, r.Len())
	for n := r.From; n <= r.To; n++ {
		numbers = append(numbers, n)
	}
	return numbers
}

// headersAndLogs reads the headers of these numbers and, in the same request as
// the last of them, the logs. It returns a header for every number.
func (c *Client) headersAndLogs(ctx context.Context, numbers []uint64, s *scan, anchor chain.BlockRef) ([]*header, int, error) {
	early := (len(numbers) - 1) / maxHeaders * maxHeaders
	first, size, err := c.headers(ctx, numbers[:early])
	if err == nil {
		err = c.present(first, numbers[:early])
	}
	if err != nil {
		return nil, 0, err
	}
	last, n, err := c.lastAndLogs(ctx, numbers[early:], s, anchor)
	return append(first, last...), size + n, err
}

// lastAndLogs is one request: some headers, the anchor, the logs.
func (c *Client) lastAndLogs(ctx context.Context, numbers []uint64, s *scan, anchor chain.BlockRef) ([]*header, int, error) {
	anchored := anchor != chain.BlockRef{}
	if anchored {
		numbers = append(numbers[:len(numbers):len(numbers)], anchor.Number)
	}
	headers, calls := headerCalls(numbers)
	logs := &call{method: "eth_getLogs", params: []any{map[string]string{
		"fromBlock": hexNumber(s.within.From), "toBlock": hexNumber(s.within.To),
	}}, read: s.read}
	size, err := c.do(ctx, append(calls, logs))
	if err == nil {
		err = c.checkHeaders(headers, numbers, calls)
	}
	if err == nil {
		err = c.present(headers, numbers)
	}
	if err == nil {
		err = logs.err
	}
	if err != nil || !anchored {
		return headers, size, err
	}
	end := len(headers) - 1
	if got := headers[end].ref(); got != anchor {
		err = c.errorf(indexer.ErrTorn, "it has block %v in place of %v", got, anchor)
	}
	return headers[:end], size, err
}

// present checks that there is a header for each of these numbers.
func (c *Client) present(headers []*header, numbers []uint64) error {
	for i, h := range headers {
		if h == nil {
			return c.errorf(indexer.ErrAbsent, "it does not have block %d", numbers[i])
		}
	}
	return nil
}

// readTimes reads the headers of the blocks whose logs do not say their time, as
// logs of older nodes do not, and checks that they are the blocks of the logs.
func (c *Client) readTimes(ctx context.Context, s *scan, first, last *header) (size int, err error) {
	numbers := s.untimed(first, last)
	headers, size, err := c.headers(ctx, numbers)
	if err != nil {
		return 0, err
	}
	if err := c.present(headers, numbers); err != nil {
		return 0, err
	}
	if err := s.time(headers); err != nil {
		return 0, c.wrap(s.within, err)
	}
	return size, nil
}
