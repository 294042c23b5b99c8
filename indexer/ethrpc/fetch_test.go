package ethrpc

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"superindex/chain"
	"superindex/indexer"
)

func TestVerify(t *testing.T) {
	if err := client(t, straight(1)).Verify(t.Context()); err != nil {
		t.Error(err)
	}
	err := client(t, straight(1), func(o *Options) { o.ChainID = 8453 }).Verify(t.Context())
	if !chain.IsFatal(err) || !strings.Contains(err.Error(), "near: it serves chain 10, not 8453") {
		t.Errorf("wrong chain: %v", err)
	}
}

func TestHeads(t *testing.T) {
	n := straight(9)
	c := client(t, n)
	got, err := c.Heads(t.Context())
	ref := func(i int) chain.BlockRef { return chain.BlockRef{Number: uint64(i), Hash: hash(byte(i + 1))} }
	if want := (indexer.Heads{Latest: ref(8), Safe: ref(7), Final: ref(6), Time: 1016}); err != nil || got != want {
		t.Errorf("got %v, %v; want %v", got, err, want)
	}
	if len(n.asked) != 1 {
		t.Errorf("%d requests", len(n.asked))
	}
	for _, unknown := range []string{
		`"result":null`, `"error":{"code":-32000,"message":"safe block not found"}`,
		`"error":{"code":-32602,"message":"invalid argument 0: hex string without 0x prefix"}`,
	} {
		n.say = func(_ string, params []any) (string, bool) { return unknown, params[0] != "latest" }
		got, err := c.Heads(t.Context())
		if want := (indexer.Heads{Latest: ref(8), Time: 1016}); err != nil || got != want {
			t.Errorf("%s: got %v, %v; want %v", unknown, got, err, want)
		}
	}
	for refusal, want := range map[string]Kind{
		`"error":{"code":429,"message":"later"}`:                        Limited,
		`"error":{"code":-32602,"message":"request rate limited"}`:      Limited,
		`"error":{"code":-32000,"message":"internal error, try again"}`: Unknown,
	} {
		n.say = func(_ string, params []any) (string, bool) { return refusal, params[0] == "finalized" }
		if got, err := c.Heads(t.Context()); err == nil || VerdictOf(err).Kind != want {
			t.Errorf("finalized refused by %s: got %v, %v", refusal, got, err)
		}
	}
}

func TestHeaders(t *testing.T) {
	n := straight(230)
	c := client(t, n)
	numbers := all(indexer.Range{From: 0, To: 240})
	got, err := c.Headers(t.Context(), numbers)
	if err != nil || len(got) != 230 {
		t.Fatalf("%d headers, %v", len(got), err)
	}
	for i, b := range got {
		want := chain.Block{
			BlockRef: chain.BlockRef{Number: uint64(i), Hash: hash(byte(i + 1))}, Parent: hash(byte(i)),
			Time: uint64(1000 + 2*i), Txs: chain.Known(2),
		}
		if b != want {
			t.Fatalf("header %d: got %v, want %v", i, b, want)
		}
	}
	if len(n.asked) != 3 {
		t.Errorf("%d requests for 241 headers", len(n.asked))
	}
}

// A node that takes 30 calls in a request gets no more than that.
func TestHeadersOfANodeWithSmallBatches(t *testing.T) {
	n := straight(100)
	c := client(t, limited{n, 30})
	got, err := c.Headers(t.Context(), all(indexer.Range{From: 0, To: 99}))
	if err != nil || len(got) != 100 {
		t.Errorf("%d headers, %v", len(got), err)
	}
}

