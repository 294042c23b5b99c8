package loadnode

import (
	"context"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/ethclient"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/ethereum/go-ethereum/trie"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
)

// small is a chain of 40 blocks of 12 logs.
func smallChain() Options {
	o := Defaults()
	o.Blocks, o.Bodies, o.Transactions, o.Logs, o.Addresses, o.SafeLag, o.FinalLag = 40, 7, 3, 12, 20, 5, 20
	return o
}

func serve(t testing.TB, o Options) (*Node, string) {
	t.Helper()
	n, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(n)
	t.Cleanup(s.Close)
	return n, s.URL
}

func dial(t *testing.T, url string) *ethclient.Client {
	t.Helper()
	client, err := ethclient.DialContext(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	return client
}

// verify reads a block as go-ethereum does and recomputes what its header promises.
func verify(t *testing.T, client *ethclient.Client, number uint64) *types.Block {
	t.Helper()
	block, err := client.BlockByNumber(t.Context(), new(big.Int).SetUint64(number))
	if err != nil {
		t.Fatal(err)
	}
	receipts, err := client.BlockReceipts(t.Context(), rpc.BlockNumberOrHashWithHash(block.Hash(), false))
	if err != nil {
		t.Fatal(err)
	}
	if got := types.DeriveSha(types.Receipts(receipts), trie.NewStackTrie(nil)); got != block.ReceiptHash() {
		t.Errorf("block %d: receipts root %v, header %v", number, got, block.ReceiptHash())
	}
	if got := types.DeriveSha(block.Transactions(), trie.NewStackTrie(nil)); got != block.TxHash() {
		t.Errorf("block %d: transactions root %v, header %v", number, got, block.TxHash())
	}
	if got := types.MergeBloom(receipts); got != block.Bloom() {
		t.Errorf("block %d: another bloom than its receipts'", number)
	}
	logs, err := client.FilterLogs(t.Context(), ethereum.FilterQuery{FromBlock: block.Number(), ToBlock: block.Number()})
	if err != nil {
		t.Fatal(err)
	}
	var inReceipts []types.Log
	for _, r := range receipts {
		for _, l := range r.Logs {
			inReceipts = append(inReceipts, *l)
		}
	}
	if len(logs) != len(inReceipts) || len(logs) > 0 && !reflect.DeepEqual(logs, inReceipts) {
		t.Errorf("block %d: %d logs, other %d in its receipts", number, len(logs), len(inReceipts))
	}
	for _, l := range logs {
		if l.BlockHash != block.Hash() || l.BlockNumber != number || l.BlockTimestamp != block.Time() {
			t.Errorf("block %d: log %d is of another block", number, l.Index)
		}
	}
	return block
}

func TestTheChainIsTrue(t *testing.T) {
	o := smallChain()
	_, url := serve(t, o)
	client := dial(t, url)
	var parent common.Hash
	for number := range o.Blocks + 1 {
		block := verify(t, client, number)
		header, err := client.HeaderByHash(t.Context(), block.Hash()) // the hash is computed by go-ethereum
		if err != nil {
			t.Fatal(err)
		}
		if block.ParentHash() != parent || header.Hash() != block.Hash() {
			t.Errorf("block %d: parent %v, want %v", number, block.ParentHash(), parent)
		}
		parent = block.Hash()
		want := o.Transactions
		if number == 0 {
			want = 0
		}
		if len(block.Transactions()) != want {
			t.Errorf("block %d has %d transactions", number, len(block.Transactions()))
		}
	}
}

func TestReorgsAreForks(t *testing.T) {
	o := smallChain()
	n, url := serve(t, o)
	client := dial(t, url)
	before := n.Head()
	kept := verify(t, client, 37)
	left := verify(t, client, 38)
	after := n.Reorg(3)
	if after.Number != before.Number+1 {
		t.Errorf("the head is %v after a reorg at %v", after, before)
	}
	if got := verify(t, client, 37); got.Hash() != kept.Hash() {
		t.Error("the block below the fork has changed")
	}
	for number := uint64(38); number <= after.Number; number++ {
		block := verify(t, client, number)
		if number == 38 && (block.Hash() == left.Hash() || block.ParentHash() != kept.Hash()) {
			t.Error("block 38 is no fork of 37")
		}
	}
	if orphan, err := client.BlockByHash(t.Context(), left.Hash()); err != nil || orphan.NumberU64() != 38 {
		t.Errorf("the block that was left: %v, %v", orphan, err)
	}
	if n.Reorg(1000); n.Head().Number != after.Number+1 {
		t.Errorf("the head is %v", n.Head())
	}
	if got := verify(t, client, after.Number-o.FinalLag); got.NumberU64() != after.Number-o.FinalLag {
		t.Error("a finalized block is gone")
	}
}

func TestOtherSeedIsAnotherChain(t *testing.T) {
	a, _ := serve(t, smallChain())
	same, _ := serve(t, smallChain())
	o := smallChain()
	o.Seed = 2
	other, _ := serve(t, o)
	if a.Head() != same.Head() || a.Ledger(0, 40) != same.Ledger(0, 40) {
		t.Error("the same options make another chain")
	}
	if a.Head() == other.Head() || a.Ledger(0, 40).Digest == other.Ledger(0, 40).Digest {
		t.Error("another seed makes the same chain")
	}
}

// everything watches all addresses, or some.
type everything map[chain.Address]bool

func (e everything) Has(a *chain.Address) bool { return e == nil || e[*a] }

// What our own client reads is what the ledger says, for a part of the contracts.
func TestOurClientReadsTheLedger(t *testing.T) {
	o := smallChain()
	o.Share = 0.4
	n, url := serve(t, o)
	client, err := ethrpc.New(ethrpc.Options{Network: "load", Name: "load", URL: url, ChainID: o.ChainID})
	if err != nil {
		t.Fatal(err)
	}
	if err := client.Verify(t.Context()); err != nil {
		t.Fatal(err)
	}
	heads, err := client.Heads(t.Context())
	if err != nil || heads.Latest != n.Head() || heads.Safe.Number != 35 || heads.Final.Number != 20 {
		t.Fatalf("heads %v, %v", heads, err)
	}
	watched := everything{}
	for _, a := range n.Watched() {
		watched[a] = true
	}
	got, err := client.Fetch(t.Context(), indexer.Range{From: 1, To: 40}, indexer.Want{Dense: true, Watched: watched})
	if err != nil {
		t.Fatal(err)
	}
	want := n.Ledger(1, 40)
	if uint64(len(got.Events)) != want.Logs || got.All != 40*o.Logs || want.Logs == 0 || want.Logs == 40*uint64(o.Logs) {
		t.Errorf("%d logs of %d, want %d", len(got.Events), got.All, want.Logs)
	}
	if digest := digestOf(got.Events); digest != want.Digest {
		t.Errorf("digest %d, want %d", digest, want.Digest)
	}
}

func TestFilters(t *testing.T) {
	o := smallChain()
	n, url := serve(t, o)
	client := dial(t, url)
	all, err := client.FilterLogs(t.Context(), ethereum.FilterQuery{FromBlock: big.NewInt(1), ToBlock: big.NewInt(40)})
	if err != nil {
		t.Fatal(err)
	}
	address, second := all[0].Address, all[0].Topics
	for name, q := range map[string]struct {
		query ethereum.FilterQuery
		match func(types.Log) bool
	}{
		"address": {ethereum.FilterQuery{Addresses: []common.Address{address}}, func(l types.Log) bool { return l.Address == address }},
		"two topics, any first": {
			ethereum.FilterQuery{Topics: [][]common.Hash{nil, {second[1], all[1].TxHash}}},
			func(l types.Log) bool { return len(l.Topics) > 1 && l.Topics[1] == second[1] },
		},
		"topic 0": {
			ethereum.FilterQuery{Topics: [][]common.Hash{{second[0]}}},
			func(l types.Log) bool { return l.Topics[0] == second[0] },
		},
		"nobody": {ethereum.FilterQuery{Addresses: []common.Address{{1}}}, func(types.Log) bool { return false }},
	} {
		var want []types.Log
		for _, l := range all {
			if q.match(l) {
				want = append(want, l)
			}
		}
		q.query.FromBlock, q.query.ToBlock = big.NewInt(1), big.NewInt(40)
		got, err := client.FilterLogs(t.Context(), q.query)
		if err != nil || len(got) != len(want) || len(got) > 0 && !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %d logs, want %d, %v", name, len(got), len(want), err)
		}
	}
	hash := common.Hash(n.Head().Hash)
	got, err := client.FilterLogs(t.Context(), ethereum.FilterQuery{BlockHash: &hash})
	if err != nil || len(got) != o.Logs {
		t.Errorf("by hash: %d logs, %v", len(got), err)
	}
}

