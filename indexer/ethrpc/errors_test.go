package ethrpc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"superindex/chain"
	"superindex/indexer"
)

// What nodes and providers were seen to say.
var seen = []struct {
	status int
	code   int
	text   string
	want   verdict
}{
	{200, -32602, "block range extends beyond current head block", absent},
	{200, -32602, "block range extends beyond current head block: requested 20, head 10", absent},
	{200, -32602, "BlockOutOfRangeError: block height is 10 but requested was 15", absent},
	{200, -32001, "8633830 could not be found", absent},
	{200, -32000, "missing trie node 0a0b", absent},
	{200, -32000, "header not found", absent},
	{200, -32000, "unknown block", absent},
	{200, -32000, "No state available for block 0x1", absent},
	{200, -32801, "no historical RPC is available for this historical (pre-bedrock) execution request", absent},
	{200, -32000, "invalid block range", absent},
	{200, -32602, "invalid block range params", temporary},

	{200, -32602, "query exceeds max block range 100000", tooLarge},
	{200, -32602, "query exceeds max results 20000, retry with the range 1-5", tooLarge},
	{200, -32008, "Response is too big", tooLarge},
	{200, -32602, "query block range exceeds server limit, narrow your filter: 1000", tooLarge},
	{200, -32602, "query returns too many logs, narrow your filter: 20000", tooLarge},
	{200, -32005, "Requested range exceeds maximum RPC range limit", tooLarge},
	{200, -32005, "query returned more than 10000 results. Try with this block range [0xBDE5F8, 0x102DBCC].", tooLarge},
	{200, -32602, "range 1000000 exceeds limit of 10000", tooLarge},
	{200, -32005, "query timeout exceeded", tooLarge},
	{200, -32602, "Log response size exceeded. this block range should work: [0x0, 0xd043b8]", tooLarge},
	{400, -32600, "You can make eth_getLogs requests with up to a 500 block range.", tooLarge},
	{413, -32614, "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range", tooLarge},
	{200, -32600, "block range is too wide", tooLarge},
	{200, -32600, "maximum [from, to] blocks distance: 10000", tooLarge},
	{200, -32000, "ranges over 10000 blocks are not supported on freetier", tooLarge},
	{200, -32000, "query exceeds max results 20000", tooLarge},
	{200, -32047, "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800", tooLarge},
	{200, -32000, "eth_getLogs is limited to a 1000 blocks range", tooLarge},
	{200, -32000, "eth_getLogs is limited to 1024 block range", tooLarge},
	{200, -32602, "exceeds the range allowed for your plan (5000 > 3000)", tooLarge},
	{200, -32000, "maximum block range: 50000", tooLarge},
	{200, -32000, "Block range limit exceeded.", tooLarge},
	{200, -32000, "please limit the query to at most 1000 blocks", tooLarge},
	{200, -32000, "Maximum allowed number of requested blocks is 1000", tooLarge},
	{200, -32000, "range 9009594 is bigger than range limit 2000", tooLarge},
	{200, -32000, "eth_getLogs range is too large, max is 1k blocks", tooLarge},
	{200, -32062, "Block range is too large", tooLarge},
	{200, -32602, "exceed maximum block range 5000", tooLarge},
	{200, -32003, "response too large", tooLarge},
	{200, -32002, "request timed out", tooLarge},
	{200, -32600, "batch too large", tooLarge},
	{200, -32014, "too many RPC calls in batch request", tooLarge},
	{504, -32015, "gateway timeout", tooLarge},
	{500, -32020, "backend response too large", tooLarge},
	{413, -32021, "request body too large", tooLarge},
	{413, 0, "", tooLarge},
	{504, 0, "", tooLarge},

	{200, -32005, "daily request count exceeded, request rate limited", busy},
	{429, 0, "Your app has exceeded its compute units per second capacity", busy},
	{200, 429, "slow down", busy},
	{200, -32007, "50/second request limit reached", busy},
	{503, -32011, "no backend is currently healthy to serve traffic", busy},
	{429, -32012, "backend is over capacity", busy},
	{429, -32016, "over rate limit", busy},
	{200, -32009, "server is busy", busy},
	{200, -32000, "error code: 1015", busy},
	{429, 0, "", busy},
	{503, 0, "<html>", busy},

	{403, -32001, "rpc method is not whitelisted", refused},
	{200, -32000, "Monthly capacity limit exceeded. Visit https://example.com/settings/billing", refused},
	{401, 0, "", refused},
	{402, 0, "", refused},
	{403, 0, "Forbidden", refused},

	{500, 0, "oh", temporary},
	{502, 0, "<html>", temporary},
	{200, -32000, "something new", temporary},
	{404, 0, "", temporary},
}

func TestVerdicts(t *testing.T) {
	for _, s := range seen {
		f := fault{status: s.status, code: int64(s.code), text: s.text}
		if got := f.judge(); got != s.want {
			t.Errorf("HTTP %d, code %d, %q: verdict %d, want %d", s.status, s.code, s.text, got, s.want)
		}
	}
}

// Each verdict reaches the caller of Fetch as the error that the engine looks for,
// said of the logs only, of the batch by one object, and of its first id.
func TestVerdictsReachTheCaller(t *testing.T) {
	for _, s := range seen {
		fault := fmt.Sprintf(`"error":{"code":%d,"message":%q}`, s.code, s.text)
		answers := []http.Handler{
			body(s.status, `{"jsonrpc":"2.0","id":null,`+fault+`}`),
			body(s.status, `[{"jsonrpc":"2.0","id":1,`+fault+`}]`),
			body(s.status, `{"jsonrpc":"2.0",`+fault+`,"id":1}`),
		}
		if s.status == http.StatusOK {
			n := straight(5)
			n.say = func(method string, _ []any) (string, bool) { return fault, method == "eth_getLogs" }
			answers = append(answers, n)
		}
		for i, h := range answers {
			_, err := client(t, h).Fetch(t.Context(), indexer.Range{From: 1, To: 3}, indexer.Want{Dense: true, Watched: everything{}})
			if i > 0 && i < 3 && s.want == absent {
				continue // of a header it is no error but the block's absence
			}
			if got := verdictOf(err); err == nil || got != s.want {
				t.Errorf("HTTP %d, code %d, %q, answer %d: %v, want verdict %d", s.status, s.code, s.text, i, err, s.want)
			}
		}
	}
}

func verdictOf(err error) verdict {
	var b *BusyError
	switch {
	case chain.IsFatal(err):
		return refused
	case errors.As(err, &b):
		return busy
	case errors.Is(err, indexer.ErrTooLarge):
		return tooLarge
	case errors.Is(err, indexer.ErrAbsent):
		return absent
	}
	return temporary
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
		var b *BusyError
		if !errors.As(err, &b) || b.Wait < c.min || b.Wait > c.max {
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
		if verdictOf(err) != temporary {
			t.Errorf("%s: %v is not temporary", name, err)
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
	late := client(t, silent, func(o *Options) { o.Timeout = 30 * time.Millisecond })
	if err := ask(late, t.Context()); !errors.Is(err, indexer.ErrTooLarge) {
		t.Errorf("answer after Timeout: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := ask(late, ctx); !errors.Is(err, context.Canceled) || errors.Is(err, indexer.ErrTooLarge) {
		t.Errorf("cancelled by the caller: %v", err)
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
