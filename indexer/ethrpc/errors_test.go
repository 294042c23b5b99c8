package ethrpc

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"superindex/chain"
	"superindex/indexer"
)

// Row is one of the provider table: what a node or a provider was seen to say, word by
// word, and what it leads to. Reaction is what a pool does then about a range of 30
// million blocks, where it has another endpoint: "halved", "at most N blocks",
// "suggested", "other endpoint", "out", "slower".
type Row struct {
	Status   int
	Code     int
	Text     string
	Want     Verdict
	Reaction string
}

// Seen is the provider table.
func Seen() []Row { return seen }

var seen = []Row{
	// geth, op-geth
	{200, -32602, "block range extends beyond current head block", Verdict{Kind: Behind}, "other endpoint"},
	{200, -32602, "invalid block range params", Verdict{Kind: Transient}, "out"},
	{200, -32000, "exceed max addresses or topics per search position", Verdict{Kind: TooManyAddresses}, "halved"},
	{200, -32602, "exceed maximum block range 5000", Verdict{Kind: TooManyBlocks, Blocks: 5000}, "at most 5000 blocks"},
	{200, -32003, "response too large", Verdict{Kind: TooMuch}, "halved"},
	{200, -32002, "request timed out", Verdict{Kind: TooMuch}, "halved"},
	{200, -32600, "batch too large", Verdict{Kind: TooManyCalls}, "halved"},
	{200, -32000, "missing trie node 0a0b", Verdict{Kind: Missing}, "other endpoint"},
	{200, -32000, "header not found", Verdict{Kind: Missing}, "other endpoint"},
	{200, -32000, "unknown block", Verdict{Kind: Missing}, "other endpoint"},
	{200, -32000, "No state available for block 0x1", Verdict{Kind: Missing}, "other endpoint"},
	{200, -32801, "no historical RPC is available for this historical (pre-bedrock) execution request", Verdict{Kind: Missing}, "other endpoint"},
	// op-reth, base-reth, reth
	{200, -32602, "block range extends beyond current head block: requested 20, head 10", Verdict{Kind: Behind}, "other endpoint"},
	{200, -32602, "query exceeds max block range 100000", Verdict{Kind: TooManyBlocks, Blocks: 100_000}, "at most 100000 blocks"},
	{200, -32602, "query exceeds max results 20000, retry with the range 1-5", Verdict{Kind: TooMuch, Logs: 20_000, Works: indexer.Range{From: 1, To: 5}}, "suggested"},
	{200, -32008, "Response is too big", Verdict{Kind: TooMuch}, "halved"},
	{200, -32007, "Request is too big", Verdict{Kind: TooManyCalls}, "halved"},
	{200, -32009, "server is busy", Verdict{Kind: Overloaded}, "other endpoint"},
	// anvil, Erigon, Nethermind, Besu
	{200, -32602, "BlockOutOfRangeError: block height is 10 but requested was 15", Verdict{Kind: Behind}, "other endpoint"},
	{200, -32602, "query block range exceeds server limit, narrow your filter: 1000", Verdict{Kind: TooManyBlocks, Blocks: 1000}, "at most 1000 blocks"},
	{200, -32602, "query returns too many logs, narrow your filter: 20000", Verdict{Kind: TooMuch, Logs: 20_000}, "halved"},
	{200, -32001, "8633830 could not be found", Verdict{Kind: Behind}, "other endpoint"},
	{200, -32005, "Requested range exceeds maximum RPC range limit", Verdict{Kind: TooManyBlocks}, "halved"},
	// Infura
	{200, -32005, "query returned more than 10000 results. Try with this block range [0xBDE5F8, 0x102DBCC].", Verdict{Kind: TooMuch, Logs: 10_000, Works: indexer.Range{From: 0xbde5f8, To: 0x102dbcc}}, "suggested"},
	{200, -32602, "range 1000000 exceeds limit of 10000", Verdict{Kind: TooManyBlocks, Blocks: 10_000}, "at most 10000 blocks"},
	{200, -32005, "query timeout exceeded", Verdict{Kind: TooMuch}, "halved"},
	{200, -32005, "This query contains 14523 filters. The current limit is 5000.", Verdict{Kind: TooManyAddresses}, "halved"},
	{200, -32005, "daily request count exceeded, request rate limited", Verdict{Kind: Limited}, "slower"},
	// Alchemy
	{200, -32602, "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size. Based on your parameters, this block range should work: [0x0, 0xd043b8]", Verdict{Kind: TooMuch, Works: indexer.Range{To: 0xd043b8}}, "suggested"},
	{200, -32602, "Log response size exceeded. this block range should work: [0x20, 0x10]", Verdict{Kind: TooMuch, Works: indexer.Range{From: 0x10, To: 0x20}}, "suggested"},
	{400, -32600, "You can make eth_getLogs requests with up to a 500 block range. Based on your parameters, this block range should work: [0x1, 0x1f4]", Verdict{Kind: TooManyBlocks, Blocks: 500, Works: indexer.Range{From: 1, To: 500}}, "suggested"},
	{400, -32600, "Under the Free tier plan, you can make eth_getLogs requests with up to a 10 block range.", Verdict{Kind: TooManyBlocks, Blocks: 10}, "at most 10 blocks"},
	{429, 0, "Your app has exceeded its compute units per second capacity", Verdict{Kind: Limited}, "slower"},
	{200, 429, "Your app has exceeded its compute units per second capacity", Verdict{Kind: Limited}, "slower"},
	{200, -32000, "Monthly capacity limit exceeded. Visit https://example.com/settings/billing", Verdict{Kind: Refused}, "out"},
	// QuickNode
	{413, -32614, "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range", Verdict{Kind: TooManyBlocks, Blocks: 10_000}, "at most 10000 blocks"},
	{413, -32614, "eth_getLogs is limited to a 5 range", Verdict{Kind: TooMuch}, "halved"},
	{200, -32007, "50/second request limit reached - reduce calls per second or upgrade your account", Verdict{Kind: Limited}, "slower"},
	{200, -32009, "trace requests limited to 20/second", Verdict{Kind: Limited}, "slower"},
	{200, -32612, "custom traces are blocked", Verdict{Kind: Unsupported}, "out"},
	{200, -32613, "debug traces are blocked", Verdict{Kind: Unsupported}, "out"},
	{200, -32601, "the method eth_getBlockReceipts does not exist/is not available", Verdict{Kind: Unsupported}, "out"},
	// Ankr, dRPC, Llama, Cloudflare, 1rpc, Blast, BlockPI
	{200, -32600, "block range is too wide", Verdict{Kind: TooManyBlocks, Blocks: 3000}, "at most 3000 blocks"},
	{200, -32600, "maximum [from, to] blocks distance: 10000", Verdict{Kind: TooManyBlocks, Blocks: 10_000}, "at most 10000 blocks"},
	{200, -32000, "ranges over 10000 blocks are not supported on freetier", Verdict{Kind: TooManyBlocks, Blocks: 10_000}, "at most 10000 blocks"},
	{200, -32000, "invalid block range", Verdict{Kind: Missing}, "other endpoint"},
	{200, -32000, "query exceeds max results 20000", Verdict{Kind: TooMuch, Logs: 20_000}, "halved"},
	{200, -32000, "error code: 1015", Verdict{Kind: Limited, Wait: time.Minute}, "slower"},
	{200, -32047, "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800", Verdict{Kind: TooManyBlocks, Blocks: 799}, "at most 799 blocks"},
	{200, -32000, "eth_getLogs is limited to a 1000 blocks range", Verdict{Kind: TooManyBlocks, Blocks: 1000}, "at most 1000 blocks"},
	{200, -32000, "eth_getLogs is limited to 1024 block range", Verdict{Kind: TooManyBlocks, Blocks: 1024}, "at most 1024 blocks"},
	{200, -32602, "exceeds the range allowed for your plan (5000 > 3000)", Verdict{Kind: TooManyBlocks, Blocks: 3000}, "at most 3000 blocks"},
	// publicnode, Chainstack, Coinbase, Thirdweb, Tenderly
	{200, -32000, "maximum block range: 50000", Verdict{Kind: TooManyBlocks, Blocks: 50_000}, "at most 50000 blocks"},
	{200, -32000, "Block range limit exceeded.", Verdict{Kind: TooManyBlocks}, "halved"},
	{200, -32000, "please limit the query to at most 1000 blocks", Verdict{Kind: TooManyBlocks, Blocks: 1000}, "at most 1000 blocks"},
	{200, -32000, "Maximum allowed number of requested blocks is 1000", Verdict{Kind: TooManyBlocks, Blocks: 1000}, "at most 1000 blocks"},
	{200, -32000, "range 9009594 is bigger than range limit 2000", Verdict{Kind: TooManyBlocks, Blocks: 2000}, "at most 2000 blocks"},
	{200, -32000, "eth_getLogs range is too large, max is 1k blocks", Verdict{Kind: TooManyBlocks, Blocks: 1000}, "at most 1000 blocks"},
	// mainnet.optimism.io, mainnet.base.org, proxyd
	{200, -32062, "Block range is too large", Verdict{Kind: TooManyBlocks}, "halved"},
	{200, -32000, "block range too large", Verdict{Kind: TooManyBlocks, Blocks: 2000}, "at most 2000 blocks"},
	{503, -32011, "no backend is currently healthy to serve traffic", Verdict{Kind: Overloaded}, "other endpoint"},
	{429, -32012, "backend is over capacity", Verdict{Kind: Overloaded}, "other endpoint"},
	{429, -32016, "over rate limit", Verdict{Kind: Limited}, "slower"},
	{200, -32014, "too many RPC calls in batch request", Verdict{Kind: TooManyCalls}, "halved"},
	{504, -32015, "gateway timeout", Verdict{Kind: TooMuch}, "halved"},
	{500, -32020, "backend response too large", Verdict{Kind: TooMuch}, "halved"},
	{413, -32021, "request body too large", Verdict{Kind: TooManyAddresses}, "halved"},
	{403, -32001, "rpc method is not whitelisted", Verdict{Kind: Unsupported}, "out"},
	// Without a text that is known, the code decides.
	{413, 0, "", Verdict{Kind: TooMuch}, "halved"},
	{504, 0, "", Verdict{Kind: TooMuch}, "halved"},
	{200, 429, "slow down", Verdict{Kind: Limited}, "slower"},
	{429, 0, "", Verdict{Kind: Limited}, "slower"},
	{503, 0, "<html>", Verdict{Kind: Overloaded}, "other endpoint"},
	{401, 0, "", Verdict{Kind: Refused}, "out"},
	{402, 0, "", Verdict{Kind: Refused}, "out"},
	{403, 0, "Forbidden", Verdict{Kind: Refused}, "out"},
	{500, 0, "oh", Verdict{Kind: Transient}, "out"},
	{502, 0, "<html>", Verdict{Kind: Transient}, "out"},
	{404, 0, "", Verdict{Kind: Transient}, "out"},
	{200, -32000, "something new", Verdict{Kind: Unknown}, "other endpoint"},
	{200, -32603, "internal error", Verdict{Kind: Unknown}, "other endpoint"},
}

