package ethrpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// call is one JSON-RPC call of a batch. Its id is its place in the batch plus 1.
type call struct {
	method string
	params []any
	read   func(*json.Decoder) error // reads the result, null included

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
func decode(r io.Reader, calls []*call) error {
	d := json.NewDecoder(r)
	first, err := d.Token()
	if err != nil {
		return err
	}
	var whole *fault
	switch first {
	case json.Delim('{'):
		whole, err = decodeItem(d, calls)
	case json.Delim('['):
		whole, err = decodeItems(d, calls)
	default:
		return errNoRPC
	}
	for _, c := range calls {
		if !c.done {
			c.fault = whole
		}
	}
	return err
}

// decodeItems reads the rest of an array of answers and returns the first fault.
func decodeItems(d *json.Decoder, calls []*call) (first *fault, err error) {
	for d.More() {
		brace, err := d.Token()
		if err != nil {
			return first, err
		}
		if brace != json.Delim('{') {
			return first, errNoRPC
		}
		f, err := decodeItem(d, calls)
		if err != nil {
			return first, err
		}
		if first == nil {
			first = f
		}
	}
	_, err = d.Token() // the closing bracket: without it the answer was cut off
	return first, err
}

// decodeItem reads one answer, d being behind its opening brace, gives it to its
// call and returns its fault.
func decodeItem(d *json.Decoder, calls []*call) (*fault, error) {
	var a answer
	for d.More() {
		if err := a.member(d, calls); err != nil {
			return nil, err
		}
	}
	if _, err := d.Token(); err != nil { // the closing brace
		return nil, err
	}
	if a.call == nil {
		if a.fault == nil {
			return nil, errForeign
		}
		return a.fault, nil
	}
	a.call.done, a.call.fault = true, a.fault
	if a.kept != nil && a.fault == nil {
		return nil, a.call.read(json.NewDecoder(bytes.NewReader(a.kept)))
	}
	return a.fault, nil
}

// answer is one item of a batch's answer.
type answer struct {
	call  *call  // nil while its id is unknown
	fault *fault // nil where there is none
	kept  raw    // a result that came before the id
}

// member reads one member of the answer. A result that follows its id, as all
// known nodes write it, is read as it arrives; else it is kept.
func (a *answer) member(d *json.Decoder, calls []*call) error {
	key, err := d.Token()
	if err != nil {
		return err
	}
	switch key {
	case "id":
		a.call, err = decodeID(d, calls)
	case "error":
		err = d.Decode(&a.fault)
	case "result":
		if a.call == nil {
			return d.Decode(&a.kept)
		}
		err = a.call.read(d)
	default:
		err = d.Decode(new(skipped))
	}
	return err
}

// decodeID returns nil for an id that no call has: null, where the node could
// not read the request.
func decodeID(d *json.Decoder, calls []*call) (*call, error) {
	var text raw
	if err := d.Decode(&text); err != nil {
		return nil, err
	}
	id, _ := strconv.Atoi(string(bytes.Trim(text, `"`))) // what is no number is no id of ours, as 0 is none
	switch {
	case id < 1 || id > len(calls):
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
