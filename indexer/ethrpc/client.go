package ethrpc

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"superindex/chain"
	"superindex/indexer"
)

// Client is one endpoint of one network.
type Client struct {
	o      Options
	own    bool // o.HTTP was made here
	redact *strings.Replacer
	spare  sync.Pool // of []byte: windows that no answer uses

	giant chan struct{} // holds one while an answer has a window above largeWindow
}

// New makes a client. It connects to nothing: Verify does.
func New(o Options) (*Client, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	return &Client{o: o.withDefaults(), own: o.HTTP == nil, redact: redactor(o), giant: make(chan struct{}, 1)}, nil
}

// Name is the endpoint's name.
func (c *Client) Name() string { return c.o.Name }

// Close drops the idle connections. Requests under way go on.
func (c *Client) Close() {
	if c.own {
		c.o.HTTP.CloseIdleConnections()
	}
}

// Verify asks which chain the endpoint serves. Another one than expected is fatal.
func (c *Client) Verify(ctx context.Context) error {
	var id quantity
	ask := &call{method: "eth_chainId", params: []any{}, read: func(c *cursor) error {
		id = c.quantity(c.value(), "eth_chainId")
		return c.err
	}}
	if _, err := c.do(ctx, []*call{ask}); err != nil {
		return err
	}
	switch {
	case VerdictOf(ask.err).Kind == Unsupported:
		return chain.Fatal(c.errorf(nil, "eth_chainId: %v; it seems to be no node of an EVM chain", ask.fault), c.rightURL())
	case ask.err != nil:
		return ask.err
	case !id.ok:
		return c.errorf(nil, "eth_chainId: the answer is null")
	case id.n != c.o.ChainID:
		return chain.Fatal(c.errorf(nil, "it serves chain %d, not %d", id.n, c.o.ChainID), c.rightURL())
	}
	return nil
}

// rightURL is what mends an endpoint of another chain.
func (c *Client) rightURL() string {
	return fmt.Sprintf("give endpoint %s the URL of a node of chain %d", c.o.Name, c.o.ChainID)
}

// do makes the calls in one request and returns the size of the answer. Its
// error is of the whole request; each call has its own beside it.
func (c *Client) do(ctx context.Context, calls []*call) (size int, err error) {
	if err := c.o.Gate.Enter(ctx, len(calls)); err != nil {
		return 0, c.shut(err)
	}
	began := time.Now()
	var parsing time.Duration
	defer func() {
		took := time.Since(began)
		c.o.Metrics.observe(c.o, calls, took, parsing, err)
		c.o.Gate.Leave(len(calls), took, telling(err, calls))
	}()
	limited, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()

	resp, err := c.post(limited, calls)
	if err != nil {
		return 0, c.broken(ctx, err, nil)
	}
	defer resp.Body.Close()
	body := &bodyReader{from: resp.Body, max: c.o.MaxBytes, start: []byte{}}
	answered := time.Now()
	err = c.read(limited, body, resp.ContentLength, calls)
	parsing = time.Since(answered) - body.waited
	wait := retryAfter(resp.Header.Get("Retry-After"), time.Now())
	if resp.StatusCode != http.StatusOK {
		return int(body.n), c.refusal(resp.StatusCode, wait, calls, body.start)
	}
	if err != nil {
		return int(body.n), c.broken(ctx, err, body.start)
	}
	_, _ = io.CopyN(io.Discard, body, 1<<10) // the line's end: without it the connection is not used again
	for _, call := range calls {
		call.err = c.explain(call, wait)
	}
	return int(body.n), nil
}

// read reads the answer, in a window that is used again. One that grew for a giant
// is not kept, and giants are read one after the other: a node that answers each of
// thirty calls with one would take all memory.
func (c *Client) read(ctx context.Context, body io.Reader, size int64, calls []*call) error {
	buf, _ := c.spare.Get().(*[]byte)
	if buf == nil {
		buf = new([]byte)
	}
	reader := cursor{buf: (*buf)[:0], from: body, size: int(max(size, 0)), enlarge: func() error {
		select {
		case c.giant <- struct{}{}:
			return nil
		case <-ctx.Done():
			return ctx.Err()
		}
	}}
	err := decode(&reader, calls)
	if reader.large {
		<-c.giant
	}
	if cap(reader.buf) <= window {
		*buf = reader.buf
		c.spare.Put(buf)
	}
	return err
}