func TestVerdicts(t *testing.T) {
	for _, s := range seen {
		f := fault{status: s.Status, code: int64(s.Code), text: s.Text}
		if got := f.judge(); got != s.Want {
			t.Errorf("HTTP %d, code %d, %q: got %+v, want %+v", s.Status, s.Code, s.Text, got, s.Want)
		}
	}
}

// Each verdict reaches the caller of Fetch as the error that the engine looks for,
// said of the logs only, of the batch by one object, and of its first id.
func TestVerdictsReachTheCaller(t *testing.T) {
	for _, s := range seen {
		fault := fmt.Sprintf(`"error":{"code":%d,"message":%q}`, s.Code, s.Text)
		answers := []http.Handler{
			body(s.Status, `{"jsonrpc":"2.0","id":null,`+fault+`}`),
			body(s.Status, `[{"jsonrpc":"2.0","id":1,`+fault+`}]`),
			body(s.Status, `{"jsonrpc":"2.0",`+fault+`,"id":1}`),
		}
		if s.Status == http.StatusOK {
			n := straight(5)
			n.say = func(method string, _ []any) (string, bool) { return fault, method == "eth_getLogs" }
			answers = append(answers, n)
		}
		for i, h := range answers {
			_, err := client(t, h).Fetch(t.Context(), indexer.Range{From: 1, To: 3}, indexer.Want{Dense: true, Watched: everything{}})
			if i < 3 && s.Want.Kind.cause() == indexer.ErrAbsent {
				continue // of a header it is no error but the block's absence
			}
			if err == nil || VerdictOf(err) != s.Want || !errors.Is(err, cmp.Or(s.Want.Kind.cause(), err)) {
				t.Errorf("HTTP %d, code %d, %q, answer %d: %v, want %+v", s.Status, s.Code, s.Text, i, err, s.Want)
			}
		}
	}
}

