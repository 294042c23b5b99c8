package ethrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"superindex/indexer"
)

// Error is what went wrong at an endpoint. Its text names the endpoint and shows
// nothing of its URL; its verdict says what to do.
type Error struct {
	Verdict
	text  string
	cause error // nil where the verdict says all
}

func (e *Error) Error() string { return e.text }

// Unwrap returns the cause, or what the verdict comes to: indexer.ErrTooLarge, indexer.ErrAbsent.
func (e *Error) Unwrap() error {
	if e.cause == nil {
		return e.Kind.cause()
	}
	return e.cause
}

// RetryAfter is how long the endpoint wants to be left alone; 0 where it did not say.
func (e *Error) RetryAfter() time.Duration { return e.Wait }

// VerdictOf is the verdict of the first Error in err; where there is none, it is
// a fault of the moment.
func VerdictOf(err error) Verdict {
	var e *Error
	if errors.As(err, &e) {
		return e.Verdict
	}
	return Verdict{}
}

// Verdict is what a fault means for whoever asks.
type Verdict struct {
	Kind   Kind
	Wait   time.Duration // how long the endpoint wants to be left alone; 0 where it did not say, at most maxWait
	Blocks uint64        // TooManyBlocks: the most of one request; 0 where it did not say
	Logs   int           // TooMuch: the most of one answer; 0 where it did not say
	Works  indexer.Range // a range that the endpoint would answer, by its own word; zero where it did not say
}

// Kind is what to do about a fault.
type Kind uint8

const (
	Transient        Kind = iota // try again, somewhere else if there is
	Unknown                      // nobody has seen this text, or logs were left out: try again, then ask for less
	TooManyBlocks                // ask for fewer blocks, from now on
	TooMuch                      // this answer would be too large, or take too long: ask for less
	TooManyAddresses             // name fewer in one filter
	TooManyCalls                 // put fewer into one batch
	Behind                       // it does not have the block yet: wait, or ask another; never cut
	Missing                      // it does not have that part of history: ask another; never cut
	Limited                      // ask later
	Overloaded                   // ask later; some say so of what is too much, too
	Silent                       // no byte came in time: it hangs, or was asked for too much; other calls of it tell
	Unsupported                  // it does not serve this method
	Refused                      // the key, the bill or the plan: only an operator mends it
)

// cause is what errors.Is finds in the verdict's error.
func (k Kind) cause() error {
	switch k {
	case TooManyBlocks, TooMuch, TooManyAddresses, TooManyCalls:
		return indexer.ErrTooLarge
	case Behind, Missing:
		return indexer.ErrAbsent
	}
	return nil
}

// kindOf is the kind of what was found here, and not said by the endpoint.
func kindOf(cause error) Kind {
	switch {
	case errors.Is(cause, indexer.ErrTooLarge):
		return TooMuch
	case errors.Is(cause, indexer.ErrAbsent):
		return Behind
	case errors.Is(cause, errGap):
		return Unknown
	}
	return Transient
}

// maxWait bounds what an endpoint can ask for: a wrong clock or a day's quota
// must not silence a network for hours.
const maxWait = 5 * time.Minute

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

// judge says what a fault means: by its text, and only where that says nothing by
// its code. One code means different things (Infura's -32005 is a range that is
// too wide, and a daily limit), and proxies keep a node's text but not its code.
func (f fault) judge() Verdict {
	text := strings.ToLower(f.text)
	for _, s := range sayings {
		if found := s.pattern.FindStringSubmatch(text); found != nil {
			return s.verdict(found, text, f.wait)
		}
	}
	for _, code := range [...]int64{int64(f.status), f.code} { // Alchemy puts 429 into a body of HTTP 200
		if kind, known := codes[code]; known {
			return Verdict{Kind: kind, Wait: f.wait}
		}
	}
	if f.status == http.StatusOK {
		return Verdict{Kind: Unknown, Wait: f.wait}
	}
	return Verdict{Wait: f.wait}
}

// codes are what HTTP's and JSON-RPC's codes mean where the text says nothing.
var codes = map[int64]Kind{
	http.StatusUnauthorized:          Refused,
	http.StatusPaymentRequired:       Refused,
	http.StatusForbidden:             Refused,
	http.StatusRequestEntityTooLarge: TooMuch,
	http.StatusGatewayTimeout:        TooMuch,
	http.StatusTooManyRequests:       Limited,
	http.StatusServiceUnavailable:    Overloaded,
	-32601:                           Unsupported, // JSON-RPC: method not found
	-32612:                           Unsupported, // QuickNode
	-32613:                           Unsupported, // QuickNode
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