// shut is the error of a request that the gate did not let through.
func (c *Client) shut(err error) error {
	shut := c.errorf(err, "%v", err)
	var later indexer.Patient
	if errors.As(err, &later) {
		shut.Verdict = Verdict{Kind: Limited, Wait: later.RetryAfter()}
	}
	return shut
}

// telling is the error of a request and its calls that says most: that it came too
// soon, wherever that is said.
func telling(err error, calls []*call) error {
	for _, c := range calls {
		if err == nil || VerdictOf(c.err).Kind == Limited {
			err = c.err
		}
	}
	return err
}

func (c *Client) post(ctx context.Context, calls []*call) (*http.Response, error) {
	body, err := request(calls)
	if err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.o.URL, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	return c.o.HTTP.Do(req)
}

// broken explains a request that got no answer, or one that cannot be read,
// which began with start.
func (c *Client) broken(ctx context.Context, err error, start []byte) error {
	var link *url.Error
	if errors.As(err, &link) {
		err = link.Err // the rest of its text is the URL
	}
	switch {
	case ctx.Err() != nil:
		return c.errorf(ctx.Err(), "%v", ctx.Err())
	case errors.Is(err, context.DeadlineExceeded) && len(start) == 0:
		silent := c.errorf(err, "no answer within %v", c.o.Timeout)
		silent.Verdict = Verdict{Kind: Silent}
		return silent
	case errors.Is(err, context.DeadlineExceeded):
		return c.errorf(indexer.ErrTooLarge, "no whole answer within %v", c.o.Timeout)
	case errors.Is(err, errTooLong):
		return c.errorf(indexer.ErrTooLarge, "%v", err)
	case start != nil && (errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF)):
		return c.errorf(err, "the answer was cut off")
	case errors.Is(err, errNoRPC), errors.Is(err, errSyntax):
		return c.errorf(err, "the answer cannot be used: %v; it begins %q; does the URL of endpoint %s lead to a node?", err, start, c.o.Name)
	case start != nil:
		return c.errorf(err, "the answer cannot be believed: %v", err)
	}
	return c.errorf(err, "%v", err)
}

// refusal explains an HTTP status that is not 200. A JSON-RPC error in the body
// says more than the status.
func (c *Client) refusal(status int, wait time.Duration, calls []*call, start []byte) error {
	f := fault{text: fmt.Sprintf("%q", start)}
	for _, call := range calls {
		if call.fault != nil {
			f = *call.fault
			break
		}
	}
	f.status, f.wait = status, max(f.wait, wait)
	return c.ruling(f, f.String())
}

// explain is the error of one call of a request that was answered.
func (c *Client) explain(call *call, wait time.Duration) error {
	switch {
	case call.fault != nil:
		f := *call.fault
		f.status, f.wait = http.StatusOK, max(f.wait, wait)
		return c.ruling(f, call.method+": "+f.String())
	case !call.done:
		return c.errorf(errMissing, "%s: %v", call.method, errMissing)
	}
	return nil
}

// ruling makes the error of a fault.
func (c *Client) ruling(f fault, text string) error {
	verdict := f.judge()
	err := c.errorf(nil, "%s", text)
	err.Verdict = verdict
	switch verdict.Kind {
	case Refused, Unsupported:
		return chain.Fatal(err, "mend the key, plan or URL of endpoint "+c.o.Name)
	}
	return err
}

// errorf is an error that names the endpoint, and nothing of its URL.
func (c *Client) errorf(cause error, format string, args ...any) *Error {
	return &Error{Verdict: Verdict{Kind: kindOf(cause)}, text: "rpc " + c.o.Name + ": " + line(c.redact.Replace(fmt.Sprintf(format, args...))), cause: cause}
}

// mostText is how much of what an endpoint says is shown, in bytes.
const mostText = 300

// line is a text as one line of at most mostText bytes.
func line(text string) string {
	text = strings.Join(strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }), " ")
	if len(text) <= mostText {
		return text
	}
	return strings.ToValidUTF8(text[:mostText], "") + "..."
}
