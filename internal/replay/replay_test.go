package replay

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"net/http/httptest"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/indexer/pool"
	"superindex/reorg"
)

const chainID = 137

type hexBytes []byte

func (b *hexBytes) UnmarshalText(text []byte) (err error) {
	*b, err = hex.AppendDecode(nil, text[2:])
	if len(*b) == 0 {
		*b = nil
	}
	return err
}

// recorded reads the files of ../shared/data that a pattern names, and skips the
// test where there is none.
func recorded(t *testing.T, pattern string, read func(*os.File) (*Recording, error)) map[string]*Recording {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "data", filepath.FromSlash(pattern)))
	if err != nil || len(files) == 0 {
		t.Skipf("there are no recordings at ../shared/data/%s (%v)", pattern, err)
	}
	all := map[string]*Recording{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		rec, err := read(f)
		if err != nil {
			t.Fatal(name, err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".gz")] = rec
	}
	return all
}

// follow runs the whole engine, over HTTP, against a node, from the block after the
// lowest that was recorded, or from that one, until test ends.
func follow(t *testing.T, n *Node, net indexer.Network, test func(*ledger)) {
	t.Helper()
	server := httptest.NewServer(n)
	defer server.Close()
	gate := pool.NewGate(0)
	client, err := ethrpc.New(ethrpc.Options{Network: "replayed", Name: "recording", URL: server.URL, ChainID: chainID, Gate: gate})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	log := slog.New(slog.DiscardHandler)
	source, err := pool.New(pool.Options{Network: "replayed", Members: []pool.Member{{Name: "recording", Endpoint: client, Gate: gate}}, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	sink, opts := newLedger(), reorg.Defaults()
	opts.FS, opts.Sinks = vfs.NewMem(), []string{sink.Name()}
	journal, err := reorg.Open("journal", opts)
	if err != nil {
		t.Fatal(err)
	}
	net.Stream, net.Source, net.Witness = chain.Stream{Name: "replayed", ChainID: chainID}, source, source
	net.Decoder = decoder.New(decoder.Sources{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		done <- indexer.Run(ctx, indexer.Engine{
			Journal: journal, Sinks: []indexer.Sink{sink}, Networks: []indexer.Network{net},
			Pace: indexer.Pace{Poll: 5 * time.Millisecond}, Status: indexer.NewStatus(), Log: log,
		})
	}()
	defer func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := journal.Close(); err != nil {
			t.Error(err)
		}
	}()
	test(sink)
}

// from is where a network's history begins.
func from(number uint64) indexer.Start { return indexer.Start{Number: number, Absolute: true} }

// TestRecordedReorgs replays what a real node showed, head by head, or with some
// heads that nobody looked at: what was undone is what the recording has undone, and
// what is left is the recording's last chain, log by log.
func TestRecordedReorgs(t *testing.T) {
	undone := 0
	for name, rec := range recorded(t, "reorg-transcripts/*.ndjson.gz", func(f *os.File) (*Recording, error) { return ReadTranscript(f) }) {
		for _, final := range []int{-1, 4} {
			for _, every := range []int{1, 3, len(rec.Heads)} {
				t.Run(fmt.Sprintf("%s, finalized %d, every %d", name, final, every), func(t *testing.T) {
					undone += replay(t, rec, final, every)
				})
			}
		}
	}
	if undone == 0 {
		t.Error("the recordings have undone nothing: this test shows nothing")
	}
}

// replay returns how many reverts there were.
func replay(t *testing.T, rec *Recording, final, every int) (undone int) {
	t.Helper()
	heads, watch, n := shownHeads(rec, every), everyOther{all: every != 3}, NewNode(chainID, rec, final)
	first := rec.Blocks[rec.Heads[0]]
	follow(t, n, indexer.Network{Watch: watch, Start: from(first.Number + 1)}, func(l *ledger) {
		for _, head := range heads {
			n.Show(head)
			l.wait(t, rec.Blocks[head].BlockRef)
		}
		want := rec.reverts(heads)
		if undone = len(want); !slices.Equal(l.reverts, want) {
			t.Errorf("reverts %+v, recorded are %+v", l.reverts, want)
		}
		l.equals(t, rec.Chain(heads[len(heads)-1])[1:], watch)
	})
	return undone
}

// shownHeads are every so many heads of a recording, and its last.
func shownHeads(rec *Recording, every int) (heads []chain.Hash) {
	for i := every; i < len(rec.Heads); i += every {
		heads = append(heads, rec.Heads[i])
	}
	if last := rec.Heads[len(rec.Heads)-1]; len(heads) == 0 || heads[len(heads)-1] != last {
		heads = append(heads, last)
	}
	return heads
}

// reverts are those that take who follows these heads from each to the next.
func (r *Recording) reverts(heads []chain.Hash) (all []chain.Revert) {
	for i := 1; i < len(heads); i++ {
		before, after := r.Chain(heads[i-1]), r.Chain(heads[i])
		same := 0
		for same < min(len(before), len(after)) && before[same] == after[same] {
			same++
		}
		if same < len(before) {
			all = append(all, chain.Revert{To: before[same-1].BlockRef, From: before[len(before)-1].BlockRef})
		}
	}
	return all
}

// equals compares the ledger with a chain: every log of a watched address, and every
// block that is there; all of them above finalized.
func (l *ledger) equals(t *testing.T, blocks []*Block, watch everyOther) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	seen := 0
	for _, b := range blocks {
		block, logs := b.facts(t)
		logs = watch.keep(logs)
		block.WatchedLogs = uint32(len(logs))
		got, there := l.blocks[b.Number]
		if there && got.Parent == (chain.Hash{}) {
			got.Parent, got.Txs = block.Parent, block.Txs // only its logs were read
		}
		if there && got != block || !there && (len(logs) > 0 || b.Number > l.held.Final.Number) {
			t.Errorf("block %v: %+v, recorded is %+v", b.BlockRef, shownBlock(got), shownBlock(block))
		}
		events := l.events[b.Number]
		for i := range max(len(events), len(logs)) {
			if i >= len(events) || i >= len(logs) || shown(events[i].Log) != shown(logs[i]) {
				t.Errorf("block %v: %d logs, recorded are %d, or others: the first is number %d", b.BlockRef, len(events), len(logs), i)
				break
			}
		}
		seen += len(events)
	}
	for number, events := range l.events {
		seen -= len(events)
		if number < blocks[0].Number || number > blocks[len(blocks)-1].Number {
			t.Errorf("%d logs of block %d, which is not part of the chain", len(events), number)
		}
	}
	if seen != 0 {
		t.Errorf("%d logs are not the chain's", -seen)
	}
}

// TestRealBlocks replays each real block as the head of a chain, finalized or not,
// read by its logs or by its receipts.
func TestRealBlocks(t *testing.T) {
	all := recorded(t, "blocks/*.json.gz", func(f *os.File) (*Recording, error) { return ReadBlock(f) })
	if len(all) < 19 {
		t.Errorf("%d recorded blocks, there were 19", len(all))
	}
	for name, rec := range all {
		b := rec.Blocks[rec.Heads[0]]
		for _, receipts := range []bool{false, true} {
			for _, final := range []int{-1, 0} {
				t.Run(fmt.Sprintf("%s, receipts %v, finalized %d", name, receipts, final), func(t *testing.T) {
					net := indexer.Network{Watch: everyOther{all: true}, Start: from(b.Number), Receipts: receipts}
					follow(t, NewNode(chainID, rec, final), net, func(l *ledger) {
						l.wait(t, b.BlockRef)
						l.equals(t, []*Block{b}, everyOther{all: true})
						if receipts {
							l.equalTxs(t, b)
						}
					})
				})
			}
		}
	}
}

// receipt is what a transaction's receipt says, read with encoding/json.
type receipt struct {
	TransactionHash  chain.Hash
	TransactionIndex quantity
	From             chain.Address
	To               *chain.Address
	ContractAddress  *chain.Address
	GasUsed          quantity
	Status           *quantity
	L1Fee            *string
}

// equalTxs compares the block's transactions with their receipts.
func (l *ledger) equalTxs(t *testing.T, b *Block) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	var receipts []receipt
	if err := json.Unmarshal(b.Receipts, &receipts); err != nil {
		t.Fatal(err)
	}
	txs := l.txs[b.Number]
	if len(txs) != len(receipts) {
		t.Fatalf("%d transactions, recorded are %d", len(txs), len(receipts))
	}
	for i, r := range receipts {
		want := txs[i]
		want.Block, want.Hash, want.Index, want.From, want.To, want.Created = b.BlockRef, r.TransactionHash, uint32(r.TransactionIndex), r.From, r.To, r.ContractAddress
		want.GasUsed, want.Status, want.L1Fee = uint64(r.GasUsed), chain.StatusUnknown, [32]byte{}
		if r.Status != nil {
			want.Status = uint8(*r.Status)
		}
		if r.L1Fee != nil {
			fee, ok := new(big.Int).SetString(*r.L1Fee, 0)
			if !ok {
				t.Fatalf("the recording's fee %q", *r.L1Fee)
			}
			fee.FillBytes(want.L1Fee[:])
		}
		if !reflect.DeepEqual(txs[i], want) {
			t.Errorf("transaction %d: %+v, recorded is %+v", i, txs[i], want)
		}
	}
}