func TestWaitThatIsAskedFor(t *testing.T) {
	in := func(d time.Duration) string { return time.Now().Add(d).UTC().Format(http.TimeFormat) }
	infura := `{"error":{"code":-32005,"message":"request rate limited","data":{"rate":{"backoff_seconds":30}}}}`
	for _, c := range []struct {
		name     string
		node     http.Handler
		min, max time.Duration
	}{
		{"seconds", body(429, "", "Retry-After", "7"), 7 * time.Second, 7 * time.Second},
		{"a date", body(503, "", "Retry-After", in(time.Minute)), 58 * time.Second, time.Minute},
		{"a day", body(429, "", "Retry-After", "86400"), maxWait, maxWait},
		{"the past", body(429, "", "Retry-After", in(-time.Hour)), 0, 0},
		{"no header", body(429, ""), 0, 0},
		{"Infura's body", body(200, infura), 30 * time.Second, 30 * time.Second},
	} {
		_, err := client(t, c.node).Heads(t.Context())
		if v := VerdictOf(err); err == nil || v.Wait < c.min || v.Wait > c.max {
			t.Errorf("%s: %v, want a wait from %v to %v", c.name, err, c.min, c.max)
		}
	}
}

func TestAnswersThatCannotBeRead(t *testing.T) {
	for name, c := range map[string]struct {
		node http.Handler
		want string
	}{
		"HTML":          {body(200, "<html>hello</html>"), `it begins "<html>`},
		"empty":         {body(200, ""), "cut off"},
		"cut off":       {body(200, `[{"jsonrpc":"2.0","id":1,"result":{"numb`), "cut off"},
		"cut after one": {body(200, `[{"jsonrpc":"2.0","id":1,"result":null}`), "cut off"},
		"a text":        {body(200, `"later"`), "no JSON-RPC"},
		"numbers":       {body(200, `[1,2,3]`), "no JSON-RPC"},
		"foreign id":    {body(200, `[{"jsonrpc":"2.0","id":77,"result":null}]`), "not made"},
		"one id twice":  {body(200, `[{"id":1,"result":null},{"id":1,"result":null}]`), "twice"},
		"some missing":  {body(200, `[{"id":2,"result":null}]`), "no answer to this call"},
		"none":          {body(200, `[]`), "no answer to this call"},
		"a redirect":    {body(302, "", "Location", "http://127.0.0.1:1/other"), "HTTP 302"},
		"no such block": {body(200, `[{"id":1,"result":{"number":null}},{"id":2,"result":null},{"id":3,"result":null}]`), "without number"},
		"a bad number":  {body(200, `[{"id":1,"result":{"number":"0xzz"}}]`), "quantity"},
	} {
		_, err := client(t, c.node).Heads(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.HasPrefix(err.Error(), "rpc near: ") {
			t.Errorf("%s: %v, want one that says %q", name, err, c.want)
		}
		if v := VerdictOf(err); v.Kind != Transient || chain.IsFatal(err) {
			t.Errorf("%s: %v is %+v", name, err, v)
		}
	}
}

func TestTooLongAndTooLate(t *testing.T) {
	ask := func(c *Client, ctx context.Context) error {
		_, err := c.Fetch(ctx, indexer.Range{From: 1, To: 9}, indexer.Want{Watched: everything{}})
		return err
	}
	short := client(t, straight(20), func(o *Options) { o.MaxBytes = 500 })
	if err := ask(short, t.Context()); !errors.Is(err, indexer.ErrTooLarge) {
		t.Errorf("answer over MaxBytes: %v", err)
	}
	silent := http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 1<<16))
		<-r.Context().Done()
	})
	late := client(t, silent, func(o *Options) { o.Timeout = time.Second })
	if err := ask(late, t.Context()); VerdictOf(err).Kind != Silent || errors.Is(err, indexer.ErrTooLarge) {
		t.Errorf("no answer within Timeout: %v", err)
	}
	slow := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = r.Body.Read(make([]byte, 1<<16))
		_, _ = io.WriteString(w, `[{"jsonrpc":"2.0","id":1,`)
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
	})
	stuck := client(t, slow, func(o *Options) { o.Timeout = time.Second })
	if err := ask(stuck, t.Context()); !errors.Is(err, indexer.ErrTooLarge) {
		t.Errorf("half of an answer within Timeout: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ask(late, ctx); !errors.Is(err, context.Canceled) || errors.Is(err, indexer.ErrTooLarge) {
		t.Errorf("cancelled by the caller: %v", err)
	}
}