func TestFetch(t *testing.T) {
	for _, dense := range []bool{true, false} {
		for _, times := range []bool{true, false} {
			n := straight(8)
			n.times = times
			got, err := client(t, n).Fetch(t.Context(), indexer.Range{From: 2, To: 6},
				indexer.Want{Dense: dense, Watched: watched{contract(2): true}})
			if err != nil {
				t.Fatal(err)
			}
			name := fmt.Sprintf("dense %v, times %v", dense, times)
			checkLogs(t, name, got)
			checkBlocks(t, name, got, dense)
			if want := 1; !dense && !times && len(n.asked) != 2 || (dense || times) && len(n.asked) != want {
				t.Errorf("%s: requests %v", name, n.asked)
			}
		}
	}
}

// Blocks 2 to 6 have 2, 0, 1, 2, 0 logs; the second of each is contract 2's.
func checkLogs(t *testing.T, name string, got indexer.Fetched) {
	t.Helper()
	var want []chain.Event
	for _, i := range []int{2, 5} {
		want = append(want, chain.Event{Log: chain.Log{
			Block: chain.BlockRef{Number: uint64(i), Hash: hash(byte(i + 1))}, Time: uint64(1000 + 2*i),
			TxHash: hash(201), TxIndex: 1, Index: 1, Address: contract(2),
			Topics: []chain.Hash{hash(101)}, Data: []byte{byte(i), 1},
		}})
	}
	if got.All != 5 || got.Bytes == 0 || !reflect.DeepEqual(got.Events, want) {
		t.Errorf("%s: %d logs in %d bytes\n got %v\nwant %v", name, got.All, got.Bytes, got.Events, want)
	}
}

func checkBlocks(t *testing.T, name string, got indexer.Fetched, dense bool) {
	t.Helper()
	var want []chain.Block
	for i, logs := range []int{2, 0, 1, 2, 0} {
		b := chain.Block{
			BlockRef: chain.BlockRef{Number: uint64(2 + i), Hash: hash(byte(3 + i))},
			Time:     uint64(1004 + 2*i), Logs: chain.Known(logs),
		}
		if logs == 2 {
			b.WatchedLogs = 1
		}
		end := i == 0 || i == 4
		if dense || end {
			b.Parent, b.Txs = hash(byte(2+i)), chain.Known(2)
		}
		if dense || end || logs == 2 {
			want = append(want, b)
		}
	}
	if !reflect.DeepEqual(got.Blocks, want) {
		t.Errorf("%s:\n got %v\nwant %v", name, got.Blocks, want)
	}
}

// 250 dense blocks: the last header and the logs come in one request.
func TestFetchAsksLogsWithTheLastHeader(t *testing.T) {
	n := straight(251)
	got, err := client(t, n).Fetch(t.Context(), indexer.Range{From: 1, To: 250}, indexer.Want{Dense: true, Watched: everything{}})
	if err != nil || len(got.Blocks) != 250 || len(got.Events) != 250 {
		t.Fatalf("%d blocks, %d logs, %v", len(got.Blocks), len(got.Events), err)
	}
	var sizes []int
	for _, methods := range n.asked {
		sizes = append(sizes, len(methods))
	}
	last := n.asked[len(n.asked)-1]
	if !reflect.DeepEqual(sizes, []int{100, 100, 51}) || last[50] != "eth_getLogs" || last[49] != "eth_getBlockByNumber" {
		t.Errorf("requests of %v calls, the last ends %v", sizes, last[49:])
	}
}

