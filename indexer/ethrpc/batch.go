package ethrpc

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// call is one JSON-RPC call of a batch. Its id is its place in the batch plus 1.
type call struct {
	method string
	params []any
	read   func(*cursor) error // reads the result, null included

	done  bool   // there was an answer
	fault *fault // what the answer said went wrong
	err   error  // the same, for the caller
}

// request is the batch's body.
func request(calls []*call) ([]byte, error) {
	type item struct {
		Version string `json:"jsonrpc"`
		ID      int    `json:"id"`
		Method  string `json:"method"`
		Params  []any  `json:"params"`
	}
	items := make([]item, len(calls))
	for i, c := range calls {
		items[i] = item{"2.0", i + 1, c.method, c.params}
	}
	return json.Marshal(items)
}

// What can be wrong with an answer beside its JSON.
var (
	errNoRPC   = errors.New("it is no JSON-RPC")
	errForeign = errors.New("it answers a call that was not made")
	errTwice   = errors.New("it answers one call twice")
	errMissing = errors.New("no answer to this call of the batch")
)

// decode reads a batch's answer and gives each call its result or its fault. A
// node that means the whole batch answers with a single object, or with an error
// for the first id only, or for none: calls without an answer get that fault.
func decode(c *cursor, calls []*call) error {
	var whole *fault
	var err error
	switch c.peek() {
	case '{':
		whole, err = decodeItem(c, calls)
	case '[':
		whole, err = decodeItems(c, calls)
	default:
		return cmp.Or(c.err, errNoRPC)
	}
	for _, call := range calls {
		if !call.done {
			call.fault = whole
		}
	}
	return err
}

// decodeItems reads an array of answers and returns the first fault.
func decodeItems(c *cursor, calls []*call) (whole *fault, err error) {
	c.enter('[')
	for first := true; c.next(first); first = false {
		if c.peek() != '{' {
			return whole, errNoRPC
		}
		f, err := decodeItem(c, calls)
		if err != nil {
			return whole, err
		}
		if whole == nil {
			whole = f
		}
	}
	return whole, c.err // without the closing bracket the answer was cut off
}

// decodeItem reads one answer, gives it to its call and returns its fault.
func decodeItem(c *cursor, calls []*call) (*fault, error) {
	var a answer
	c.enter('{')
	for first := true; ; first = false {
		key := c.key(first)
		if key == nil {
			break
		}
		if err := a.member(c, key, calls); err != nil {
			return nil, err
		}
	}
	if c.err != nil {
		return nil, c.err
	}
	if a.call == nil {
		if a.fault == nil {
			return nil, errForeign
		}
		return a.fault, nil
	}
	a.call.done, a.call.fault = a.result || a.fault != nil, a.fault
	if a.kept != nil && a.fault == nil {
		return nil, a.call.read(&cursor{buf: a.kept})
	}
	return a.fault, nil
}

// answer is one item of a batch's answer.
type answer struct {
	call   *call  // nil while its id is unknown
	fault  *fault // nil where there is none
	result bool   // there was one
	kept   []byte // a result that came before the id
}

// member reads one member of the answer. A result that follows its id, as all
// known nodes write it, is read as it arrives; else it is kept.
func (a *answer) member(c *cursor, key []byte, calls []*call) (err error) {
	c.mark = c.at
	switch string(key) {
	case "id":
		a.call, err = findCall(c.clear(c.value()), calls)
	case "error":
		if v := c.value(); c.err == nil && v.kind != 'n' {
			a.fault = new(fault)
			a.fault.read(c.whole(v))
		}
	case "result":
		a.result = true
		if a.call != nil {
			return a.call.read(c)
		}
		if v := c.value(); c.err == nil {
			a.kept = append(bytes.Clone(c.whole(v)), ' ') // where a number ends
		}
	default:
		c.value()
	}
	return cmp.Or(c.err, err)
}

// findCall returns nil for an id that no call has: null, where the node could
// not read the request.
func findCall(text []byte, calls []*call) (*call, error) {
	id, ok := parse(text, 10)
	switch {
	case !ok || id < 1 || id > uint64(len(calls)):
		return nil, nil
	case calls[id-1].done:
		return nil, errTwice
	}
	return calls[id-1], nil
}

// bodyReader reads an answer's body up to a limit, counts it and keeps its
// beginning for messages.
type bodyReader struct {
	from  io.Reader
	max   int64
	n     int64
	start []byte // at most snippet bytes; not nil

	waited time.Duration // for bytes to come
}

// snippet is how much of an answer that cannot be read is shown.
const snippet = 96

var errTooLong = errors.New("the answer is too long")

func (r *bodyReader) Read(p []byte) (int, error) {
	left := r.max - r.n
	if left == 0 {
		p = p[:1] // is there more?
	} else if int64(len(p)) > left {
		p = p[:left]
	}
	began := time.Now()
	n, err := r.from.Read(p)
	r.waited += time.Since(began)
	if left == 0 && n > 0 {
		return 0, fmt.Errorf("%w: more than %d bytes", errTooLong, r.max)
	}
	r.n += int64(n)
	if room := snippet - len(r.start); room > 0 {
		r.start = append(r.start, p[:min(n, room)]...)
	}
	return n, err
}