// post sends a body and returns status and answer.
func post(t *testing.T, url, body string) (int, string) {
	t.Helper()
	resp, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

func call(method, params string) string {
	return `{"jsonrpc":"2.0","id":7,"method":"` + method + `","params":` + params + `}`
}

func TestLimitsSpeakAsProvidersDo(t *testing.T) {
	o := smallChain()
	o.MaxLogs, o.MaxBlocks = 30, 10
	_, url := serve(t, o)
	for params, want := range map[string]string{
		`[{"fromBlock":"0x1","toBlock":"0x5"}]`:                "query exceeds max results 30, retry with the range 1-2",
		`[{"fromBlock":"0x1","toBlock":"0xb"}]`:                "query exceeds max block range 10",
		`[{"fromBlock":"0x1","toBlock":"0x99"}]`:               "beyond current head block",
		`[{"fromBlock":"0x9","toBlock":"0x1"}]`:                "invalid block range params",
		`[{"blockHash":"0x` + strings.Repeat("ab", 32) + `"}]`: "unknown block",
		`[{"fromBlock":"0x1","toBlock":"0x2"}]`:                `"logIndex":"0xb"`,
		`[{"address":7}]`:                                      "invalid argument",
		`[]`:                                                   "missing value",
	} {
		if status, got := post(t, url, call("eth_getLogs", params)); status != 200 || !strings.Contains(got, want) {
			t.Errorf("%s: %d %.200s, want %q", params, status, got, want)
		}
	}
	if _, got := post(t, url, call("eth_getBlockByNumber", `["0x99",false]`)); got != `{"jsonrpc":"2.0","id":7,"result":null}` {
		t.Error("a block that is not there:", got)
	}
	if _, got := post(t, url, call("eth_mine", `[]`)); !strings.Contains(got, "-32601") {
		t.Error("an unknown method:", got)
	}
}

func TestRates(t *testing.T) {
	o := smallChain()
	o.Rate = 0.001
	_, url := serve(t, o)
	post(t, url, call("eth_chainId", `[]`))
	if status, _ := post(t, url, call("eth_chainId", `[]`)); status != http.StatusTooManyRequests {
		t.Error("over the rate:", status)
	}
	o.RateItems = true
	n, url := serve(t, o)
	if _, got := post(t, url, "["+call("eth_chainId", `[]`)+","+call("eth_chainId", `[]`)+"]"); !strings.Contains(got, `"0xa"},`) || !strings.Contains(got, "-32016") {
		t.Error("over the rate, by item:", got)
	}
	if c := n.Counters(); c.Refused != 1 || c.Items["eth_chainId"] != 1 || c.Requests != 1 || c.Bytes == 0 {
		t.Errorf("counters %+v", c)
	}
}

// An answer's length is announced before it is made; gzip changes nothing in it.
func TestBatchesAndGzip(t *testing.T) {
	o := smallChain()
	o.Gzip = true
	_, url := serve(t, o)
	batch := "[" + call("eth_getLogs", `[{"fromBlock":"0x1","toBlock":"0x28"}]`) + "," + call("eth_getBlockByNumber", `["latest",true]`) + "," +
		call("eth_getBlockReceipts", `["0x3"]`) + "," + call("eth_getLogs", `[{"fromBlock":"0x0","toBlock":"0x0"}]`) + "]"
	_, packed := post(t, url, batch) // Go's client asks for gzip and unpacks it
	plain, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(batch))
	if err != nil {
		t.Fatal(err)
	}
	plain.Header.Set("Accept-Encoding", "identity")
	resp, err := http.DefaultClient.Do(plain)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.ContentLength != int64(len(text)) || string(text) != packed {
		t.Errorf("%d bytes of %d announced, %d packed: %v", len(text), resp.ContentLength, len(packed), err)
	}
	var answers []struct{ Result json.RawMessage }
	if err := json.Unmarshal(text, &answers); err != nil || len(answers) != 4 || string(answers[3].Result) != "[]" {
		t.Errorf("%d answers: %v", len(answers), err)
	}
}

