package ethrpc

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"superindex/chain"
)

// node is a fake node: a chain of blocks, and what it does wrong.
type node struct {
	blocks []fakeBlock                                      // by number
	times  bool                                             // logs say their blocks' time
	say    func(method string, params []any) (string, bool) // an item in place of the chain's own
	asked  [][]string                                       // the methods of each request
}

type fakeBlock struct {
	hash, parent byte
	logs         int // of contract 1 and contract 2, in turn
}

// hash is 32 bytes of b.
func hash(b byte) (h chain.Hash) {
	for i := range h {
		h[i] = b
	}
	return h
}

// straight is a chain whose block i has the hash i+1 and i%3 logs.
func straight(n int) *node {
	c := &node{times: true}
	for i := range n {
		c.blocks = append(c.blocks, fakeBlock{hash: byte(i + 1), parent: byte(i), logs: i % 3})
	}
	return c
}

func (n *node) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var calls []struct {
		ID     int
		Method string
		Params []any
	}
	body, _ := io.ReadAll(r.Body)
	if err := json.Unmarshal(body, &calls); err != nil {
		panic(err)
	}
	var items, methods []string
	for _, c := range calls {
		methods = append(methods, c.Method)
		item, ok := "", false
		if n.say != nil {
			item, ok = n.say(c.Method, c.Params)
		}
		if !ok {
			item = `"result":` + n.answer(c.Method, c.Params)
		}
		items = append(items, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,%s}`, c.ID, item))
	}
	n.asked = append(n.asked, methods)
	_, _ = io.WriteString(w, "["+strings.Join(items, ",")+"]")
}

func (n *node) answer(method string, params []any) string {
	switch method {
	case "eth_chainId":
		return `"0xa"`
	case "eth_getBlockByNumber":
		return n.header(params[0].(string))
	case "eth_getLogs":
		filter := params[0].(map[string]any)
		from, to := number(filter["fromBlock"]), min(number(filter["toBlock"]), len(n.blocks)-1)
		var logs []string
		for i := from; i <= to; i++ {
			for j := range n.blocks[i].logs {
				logs = append(logs, n.log(i, j))
			}
		}
		return "[" + strings.Join(logs, ",") + "]"
	}
	panic(method)
}

func number(hex any) int {
	n, err := strconv.ParseInt(hex.(string)[2:], 16, 64)
	if err != nil {
		panic(err)
	}
	return int(n)
}

func (n *node) header(at string) string {
	var i int
	switch at {
	case "latest":
		i = len(n.blocks) - 1
	case "safe":
		i = len(n.blocks) - 2
	case "finalized":
		i = len(n.blocks) - 3
	default:
		i = number(at)
	}
	if i < 0 || i >= len(n.blocks) {
		return "null"
	}
	bloom := "0x" + strings.Repeat("0", 512)
	if n.blocks[i].logs > 0 {
		bloom = "0x" + strings.Repeat("0", 511) + "4"
	}
	return fmt.Sprintf(`{"number":"0x%x","hash":"%v","parentHash":"%v","timestamp":"0x%x","logsBloom":"%s",
		"transactions":["0x01",{"type":"0x7e"}],"l1Something":{"a":[1,2]}}`,
		i, hash(n.blocks[i].hash), hash(n.blocks[i].parent), 1000+2*i, bloom)
}

func (n *node) log(block, index int) string {
	time := ""
	if n.times {
		time = fmt.Sprintf(`"blockTimestamp":"0x%x",`, 1000+2*block)
	}
	return fmt.Sprintf(`{"address":"%v","blockNumber":"0x%x","blockHash":"%v",%s"transactionHash":"%v",
		"transactionIndex":"0x%x","logIndex":"0x%x","removed":false,"topics":["%v"],"data":"0x%02x%02x"}`,
		contract(1+index%2), block, hash(n.blocks[block].hash), time, hash(byte(200+index)),
		index, index, hash(byte(100+index)), block, index)
}

// limited is a node that takes so many calls in a request.
type limited struct {
	*node
	max int
}

func (l limited) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	rec := httptest.NewRecorder()
	l.node.ServeHTTP(rec, r)
	if methods := l.asked[len(l.asked)-1]; len(methods) > l.max {
		_, _ = io.WriteString(w, `[{"jsonrpc":"2.0","id":1,"error":{"code":-32600,"message":"batch too large"}}]`)
		return
	}
	_, _ = rec.Body.WriteTo(w)
}

// contract is an address that ends in n.
func contract(n int) (a chain.Address) {
	a[19] = byte(n)
	return a
}

// watched is a set of addresses.
type watched map[chain.Address]bool

func (w watched) Has(a *chain.Address) bool { return w[*a] }

// everything is every address.
type everything struct{}

func (everything) Has(*chain.Address) bool { return true }

// client asks h.
func client(t testing.TB, h http.Handler, change ...func(*Options)) *Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	o := Options{Network: "optimism", Name: "near", URL: server.URL + "/v2/s3cr3tkey", ChainID: 10}
	for _, f := range change {
		f(&o)
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// body answers every request with this text.
func body(status int, text string, header ...string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, text)
	})
}
