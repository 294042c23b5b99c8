package oracle

import (
	"context"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"

	"superindex/chain"
)

// ErrMoved is what Read returns when the chain moved while it was read.
var ErrMoved = errors.New("the chain moved while it was read")

// Query says what of a chain is to be read.
type Query struct {
	Network  string
	From, To uint64 // both included; To is at most the head
	Watched  []chain.Address
}

// Read reads the watched logs of a range from receipts, makes sure that
// eth_getLogs says the same of all logs, and gives each the finality that it has
// by the heads, which it returns too. The chain must stand still: else ErrMoved.
func Read(ctx context.Context, client *ethclient.Client, q Query) (Set, Heads, error) {
	r := &reader{client: client, q: q, watched: map[common.Address]bool{}}
	for _, a := range q.Watched {
		r.watched[common.Address(a)] = true
	}
	set, err := r.read(ctx)
	if err != nil {
		return nil, Heads{}, fmt.Errorf("oracle: blocks %d to %d of %s: %w", q.From, q.To, q.Network, err)
	}
	return set, r.heads, nil
}

// reader is one Read under way.
type reader struct {
	client  *ethclient.Client
	q       Query
	watched map[common.Address]bool
	heads   Heads
	headers []*types.Header // of the range
}

func (r *reader) read(ctx context.Context) (Set, error) {
	before, err := r.readHeads(ctx)
	if err != nil {
		return nil, err
	}
	if r.q.To > r.heads.Latest {
		return nil, fmt.Errorf("the head is %d", r.heads.Latest)
	}
	if err := r.readHeaders(ctx); err != nil {
		return nil, err
	}
	wanted, all := Set{}, Set{}
	for _, h := range r.headers {
		if err := r.readReceipts(ctx, h, wanted, all); err != nil {
			return nil, err
		}
	}
	if err := r.checkLogs(ctx, all); err != nil {
		return nil, err
	}
	after, err := r.readHeads(ctx)
	if err == nil && before != after {
		err = ErrMoved
	}
	return wanted, err
}

// readHeads reads the heads and returns the latest block's hash. A safe or
// finalized block that is not on the chain counts for nothing yet: the chain is
// moving.
func (r *reader) readHeads(ctx context.Context) (common.Hash, error) {
	latest, err := r.client.HeaderByNumber(ctx, nil)
	if err != nil {
		return common.Hash{}, fmt.Errorf("read the head: %w", err)
	}
	r.heads.Latest = latest.Number.Uint64()
	for tag, into := range map[rpc.BlockNumber]*uint64{
		rpc.SafeBlockNumber: &r.heads.Safe, rpc.FinalizedBlockNumber: &r.heads.Final,
	} {
		if *into, err = r.readTag(ctx, tag); err != nil {
			return common.Hash{}, fmt.Errorf("read the %v block: %w", tag, err)
		}
	}
	return latest.Hash(), nil
}

func (r *reader) readTag(ctx context.Context, tag rpc.BlockNumber) (uint64, error) {
	tagged, err := r.client.HeaderByNumber(ctx, big.NewInt(int64(tag)))
	var said rpc.Error
	if errors.Is(err, ethereum.NotFound) || errors.As(err, &said) && said.Error() == tag.String()+" block not found" {
		return 0, nil // before the first fork choice
	}
	if err != nil {
		return 0, err
	}
	held, err := r.client.HeaderByNumber(ctx, tagged.Number)
	switch {
	case errors.Is(err, ethereum.NotFound), err == nil && held.Hash() != tagged.Hash():
		return 0, fmt.Errorf("block %v is not on the chain: %w", tagged.Number, ErrMoved)
	case err != nil:
		return 0, err
	}
	return tagged.Number.Uint64(), nil
}

// readHeaders reads the range's headers, each the parent of the next.
func (r *reader) readHeaders(ctx context.Context) error {
	for n := r.q.From; n <= r.q.To; n++ {
		h, err := r.client.HeaderByNumber(ctx, new(big.Int).SetUint64(n))
		if err != nil {
			return fmt.Errorf("read block %d: %w", n, err)
		}
		if k := len(r.headers); k > 0 && h.ParentHash != r.headers[k-1].Hash() {
			return fmt.Errorf("block %d has another parent: %w", n, ErrMoved)
		}
		r.headers = append(r.headers, h)
	}
	return nil
}

// readReceipts adds a block's logs to all, and the watched ones to wanted. A
// block whose bloom is empty has none.
func (r *reader) readReceipts(ctx context.Context, h *types.Header, wanted, all Set) error {
	if h.Bloom == (types.Bloom{}) {
		return nil
	}
	receipts, err := r.client.BlockReceipts(ctx, rpc.BlockNumberOrHashWithHash(h.Hash(), true))
	if err != nil {
		return fmt.Errorf("read the receipts of block %v: %w", h.Number, err)
	}
	for _, receipt := range receipts {
		for _, l := range receipt.Logs {
			key, row := r.row(l, h)
			if err := all.add(key, row); err != nil {
				return err
			}
			if r.watched[l.Address] {
				wanted[key] = row
			}
		}
	}
	return nil
}

// logsAtOnce is how many blocks eth_getLogs is asked for: what every node takes.
const logsAtOnce = 500

// checkLogs compares what eth_getLogs says with all logs of the receipts.
func (r *reader) checkLogs(ctx context.Context, all Set) error {
	set := Set{}
	for from := r.q.From; from <= r.q.To; from += logsAtOnce {
		logs, err := r.client.FilterLogs(ctx, ethereum.FilterQuery{
			FromBlock: new(big.Int).SetUint64(from),
			ToBlock:   new(big.Int).SetUint64(min(from+logsAtOnce-1, r.q.To)),
		})
		if err != nil {
			return fmt.Errorf("read the logs from block %d: %w", from, err)
		}
		for i := range logs {
			if n := logs[i].BlockNumber; n < r.q.From || n > r.q.To || logs[i].Removed {
				return fmt.Errorf("a log of block %d, removed %v", n, logs[i].Removed)
			}
			if err := set.add(r.row(&logs[i], r.headers[logs[i].BlockNumber-r.q.From])); err != nil {
				return err
			}
		}
	}
	if err := Compare(all, set); err != nil {
		return fmt.Errorf("eth_getLogs and the receipts disagree: %w", err)
	}
	return nil
}

// row is a log's key and content. The block's time and number are the header's,
// the hash is what the log says.
func (r *reader) row(l *types.Log, h *types.Header) (Key, Row) {
	topics := make([]chain.Hash, len(l.Topics))
	for i, topic := range l.Topics {
		topics[i] = chain.Hash(topic)
	}
	number := h.Number.Uint64()
	return Key{r.q.Network, chain.Hash(l.BlockHash), uint32(l.Index)}, Row{
		Number: number, Time: h.Time, Tx: chain.Hash(l.TxHash), Address: chain.Address(l.Address),
		Finality: r.heads.finality(number), Digest: digest(topics, l.Data),
	}
}

// Dial connects to a node whose chain is to be read. The caller closes the client.
func Dial(ctx context.Context, url string) (*ethclient.Client, error) {
	client, err := ethclient.DialContext(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("oracle: %w", err)
	}
	return client, nil
}
