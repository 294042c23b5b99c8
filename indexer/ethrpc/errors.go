package ethrpc

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"superindex/indexer"
)

// BusyError is an endpoint's wish to be left alone for a while. It is temporary.
type BusyError struct {
	Wait time.Duration // 0 where the endpoint did not say how long; at most maxWait
	err  error
}

// RetryAfter is how long the endpoint wants to be left alone.
func (b *BusyError) RetryAfter() time.Duration { return b.Wait }

// unknownMethod is JSON-RPC's code for a method that a node does not have.
const unknownMethod = -32601

// maxWait bounds what an endpoint can ask for: a wrong clock or a day's quota
// must not silence a network for hours.
const maxWait = 5 * time.Minute

func (b *BusyError) Error() string { return b.err.Error() }

// Unwrap returns the cause.
func (b *BusyError) Unwrap() error { return b.err }

// endpointError is an error with the endpoint's name and without its URL.
type endpointError struct {
	text  string
	cause error // what errors.Is looks for; nil where there is nothing to do but try again
}

func (e *endpointError) Error() string { return e.text }
func (e *endpointError) Unwrap() error { return e.cause }

// fault is what an endpoint says went wrong.
type fault struct {
	status int           // of HTTP
	code   int64         // of JSON-RPC; 0 where there was none
	text   string        // of JSON-RPC, or the beginning of the body
	wait   time.Duration // asked for; 0 where it was not
}

func (f fault) String() string {
	switch {
	case f.code != 0:
		return fmt.Sprintf("code %d: %s", f.code, f.text)
	case f.status != http.StatusOK:
		return fmt.Sprintf("HTTP %d: %s", f.status, f.text)
	}
	return f.text
}

// verdict says what a fault means for the caller.
type verdict uint8

const (
	temporary verdict = iota
	tooLarge          // ask for less
	absent            // the node lacks the block: wait, never cut
	busy              // ask later
	refused           // no retry mends it
)

// sayings are the texts of known nodes and providers, in lower case; the first
// one that a message contains decides. The text comes before the code, because
// one code means different things (Infura's -32005 is a range that is too wide,
// and a daily limit) and proxies keep a node's text but not its code.
var sayings = []struct {
	text string
	verdict
}{
	// The node is behind: these contain words of the ranges below.
	{"beyond current head", absent},           // geth, op-geth, reth
	{"blockoutofrange", absent},               // anvil
	{"could not be found", absent},            // Nethermind
	{"header not found", absent},              // geth
	{"unknown block", absent},                 // geth
	{"missing trie node", absent},             // geth
	{"no state available", absent},            // Nethermind
	{"no historical rpc", absent},             // op-geth, before Bedrock
	{"invalid block range params", temporary}, // geth: from > to, no such request is made
	{"invalid block range", absent},           // dRPC: the backend lacks it

	{"compute units per second", busy}, // Alchemy
	{"rate limit", busy},               // proxyd, Infura
	{"too many requests", busy},
	{"request count exceeded", busy}, // Infura
	{"/second", busy},                // QuickNode
	{"requests per second", busy},
	{"currently healthy", busy}, // proxyd: no backend is
	{"over capacity", busy},     // proxyd
	{"server is busy", busy},    // jsonrpsee
	{"code: 1015", busy},        // Cloudflare

	{"monthly capacity", refused}, // Alchemy
	{"/billing", refused},
	{"not whitelisted", refused}, // proxyd
	{"unauthorized", refused},
	{"invalid api key", refused},
	{"must be authenticated", refused},

	{"block range", tooLarge},         // Alchemy, op-reth, 1rpc, publicnode, Optimism, Base, Chainstack
	{"blocks range", tooLarge},        // QuickNode, Blast
	{"range too large", tooLarge},     // Cloudflare
	{"range is too large", tooLarge},  // Tenderly
	{"range limit", tooLarge},         // Thirdweb, Besu
	{"exceeds the range", tooLarge},   // BlockPI
	{"exceeds limit of", tooLarge},    // Infura: "range 1000000 exceeds limit of 10000"
	{"blocks distance", tooLarge},     // Ankr
	{"limit the query to", tooLarge},  // Coinbase
	{"requested blocks is", tooLarge}, // Thirdweb
	{"ranges over", tooLarge},         // dRPC
	{"max results", tooLarge},         // op-reth, Llama
	{"query returned more than", tooLarge},
	{"narrow your filter", tooLarge}, // Erigon
	{"size exceeded", tooLarge},      // Alchemy
	{"too big", tooLarge},            // reth
	{"too large", tooLarge},          // geth, proxyd: answer, batch or request
	{"too many rpc calls", tooLarge}, // proxyd: in a batch
	{"timeout", tooLarge},            // Infura, proxyd
	{"timed out", tooLarge},          // geth
}

// judge is the table of what a fault means.
func (f fault) judge() verdict {
	text := strings.ToLower(f.text)
	for _, s := range sayings {
		if strings.Contains(text, s.text) {
			return s.verdict
		}
	}
	for _, code := range [...]int64{int64(f.status), f.code} { // Alchemy puts 429 into a body of HTTP 200
		switch code {
		case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden:
			return refused
		case http.StatusRequestEntityTooLarge, http.StatusGatewayTimeout:
			return tooLarge
		case http.StatusTooManyRequests, http.StatusServiceUnavailable:
			return busy
		}
	}
	return temporary
}

// cause is what errors.Is finds in the verdict's error.
func (v verdict) cause() error {
	switch v {
	case tooLarge:
		return indexer.ErrTooLarge
	case absent:
		return indexer.ErrAbsent
	}
	return nil
}

// retryAfter reads the header of that name: seconds, or a date.
func retryAfter(header string, now time.Time) time.Duration {
	var wait time.Duration
	if seconds, err := strconv.ParseUint(header, 10, 32); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(header); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), maxWait)
}

// UnmarshalJSON takes whatever stands where a JSON-RPC error should: what is not
// as it should be is shown as it is, in place of an error about an error.
func (f *fault) UnmarshalJSON(b []byte) error {
	f.read(b)
	return nil
}

// read reads a JSON-RPC error; some providers send a bare text.
func (f *fault) read(b []byte) {
	if json.Unmarshal(b, &f.text) == nil {
		return
	}
	var e struct {
		Code    json.RawMessage `json:"code"`
		Message json.RawMessage `json:"message"`
		Data    json.RawMessage `json:"data"`
	}
	if json.Unmarshal(b, &e) != nil || json.Unmarshal(e.Message, &f.text) != nil {
		f.text = string(b)
	}
	f.code, _ = strconv.ParseInt(strings.Trim(string(e.Code), `"`), 10, 64) // 0 for what is no number
	f.wait = backoffSeconds(e.Data)
}

// backoffSeconds is Infura's way to say how long to wait.
func backoffSeconds(data []byte) time.Duration {
	var d struct {
		Rate struct {
			Seconds float64 `json:"backoff_seconds"`
		} `json:"rate"`
	}
	if json.Unmarshal(data, &d) != nil {
		return 0
	}
	seconds := min(max(d.Rate.Seconds, 0), maxWait.Seconds())
	return time.Duration(seconds * float64(time.Second))
}
