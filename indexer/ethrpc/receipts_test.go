package ethrpc

import (
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"superindex/chain"
	"superindex/indexer"
)

// recorded is a whole block as a node gave it.
type recorded struct {
	Block    json.RawMessage `json:"block"`
	Receipts json.RawMessage `json:"receipts"`
}

// recordings are the real blocks beside the project, by the name of their file.
func recordings(t *testing.T) map[string]recorded {
	t.Helper()
	files, _ := filepath.Glob("../../../shared/data/blocks/*.json.gz")
	if len(files) == 0 {
		t.Skip("there are no recorded blocks at ../shared/data/blocks")
	}
	all := map[string]recorded{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		unpacked, err := gzip.NewReader(f)
		var r recorded
		if err = errors.Join(err, json.NewDecoder(unpacked).Decode(&r), f.Close()); err != nil {
			t.Fatal(name, err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".json.gz")] = r
	}
	return all
}

// node serves the block alone.
func (r recorded) node() *node {
	return &node{say: func(method string, params []any) (string, bool) {
		if method == "eth_getBlockReceipts" {
			return `"result":` + string(r.Receipts), true
		}
		return `"result":` + string(r.Block), params[1] == true
	}}
}

// fetch reads the block in receipts mode.
func (r recorded) fetch(t *testing.T, watch indexer.Watched) (indexer.Fetched, error) {
	t.Helper()
	var b struct{ Number string }
	if err := json.Unmarshal(r.Block, &b); err != nil {
		t.Fatal(err)
	}
	n, err := strconv.ParseUint(b.Number[2:], 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return client(t, r.node()).Fetch(t.Context(), indexer.Range{From: n, To: n}, indexer.Want{Watched: watch, Receipts: true, Dense: true})
}

// Every field of every transaction of real blocks of many forks is the recording's,
// and so are the logs.
func TestReceiptsOfRealBlocks(t *testing.T) {
	for name, r := range recordings(t) {
		got, err := r.fetch(t, everything{})
		if err != nil {
			t.Fatal(name, err)
		}
		txs, logs := r.read(t)
		var all []chain.Event
		for _, l := range logs {
			one, err := referenceLog(l)
			if err != nil {
				t.Fatal(name, err)
			}
			one.Time = got.Blocks[0].Time
			all = append(all, one)
		}
		if len(all) > 0 && !reflect.DeepEqual(got.Events, all) {
			t.Errorf("%s: %d logs, want %d, or others", name, len(got.Events), len(all))
		}
		if len(got.Transactions) != len(txs) {
			t.Fatalf("%s: %d transactions, want %d", name, len(got.Transactions), len(txs))
		}
		for i, tx := range got.Transactions {
			if s := shown(tx); s != txs[i] {
				t.Errorf("%s: transaction %d\n got %s\nwant %s", name, i, s, txs[i])
			}
		}
		if n, ok := got.Blocks[0].Txs.Get(); !ok || int(n) != len(txs) {
			t.Errorf("%s: %d transactions in the block", name, n)
		}
	}
}

// shown is all of a transaction, in words.
func shown(tx chain.Tx) string {
	wei := func(n [32]byte) *big.Int { return new(big.Int).SetBytes(n[:]) }
	return fmt.Sprintln(tx.Block.Number, tx.Block.Hash, tx.Time, tx.Hash, tx.Index, tx.From, text(tx.To), text(tx.Created), tx.Status, tx.GasUsed,
		wei(tx.EffectiveGasPrice), wei(tx.L1Fee), fmt.Sprintf("%x", tx.Method))
}

func text(a *chain.Address) string {
	if a == nil {
		return "none"
	}
	return a.String()
}

// read reads the recording with encoding/json: each transaction in words, and the
// logs.
func (r recorded) read(t *testing.T) (txs []string, logs []json.RawMessage) {
	t.Helper()
	var block struct {
		Number, Hash, Timestamp string
		Transactions            []struct{ Hash, Input, GasPrice string }
	}
	var receipts []struct {
		From, GasUsed       string
		To, ContractAddress *string
		Status, L1Fee       *string
		EffectiveGasPrice   string
		Logs                []json.RawMessage
	}
	if err := errors.Join(json.Unmarshal(r.Block, &block), json.Unmarshal(r.Receipts, &receipts)); err != nil {
		t.Fatal(err)
	}
	number := func(s *string) *big.Int {
		n, ok := new(big.Int).SetString(strings.TrimPrefix(*s, "0x"), 16)
		if !ok {
			t.Fatalf("%q", *s)
		}
		return n
	}
	or := func(s *string, other string) string {
		if s == nil {
			return other
		}
		return *s
	}
	for i, tx := range block.Transactions {
		of := receipts[i]
		zero, method := "0x0", (tx.Input + "00000000")[2:10]
		if of.L1Fee == nil {
			of.L1Fee = &zero
		}
		status := "2"
		if of.Status != nil {
			status = number(of.Status).String()
		}
		txs = append(txs, fmt.Sprintln(number(&block.Number), block.Hash, number(&block.Timestamp), tx.Hash, i, of.From,
			or(of.To, "none"), or(of.ContractAddress, "none"), status, number(&of.GasUsed), number(&of.EffectiveGasPrice), number(of.L1Fee), method))
		logs = append(logs, of.Logs...)
	}
	return txs, logs
}

// A transaction is kept where it called, created or made emit a watched address, or
// came from one.
func TestReceiptsThatAreWanted(t *testing.T) {
	tx := func(i int, to string) string {
		return fmt.Sprintf(`{"hash":"%v","input":"0xaabbccddee","gasPrice":"0x7","type":"0x7b","to":%s,"odd":[{}]}`, hash(byte(200+i)), to)
	}
	receipt := func(i int, from, to, created, logs string) string {
		return fmt.Sprintf(`{"type":"0x7E","transactionHash":"%v","transactionIndex":"0x%x","blockHash":"%v","blockNumber":"0x2","from":"%v",
			"to":%s,"contractAddress":%s,"gasUsed":"0x5208","status":"0x1","l1Fee":"0x","l1FeeScalar":"0.684","logs":[%s]}`,
			hash(byte(200+i)), i, hash(3), from, to, created, logs)
	}
	n := straight(4)
	n.blocks[2].logs = 1
	mine, other := `"`+contract(1).String()+`"`, contract(9).String()
	block := strings.Replace(n.header("0x2"), `["0x01",{"type":"0x7e"}]`, "["+strings.Join([]string{
		tx(0, mine), tx(1, "null"), tx(2, "null"), tx(3, `""`), tx(4, "null"),
	}, ",")+"]", 1)
	receipts := "[" + strings.Join([]string{
		receipt(0, other, mine, "null", ""), receipt(1, other, `""`, mine, ""),
		strings.Replace(receipt(2, other, `"`+other+`"`, "null", n.log(2, 0)), `"transactionIndex":"0x0"`, `"transactionIndex":"0x2"`, 1),
		receipt(3, contract(1).String(), `"0x"`, "null", ""), receipt(4, other, `"`+other+`"`, "null", ""),
	}, ",") + "]"
	r := recorded{Block: json.RawMessage(block), Receipts: json.RawMessage(receipts)}
	got, err := client(t, r.node()).Fetch(t.Context(), indexer.Range{From: 2, To: 2}, indexer.Want{Watched: watched{contract(1): true}, Receipts: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Transactions) != 4 || len(got.Events) != 1 || got.All != 1 {
		t.Fatalf("%d transactions, %d logs", len(got.Transactions), len(got.Events))
	}
	for i, tx := range got.Transactions {
		if tx.Index != uint32(i) || tx.Method != [4]byte{0xaa, 0xbb, 0xcc, 0xdd} || tx.EffectiveGasPrice != [32]byte{31: 7} ||
			tx.L1Fee != [32]byte{} || tx.GasUsed != 21000 || tx.Status != 1 || tx.Time != 1004 {
			t.Errorf("transaction %d: %+v", i, tx)
		}
	}
	if a := got.Transactions; *a[0].To != contract(1) || a[1].To != nil || *a[1].Created != contract(1) || a[3].From != contract(1) {
		t.Errorf("%+v", a)
	}
}

// A block's logs do not make room for those of the blocks that follow it in the answer.
func TestReceiptsMakeRoomForOneBlock(t *testing.T) {
	const count = 100
	n := straight(2)
	var receipts []string
	for i := range count {
		receipts = append(receipts, fmt.Sprintf(`{"transactionIndex":"0x%x","logs":[%s]}`, i, n.log(1, i)))
	}
	text := "[" + strings.Join(receipts, ",") + "]"
	b := &receipted{number: 1, scan: scan{within: indexer.Range{From: 1, To: 1}, watched: everything{}, arena: newArena(nil)}}
	err := b.readReceipts(&cursor{from: strings.NewReader(text), size: 20 * len(text)})
	if got := b.scan.events; err != nil || len(got) != count || cap(got) > 3*count {
		t.Errorf("room for %d events, %d are there, %v", cap(got), len(got), err)
	}
}

// What Fetch must not believe of blocks and receipts.
func TestReceiptsDoubts(t *testing.T) {
	r, ok := recordings(t)["optimism-109860869"]
	if !ok {
		t.Skip("the recorded block is not there")
	}
	first := `"transactionHash":"0x2d5e46e707b189b00756eb26fa5b8f009ecc3795fec4341eec9744440a07b4e6"`
	compact := func(m json.RawMessage) string {
		return strings.NewReplacer(`": `, `":`, `, "`, `,"`).Replace(string(m))
	}
	for name, c := range map[string]struct {
		receipts, block func(string) string
		want            error
	}{
		"no receipts": {receipts: func(string) string { return "null" }, want: indexer.ErrAbsent},
		"no block":    {block: func(string) string { return "null" }, want: indexer.ErrAbsent},
		"none":        {receipts: func(string) string { return "[]" }, want: indexer.ErrTorn},
		"of another fork": {receipts: func(s string) string {
			return strings.ReplaceAll(s, "0xa990c8fefb18ef2f58315487561083eb942fadfaa4ec2dc0ac9988668ebc909e", hash(9).String())
		}, want: indexer.ErrTorn},
		"of another transaction": {receipts: func(s string) string {
			return strings.Replace(s, first, `"transactionHash":"`+hash(9).String()+`"`, 1)
		}, want: indexer.ErrTorn},
		"one without logs": {receipts: func(s string) string { return strings.Replace(s, `"logs":`, `"log":`, 1) }, want: errNoLogs},
		"one is missing": {block: func(s string) string {
			return strings.Replace(s, `"transactions":[`, `"transactions":[{"hash":"`+hash(9).String()+`"},`, 1)
		}, want: indexer.ErrTorn},
	} {
		spoilt := recorded{Block: json.RawMessage(compact(r.Block)), Receipts: json.RawMessage(compact(r.Receipts))}
		if c.receipts != nil {
			spoilt.Receipts = json.RawMessage(c.receipts(string(spoilt.Receipts)))
		}
		if c.block != nil {
			spoilt.Block = json.RawMessage(c.block(string(spoilt.Block)))
		}
		_, err := client(t, spoilt.node()).Fetch(t.Context(), indexer.Range{From: 109860869, To: 109860869},
			indexer.Want{Watched: everything{}, Receipts: true})
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}