func TestHeadsOverWebSocket(t *testing.T) {
	n, url := serve(t, smallChain())
	client := dial(t, strings.Replace(url, "http", "ws", 1))
	heads := make(chan *types.Header, 8)
	sub, err := client.SubscribeNewHead(t.Context(), heads)
	if err != nil {
		t.Fatal(err)
	}
	defer sub.Unsubscribe()
	if number, err := client.BlockNumber(t.Context()); err != nil || number != 40 { // the subscription stands
		t.Fatal(number, err)
	}
	for range 3 {
		want := n.Extend(1)
		select {
		case got := <-heads:
			if chain.Hash(got.Hash()) != want.Hash {
				t.Errorf("head %v, want %v", got.Number, want)
			}
		case err := <-sub.Err():
			t.Fatal(err)
		case <-t.Context().Done():
			t.Fatal("no head came")
		}
	}
	if _, ok := n.Given(n.Head().Hash); ok {
		t.Error("the logs of a block are given that nobody asked for")
	}
	verify(t, client, n.Head().Number)
	if _, ok := n.Given(n.Head().Hash); !ok {
		t.Error("it is not noted when a block's logs were given")
	}
}

func TestCheckNamesTheField(t *testing.T) {
	for field, change := range map[string]func(*Options){
		"ChainID": func(o *Options) { o.ChainID = 0 }, "Bodies": func(o *Options) { o.Bodies = 0 },
		"Transactions": func(o *Options) { o.Transactions = 0 }, "BlockTime": func(o *Options) { o.BlockTime = 1 },
		"Addresses": func(o *Options) { o.Addresses = 0 }, "Zipf": func(o *Options) { o.Zipf = 1 },
		"Share": func(o *Options) { o.Share = 2 }, "ReorgDepth": func(o *Options) { o.ReorgEvery, o.ReorgDepth = 1, 0 },
		"Rate": func(o *Options) { o.Rate = -1 },
	} {
		o := Defaults()
		change(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	n, _ := serve(t, smallChain())
	l := listener(t)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, l, n) }()
	if _, got := post(t, "http://"+l.Addr().String(), call("eth_blockNumber", `[]`)); !strings.Contains(got, "0x28") {
		t.Error(got)
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}
