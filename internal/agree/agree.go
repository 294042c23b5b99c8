// Package agree compares what users read, the warehouse and the folded stream, with
// the chain as the oracle reads it. A Stores is safe for concurrent use; Compare
// keeps nothing.
package agree

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	"superindex/internal/fold"
	"superindex/internal/oracle"
)

// Stores are what users of a network read.
type Stores struct {
	Warehouse driver.Conn
	Stream    jetstream.Stream
}

// Compare reads the watched logs of a chain that stands still, from block 1 to its
// head, and returns them; the error lists where the warehouse or the folded stream
// differs from them. Both must have come to the head.
func (s Stores) Compare(ctx context.Context, client *ethclient.Client, of chain.Stream, watched []chain.Address) (oracle.Set, error) {
	head, err := client.BlockNumber(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the head of %s: %w", of, err)
	}
	want, heads, err := oracle.Read(ctx, client, oracle.Query{Network: of.Name, From: 1, To: head, Watched: watched})
	if err != nil {
		return nil, err
	}
	held, err := oracle.FromWarehouse(ctx, s.Warehouse, of)
	if err != nil {
		return nil, err
	}
	folded, err := s.folded(ctx, of, heads)
	if err != nil {
		return nil, err
	}
	return want, errors.Join(named("the warehouse", oracle.Compare(want, held)), named("the folded stream", oracle.Compare(want, folded)))
}

func named(store string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s differs from the chain: %w", store, err)
}

// folded follows every message as a consumer does, to the last one.
func (s Stores) folded(ctx context.Context, of chain.Stream, heads oracle.Heads) (oracle.Set, error) {
	f := fold.New()
	if err := f.Follow(ctx, s.Stream, func(pending uint64) bool { return pending > 0 }); err != nil {
		return nil, fmt.Errorf("fold the stream of %s: %w", of, err)
	}
	rows := make([]oracle.Folded, 0, len(f.Rows))
	for _, r := range f.Rows {
		at, err := time.Parse(time.RFC3339, r.BlockTime)
		if err != nil {
			return nil, fmt.Errorf("log %d of block %d in the stream of %s: %w", r.LogIndex, r.BlockNumber, of, err)
		}
		rows = append(rows, oracle.Folded{
			Network: of.Name, BlockNumber: r.BlockNumber, BlockHash: r.BlockHash, BlockTime: uint64(at.Unix()), TxHash: r.TxHash,
			LogIndex: r.LogIndex, Address: r.Address, Topics: r.Topics, Data: r.Data,
		})
	}
	return oracle.FromStream(rows, heads)
}
