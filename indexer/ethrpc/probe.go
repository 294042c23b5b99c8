package ethrpc

import (
	"context"
	"time"

	"superindex/indexer"
)

// Probe is what an endpoint says of itself.
type Probe struct {
	indexer.Heads
	Receipts bool          // it serves eth_getBlockReceipts
	Took     time.Duration // of a small request on a connection that stands
}

// Probe asks the endpoint for its chain, its heads and for what an indexer needs of
// it: the logs of its latest block. Without them it is of no use, which is an error.
func (c *Client) Probe(ctx context.Context) (p Probe, err error) {
	if err := c.Verify(ctx); err != nil {
		return p, err
	}
	began := time.Now()
	if p.Heads, err = c.Heads(ctx); err != nil {
		return p, err
	}
	p.Took = time.Since(began)
	at := hexNumber(p.Latest.Number)
	skip := func(c *cursor) error { c.value(); return c.err }
	logs := &call{method: "eth_getLogs", params: []any{map[string]string{"fromBlock": at, "toBlock": at}}, read: skip}
	if _, err := c.do(ctx, []*call{logs}); err != nil {
		return p, err
	}
	if logs.err != nil {
		return p, logs.err
	}
	receipts := &call{method: "eth_getBlockReceipts", params: []any{at}, read: skip}
	_, err = c.do(ctx, []*call{receipts})
	p.Receipts = err == nil && receipts.err == nil
	return p, nil
}