// What Fetch must not believe.
func TestFetchDoubts(t *testing.T) {
	logs := func(edit func(n *node) []string) func(*node) {
		return func(n *node) {
			text := `"result":[` + strings.Join(edit(n), ",") + `]`
			n.say = func(method string, _ []any) (string, bool) { return text, method == "eth_getLogs" }
		}
	}
	other := straight(8) // another fork
	for i := range other.blocks {
		other.blocks[i].hash += 50
	}
	torn, gone, wrong := indexer.ErrTorn, indexer.ErrAbsent, errors.New("no error that has a name")
	both := []bool{true, false}
	for _, c := range []struct {
		name  string
		spoil func(*node)
		dense []bool
		want  error
	}{
		{"the last block is absent", func(n *node) { n.blocks = n.blocks[:6] }, both, gone},
		{"no block is there", func(n *node) { n.blocks = n.blocks[:1] }, both, gone},
		{"a parent differs", func(n *node) { n.blocks[4].parent = 99 }, []bool{true}, torn},
		{"no logs", logs(func(*node) []string { return nil }), both, torn},
		{"no logs of the last block", logs(func(n *node) []string { return []string{n.log(2, 0), n.log(2, 1), n.log(4, 0)} }), []bool{true}, torn},
		{"logs of another fork", logs(func(*node) []string { return []string{other.log(2, 0), other.log(4, 0), other.log(5, 0)} }), both, torn},
		{"removed", logs(func(n *node) []string {
			return []string{strings.Replace(n.log(2, 0), "false", "true", 1)}
		}), both, torn},
		{"two forks in one block", logs(func(n *node) []string { return []string{n.log(2, 0), other.log(2, 1)} }), both, torn},
		{"repeated", logs(func(n *node) []string { return []string{n.log(2, 0), n.log(2, 0)} }), both, wrong},
		{"the first of a block is missing", logs(func(n *node) []string { return []string{n.log(2, 1), n.log(4, 0), n.log(5, 0), n.log(5, 1)} }), both, errGap},
		{"one of a block is missing", logs(func(n *node) []string {
			return []string{n.log(2, 0), n.log(2, 2), n.log(4, 0), n.log(5, 0), n.log(5, 1)}
		}), both, errGap},
		{"backwards in a block", logs(func(n *node) []string { return []string{n.log(2, 1), n.log(2, 0)} }), both, wrong},
		{"backwards", logs(func(n *node) []string { return []string{n.log(4, 0), n.log(2, 0)} }), both, wrong},
		{"below the range", logs(func(n *node) []string { return []string{n.log(1, 0)} }), both, wrong},
		{"above the range", logs(func(n *node) []string { return []string{n.log(7, 0)} }), both, wrong},
		{"pending", logs(func(n *node) []string {
			return []string{strings.Replace(n.log(2, 0), `"`+hash(3).String()+`"`, "null", 1)}
		}), both, wrong},
		{"odd data", logs(func(n *node) []string { return []string{strings.Replace(n.log(2, 0), "0x0200", "0x020", 1)} }), both, wrong},
		{"five topics", logs(func(n *node) []string {
			topic := `"` + hash(100).String() + `"`
			return []string{strings.Replace(n.log(2, 0), topic, strings.Repeat(topic+",", 4)+topic, 1)}
		}), both, wrong},
		{"null", func(n *node) {
			n.say = func(method string, _ []any) (string, bool) { return `"result":null`, method == "eth_getLogs" }
		}, both, wrong},
		{"another number", func(n *node) {
			n.say = func(method string, params []any) (string, bool) {
				return `"result":` + n.header("0x4"), params[0] == "0x6"
			}
		}, both, wrong},
	} {
		for _, dense := range c.dense {
			n := straight(8)
			c.spoil(n)
			_, err := client(t, n).Fetch(t.Context(), indexer.Range{From: 2, To: 6}, indexer.Want{Dense: dense, Watched: everything{}})
			if err != nil && !errors.Is(err, torn) && VerdictOf(err) == (Verdict{}) {
				err = wrong
			}
			if !errors.Is(err, c.want) {
				t.Errorf("%s, dense %v: %v, want %v", c.name, dense, err, c.want)
			}
			if c.want == errGap && VerdictOf(err).Kind != Unknown {
				t.Errorf("%s, dense %v: the block would not be read from its receipts", c.name, dense)
			}
		}
	}
}

