package e2e

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/crypto"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/ethereum/go-ethereum/trie"
	"golang.org/x/time/rate"

	"superindex/chain"
)

// The ledger's chain: 2 transactions a block, each of which makes 10 watched logs
// and another one. Every fiftieth block has none, and the one after it twice as many.
const (
	ledgerName  = "ledger"
	ledgerID    = 424242
	ledgerTxs   = 2
	ledgerLogs  = 10 // watched ones of a transaction
	ledgerUsers = 16 // watched contracts
)

// ledger is a chain that stands still, the same for every test, with true hashes,
// blooms and roots. It is read only.
type ledger struct {
	headers  []*types.Header
	shown    []json.RawMessage // the blocks as eth_getBlockByNumber shows them
	receipts [][]*types.Receipt
	byHash   map[common.Hash]uint64
	safe     uint64
	final    uint64
}

// newLedger makes blocks 0 to head; the last tenth is not finalized, and half of
// that not safe.
func newLedger(t *testing.T, head uint64) *ledger {
	t.Helper()
	l := &ledger{byHash: map[common.Hash]uint64{}, safe: head - head/20, final: head - head/10}
	for n := range head + 1 {
		if err := l.add(n); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

func (l *ledger) head() uint64 { return uint64(len(l.headers) - 1) }

// upTo is the same chain when its head was at that block.
func (l *ledger) upTo(head uint64) *ledger {
	below := *l
	below.headers, below.shown, below.receipts = l.headers[:head+1], l.shown[:head+1], l.receipts[:head+1]
	below.safe, below.final = head-head/20, head-head/10
	return &below
}

func contract(i uint32) chain.Address {
	return chain.Address(crypto.Keccak256(binary.BigEndian.AppendUint32([]byte("ledger"), i))[12:])
}

func ledgerWatched() (all []chain.Address) {
	for i := range uint32(ledgerUsers) {
		all = append(all, contract(i))
	}
	return all
}

func (l *ledger) add(n uint64) error {
	r := rand.New(rand.NewPCG(7, n))
	header := &types.Header{
		Number: new(big.Int).SetUint64(n), Time: 1_700_000_000 + 2*n, GasLimit: 30_000_000, GasUsed: 21_000 * ledgerTxs,
		Difficulty: new(big.Int), BaseFee: big.NewInt(1), Root: common.BytesToHash(crypto.Keccak256([]byte("state"))),
	}
	if n > 0 {
		header.ParentHash = l.headers[n-1].Hash()
	}
	body, receipts := transactions(r, n)
	block := types.NewBlock(header, body, receipts, trie.NewStackTrie(nil))
	place(block, receipts)
	shown, err := show(block)
	l.headers, l.receipts, l.shown = append(l.headers, block.Header()), append(l.receipts, receipts), append(l.shown, shown)
	l.byHash[block.Hash()] = n
	return err
}

func transactions(r *rand.Rand, n uint64) (*types.Body, []*types.Receipt) {
	count := ledgerTxs
	switch {
	case n == 0, n%50 == 7:
		count = 0
	case n%50 == 8:
		count = 2 * ledgerTxs
	}
	body, receipts := &types.Body{}, []*types.Receipt(nil)
	for i := range uint64(count) {
		to := common.Address(contract(r.Uint32N(ledgerUsers)))
		body.Transactions = append(body.Transactions, types.NewTx(&types.LegacyTx{
			Nonce: n<<8 | i, To: &to, Gas: 100_000, GasPrice: big.NewInt(1), Value: new(big.Int),
		}))
		receipt := &types.Receipt{Status: types.ReceiptStatusSuccessful, GasUsed: 21_000, CumulativeGasUsed: 21_000 * (i + 1)}
		for j := range ledgerLogs {
			receipt.Logs = append(receipt.Logs, logOf(r, j))
		}
		receipt.Logs = append(receipt.Logs, &types.Log{Address: common.HexToAddress("0xbeef"), Topics: []common.Hash{}, Data: []byte("nobody's")})
		receipt.Bloom = types.CreateBloom(receipt)
		receipts = append(receipts, receipt)
	}
	return body, receipts
}

// logOf is a transfer, or a log with 0 to 4 topics that nobody can decode.
func logOf(r *rand.Rand, j int) *types.Log {
	l := &types.Log{Address: common.Address(contract(r.Uint32N(ledgerUsers))), Topics: []common.Hash{}}
	if j%4 > 0 {
		l.Topics = []common.Hash{
			crypto.Keccak256Hash([]byte("Transfer(address,address,uint256)")),
			common.BigToHash(new(big.Int).SetUint64(r.Uint64())), common.BigToHash(new(big.Int).SetUint64(r.Uint64())),
		}
		l.Data = common.BigToHash(new(big.Int).SetUint64(r.Uint64())).Bytes()
		return l
	}
	for range r.IntN(5) {
		l.Topics = append(l.Topics, common.BigToHash(new(big.Int).SetUint64(r.Uint64())))
	}
	l.Data = make([]byte, r.IntN(200))
	for i := range l.Data {
		l.Data[i] = byte(r.Uint32())
	}
	return l
}

// place tells receipts and logs where they are.
func place(b *types.Block, receipts []*types.Receipt) {
	index := uint(0)
	for i, receipt := range receipts {
		receipt.TxHash, receipt.TransactionIndex = b.Transactions()[i].Hash(), uint(i)
		receipt.BlockHash, receipt.BlockNumber = b.Hash(), b.Number()
		for _, l := range receipt.Logs {
			l.BlockHash, l.BlockNumber, l.BlockTimestamp = b.Hash(), b.NumberU64(), b.Time()
			l.TxHash, l.TxIndex, l.Index = receipt.TxHash, uint(i), index
			index++
		}
	}
}

func show(b *types.Block) (json.RawMessage, error) {
	header, err := json.Marshal(b.Header())
	if err != nil {
		return nil, err
	}
	fields, hashes := map[string]any{}, []common.Hash{}
	for _, tx := range b.Transactions() {
		hashes = append(hashes, tx.Hash())
	}
	err = json.Unmarshal(header, &fields)
	fields["transactions"] = hashes
	shown, err2 := json.Marshal(fields)
	return shown, errors.Join(err, err2)
}

// number is a block's, by its number or a tag.
func (l *ledger) number(n rpc.BlockNumber) uint64 {
	switch n {
	case rpc.LatestBlockNumber, rpc.PendingBlockNumber:
		return l.head()
	case rpc.SafeBlockNumber:
		return l.safe
	case rpc.FinalizedBlockNumber:
		return l.final
	}
	return uint64(n)
}

// limits are how much a node gives.
type limits struct {
	logs    int           // most logs in one answer; 0: all
	latency time.Duration // of every request
	rate    rate.Limit    // requests a second; 0: no limit
}

// serve serves JSON-RPC over HTTP as a node with these limits, and returns its URL.
func (l *ledger) serve(t *testing.T, chainID uint64, most limits) string {
	t.Helper()
	return serve(t, l.node(t, chainID, most))
}

// node is the handler of such a node.
func (l *ledger) node(t *testing.T, chainID uint64, most limits) http.Handler {
	t.Helper()
	server := rpc.NewServer()
	if err := server.RegisterName("eth", &ledgerAPI{l, chainID, most.logs}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return throttled(server, most)
}

// serve lets a handler answer until the test ends, and its callers with it.
func serve(t *testing.T, h http.Handler) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s.URL
}

func throttled(h http.Handler, most limits) http.Handler {
	tokens := rate.NewLimiter(rate.Inf, 1)
	if most.rate > 0 {
		tokens = rate.NewLimiter(most.rate, 1)
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if tokens.Wait(r.Context()) != nil {
			return // the caller is gone
		}
		time.Sleep(most.latency)
		h.ServeHTTP(w, r)
	})
}

// ledgerAPI is the part of the eth namespace that indexer and oracle use.
type ledgerAPI struct {
	*ledger
	chainID uint64
	logs    int
}

func (a *ledgerAPI) ChainId() hexutil.Uint64 { return hexutil.Uint64(a.chainID) } //nolint:revive // the name is the method's: eth_chainId

func (a *ledgerAPI) BlockNumber() hexutil.Uint64 { return hexutil.Uint64(a.head()) }

func (a *ledgerAPI) GetBlockByNumber(n rpc.BlockNumber, _ bool) json.RawMessage {
	if at := a.number(n); at <= a.head() {
		return a.shown[at]
	}
	return nil
}

func (a *ledgerAPI) GetBlockReceipts(at rpc.BlockNumberOrHash) ([]*types.Receipt, error) {
	hash, _ := at.Hash()
	n, ok := a.byHash[hash]
	if !ok {
		return nil, fmt.Errorf("unknown block %v", hash)
	}
	return a.receipts[n], nil
}

type ledgerFilter struct {
	FromBlock rpc.BlockNumber `json:"fromBlock"`
	ToBlock   rpc.BlockNumber `json:"toBlock"`
}

func (a *ledgerAPI) GetLogs(ctx context.Context, f ledgerFilter) ([]*types.Log, error) {
	from, to := a.number(f.FromBlock), a.number(f.ToBlock)
	if to > a.head() {
		return nil, errors.New("block range extends beyond current head block")
	}
	logs := []*types.Log{}
	for _, receipts := range a.receipts[from : to+1] {
		for _, r := range receipts {
			logs = append(logs, r.Logs...)
		}
	}
	if a.logs > 0 && len(logs) > a.logs {
		return nil, fmt.Errorf("query returned more than %d results", a.logs)
	}
	return logs, ctx.Err()
}