// However much an endpoint says, and on however many lines, it is shown as one.
func TestLongTexts(t *testing.T) {
	said := strings.Repeat("no\nlines\t\u0000é ", 1000)
	text, err := json.Marshal(map[string]any{"error": map[string]any{"code": -32000, "message": said}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client(t, body(200, string(text))).Heads(t.Context())
	if err == nil || len(err.Error()) > mostText+50 || strings.ContainsAny(err.Error(), "\n\t\u0000") || !utf8.ValidString(err.Error()) {
		t.Errorf("%d bytes: %v", len(err.Error()), err)
	}
	if want := "rpc near: eth_getBlockByNumber: code -32000: no lines é no lines"; !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%v", err)
	}
}

// Nothing of the URL reaches an error, whoever made the error's text.
func TestSecrets(t *testing.T) {
	const secrets = "http://someuser:passw0rd@node-abcdef.invalid:8545/v2/s3cr3tkey?token=t0ken123"
	c, err := New(Options{Name: "far", URL: secrets, ChainID: 1})
	if err != nil {
		t.Fatal(err)
	}
	_, unreachable := c.Heads(t.Context())
	echo := client(t, body(401, `{"error":{"code":-32000,"message":"invalid api key s3cr3tkey"}}`))
	_, echoed := echo.Heads(t.Context())
	_, unparsed := New(Options{Name: "far", URL: "http://s3cr3tkey\x00/", ChainID: 1})
	for _, err := range []error{unreachable, echoed, unparsed} {
		if err == nil {
			t.Fatal("no error")
		}
		for _, secret := range []string{"someuser", "passw0rd", "node-abcdef", "s3cr3tkey", "t0ken123"} {
			if strings.Contains(err.Error(), secret) {
				t.Errorf("%v shows %s", err, secret)
			}
		}
	}
}