// A log that lacks what tells whether it is watched, or what it says, is not left out.
func TestFetchNeedsMembers(t *testing.T) {
	n := straight(8)
	c := client(t, n)
	whole := n.log(4, 0)
	for name, text := range map[string]string{
		"none": whole, "no address": strings.Replace(whole, `"address"`, `"a"`, 1), "no topics": strings.Replace(whole, `"topics"`, `"t"`, 1),
		"no data": strings.Replace(whole, `"data"`, `"d"`, 1), "no transactionHash": strings.Replace(whole, `"transactionHash"`, `"h"`, 1),
		"address null":         strings.Replace(whole, `"`+contract(1).String()+`"`, "null", 1),
		"address null again":   strings.Replace(whole, `"data":`, `"address":null,"data":`, 1),
		"transactionHash null": strings.Replace(whole, `"`+hash(200).String()+`"`, "null", 1),
	} {
		n.say = func(method string, _ []any) (string, bool) { return `"result":[` + text + `]`, method == "eth_getLogs" }
		_, err := c.Fetch(t.Context(), indexer.Range{From: 4, To: 4}, indexer.Want{Watched: watched{contract(1): true}})
		if refused := err != nil && strings.Contains(err.Error(), "rpc near: ") && strings.Contains(err.Error(), "of block 4: log without address"); refused != (name != "none") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A header that does not say whether its block has logs does not speak for there being none.
func TestFetchNeedsBlooms(t *testing.T) {
	n := straight(8)
	n.say = func(method string, params []any) (string, bool) {
		if method == "eth_getLogs" {
			return `"result":[]`, true
		}
		return `"result":` + strings.Replace(n.header(params[0].(string)), "logsBloom", "bloom", 1), true
	}
	_, err := client(t, n).Fetch(t.Context(), indexer.Range{From: 4, To: 4}, indexer.Want{Watched: everything{}})
	if err == nil || !strings.Contains(err.Error(), "is without logsBloom") {
		t.Error(err)
	}
}

// An endpoint on another fork than the anchor's is not believed.
func TestFetchAnchor(t *testing.T) {
	n := straight(8)
	c := client(t, n)
	for _, dense := range []bool{true, false} {
		for _, a := range []struct {
			anchor chain.BlockRef
			want   error
		}{
			{chain.BlockRef{Number: 7, Hash: hash(8)}, nil},
			{chain.BlockRef{Number: 6, Hash: hash(7)}, nil},
			{chain.BlockRef{Number: 7, Hash: hash(9)}, indexer.ErrTorn},
			{chain.BlockRef{Number: 8, Hash: hash(9)}, indexer.ErrAbsent},
		} {
			n.asked = nil
			got, err := c.Fetch(t.Context(), indexer.Range{From: 2, To: 6},
				indexer.Want{Dense: dense, Watched: watched{contract(2): true}, Anchor: a.anchor})
			if !errors.Is(err, a.want) || len(n.asked) != 1 {
				t.Errorf("%v, dense %v: %v, want %v, in %d requests", a.anchor, dense, err, a.want, len(n.asked))
			}
			if err == nil {
				checkBlocks(t, a.anchor.String(), got, dense)
			}
		}
	}
}

// Logs without a time, whose blocks are of another fork when their headers are read.
func TestFetchDoubtsTimes(t *testing.T) {
	n := straight(8)
	n.times = false
	c := client(t, n)
	ask := func() error {
		_, err := c.Fetch(t.Context(), indexer.Range{From: 2, To: 6}, indexer.Want{Watched: everything{}})
		return err
	}
	n.say = func(method string, params []any) (string, bool) {
		return `"result":` + strings.Replace(n.header("0x4"), hash(5).String(), hash(77).String(), 1), params[0] == "0x4"
	}
	if err := ask(); !errors.Is(err, indexer.ErrTorn) {
		t.Errorf("another hash: %v", err)
	}
	n.say = func(_ string, params []any) (string, bool) { return `"result":null`, params[0] == "0x4" }
	if err := ask(); !errors.Is(err, indexer.ErrAbsent) {
		t.Errorf("no header: %v", err)
	}
}

func TestFetchTakesWhatNodesWrite(t *testing.T) {
	n := straight(3)
	odd := strings.NewReplacer(
		`"0x0100"`, "null", // no data
		`"logIndex":"0x0"`, `"logIndex":0`,
		hash(2).String(), strings.ToUpper(hash(2).String()),
		`"removed":false,`, `"extra":{"a":[{}]},`,
	).Replace(n.log(1, 0))
	item := `{"result":[` + odd + `],"error":null,"jsonrpc":"2.0","id":"2"}`
	answer := "[" + item + `,{"extra":1,"id":1,"result":` + n.header("0x1") + "}]"
	got, err := client(t, body(200, answer)).Fetch(t.Context(), indexer.Range{From: 1, To: 1}, indexer.Want{Dense: true, Watched: everything{}})
	if err != nil || len(got.Events) != 1 || len(got.Events[0].Data) != 0 || got.Events[0].Block.Hash != hash(2) {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestMetrics(t *testing.T) {
	reg := prometheus.NewRegistry()
	metrics := NewMetrics(reg, indexer.NewStatus())
	c := client(t, straight(8), func(o *Options) { o.Metrics = metrics })
	for _, to := range []uint64{6, 9} {
		_, _ = c.Fetch(t.Context(), indexer.Range{From: 2, To: to}, indexer.Want{Watched: everything{}})
	}
	refusing := client(t, body(403, ""), func(o *Options) { o.Metrics, o.Name = metrics, "shut" })
	_, _ = refusing.Heads(t.Context())
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	for _, family := range families {
		for _, m := range family.Metric {
			key := family.GetName()
			for _, l := range m.Label { // sorted by name: endpoint, method, network, outcome
				key += " " + l.GetValue()
			}
			got[key] = m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	want := map[string]float64{
		"superindex_rpc_requests_total near eth_getBlockByNumber optimism ok":        4,
		"superindex_rpc_requests_total near eth_getLogs optimism ok":                 2,
		"superindex_rpc_requests_total shut eth_getBlockByNumber optimism refused":   3,
		"superindex_rpc_request_duration_seconds near eth_getLogs optimism":          2,
		"superindex_rpc_request_duration_seconds shut eth_getBlockByNumber optimism": 1,
	}
	if !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// An answer that comes in two halves is waited for twice; what is parsed is not waited for.
func TestStages(t *testing.T) {
	const pause = 50 * time.Millisecond
	status := indexer.NewStatus()
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(pause)
		answer := httptest.NewRecorder()
		straight(8).ServeHTTP(answer, r)
		half := answer.Body.Len() / 2
		_, _ = w.Write(answer.Body.Next(half))
		w.(http.Flusher).Flush()
		time.Sleep(pause)
		_, _ = w.Write(answer.Body.Bytes())
	})
	c := client(t, slow, func(o *Options) { o.Metrics = NewMetrics(prometheus.NewRegistry(), status) })
	if _, err := c.Heads(t.Context()); err != nil {
		t.Fatal(err)
	}
	spent := status.Stages("optimism")
	if waited, parsed := spent.Spent(indexer.WaitRPC), spent.Spent(indexer.Parse); waited < 2*pause || parsed <= 0 {
		t.Errorf("waited %v, parsed %v", waited, parsed)
	}
}

func TestCheck(t *testing.T) {
	good := Options{Name: "a", URL: "https://a.example", ChainID: 10}
	if err := good.Check(); err != nil {
		t.Error(err)
	}
	for field, change := range map[string]func(*Options){
		"Name":     func(o *Options) { o.Name = "" },
		"URL":      func(o *Options) { o.URL = "ftp://a.example" },
		"host":     func(o *Options) { o.URL = "http://" },
		"ChainID":  func(o *Options) { o.ChainID = 0 },
		"MaxBytes": func(o *Options) { o.MaxBytes = -1 },
		"Timeout":  func(o *Options) { o.Timeout = -1 },
	} {
		o := good
		change(&o)
		if err := o.Check(); err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: %v", field, err)
		}
	}
}
