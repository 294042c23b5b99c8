package ethrpc

import (
	"errors"
	"fmt"

	"superindex/chain"
)

// quantity is a number as nodes write it: "0x1a", with leading zeros or not, a
// plain 26, or null.
type quantity struct {
	n  uint64
	ok bool // false for null, and where the field is missing
}

// readQuantity reads the quantity that is next, as known nodes write it at once.
func (c *cursor) readQuantity(name string) quantity {
	const longest = 16
	b := c.buf[c.at:]
	if len(b) < longest+4 || b[0] != '"' || b[1] != '0' || b[2] != 'x' {
		return c.quantity(c.value(), name)
	}
	n, i := uint64(0), 3
	for ; i < longest+3; i++ {
		d := nibbles[b[i]]
		if d > 15 {
			break
		}
		n = n<<4 | uint64(d)
	}
	if i == 3 || b[i] != '"' {
		return c.quantity(c.value(), name)
	}
	c.at += i + 1
	return quantity{n, true}
}

// readFixed reads the 0x text that is next, as known nodes write it at once.
func (c *cursor) readFixed(dst []byte, name string) {
	if digits := c.digits(2 * len(dst)); digits != nil && unhex(dst, digits) {
		c.at += len(digits) + 4
		return
	}
	c.fixed(dst, c.value(), name)
}

// digits are what is between "0x and the quote n bytes on, if both are there.
func (c *cursor) digits(n int) []byte {
	b := c.buf[c.at:]
	if len(b) < n+4 || b[0] != '"' || b[1] != '0' || b[2] != 'x' || b[n+3] != '"' {
		return nil
	}
	return b[3 : n+3]
}

// quantity reads any of the forms.
func (c *cursor) quantity(v value, name string) (q quantity) {
	if c.err != nil || v.kind == 'n' {
		return quantity{}
	}
	if v.isText() || v.kind == '0' {
		if text := c.clear(v); prefixed(text) {
			q.n, q.ok = parse(text[2:], 16)
		} else {
			q.n, q.ok = parse(text, 10)
		}
	}
	if !q.ok {
		c.fail(fmt.Errorf("%s: %.24q is no quantity", name, c.bytes(v)))
	}
	return q
}

// parse reads digits of a base up to 16; false where there is none, something
// else, or a number that is too large.
func parse(digits []byte, base uint64) (n uint64, ok bool) {
	const most = 1<<64 - 1
	for _, b := range digits {
		d := uint64(nibbles[b])
		if d >= base || n > (most-d)/base {
			return 0, false
		}
		n = n*base + d
	}
	return n, len(digits) > 0
}

// fixed reads 0x text of just dst's bytes; null and what is missing are zeros.
func (c *cursor) fixed(dst []byte, v value, name string) {
	switch {
	case c.err != nil:
	case v.isText():
		if err := fixedHex(dst, c.clear(v)); err != nil {
			c.fail(fmt.Errorf("%s: %w", name, err))
		}
	case v.kind == 'n', v.kind == 0:
		clear(dst)
	default:
		c.fail(fmt.Errorf("%s: %w: %.24q", name, errHex, c.bytes(v)))
	}
}

// readBoolean reads true or false, most often false.
func (c *cursor) readBoolean(name string) bool {
	if b := c.buf[c.at:]; len(b) > len("false") && string(b[:len("false")]) == "false" {
		c.at += len("false")
		return false
	}
	return c.boolean(c.value(), name)
}

// boolean reads true or false; null is false.
func (c *cursor) boolean(v value, name string) bool {
	switch v.kind {
	case 't', 'f', 'n':
	default:
		c.fail(fmt.Errorf("%s: no true or false", name))
	}
	return v.kind == 't'
}

// header is what is read of a block.
type header struct {
	Number    quantity
	Hash      chain.Hash
	Parent    chain.Hash
	Timestamp quantity
	Bloom     bool // it has a bit set, which it has if and only if the block has a log
	Bloomed   bool // the node says whether
	Txs       chain.Count
}

func (h *header) ref() chain.BlockRef { return chain.BlockRef{Number: h.Number.n, Hash: h.Hash} }

// block is the header as the engine keeps it.
func (h *header) block() chain.Block {
	return chain.Block{BlockRef: h.ref(), Parent: h.Parent, Time: h.Timestamp.n, Txs: h.Txs}
}

// header reads a block; nil where it is null.
func (c *cursor) header() (*header, error) { return c.block((*cursor).count) }

// block is header with its transactions read by txs.
func (c *cursor) block(txs func(*cursor) chain.Count) (*header, error) {
	if c.peek() == 'n' {
		c.value()
		return nil, c.err
	}
	h := new(header)
	c.enter('{')
	for first := true; ; first = false {
		key := c.key(first)
		if key == nil {
			break
		}
		c.member(h, key, txs)
	}
	if c.err != nil {
		return nil, c.err
	}
	return h, h.check()
}

// member reads the value of one member of a block.
func (c *cursor) member(h *header, key []byte, txs func(*cursor) chain.Count) {
	c.mark = c.at
	switch string(key) {
	case "number":
		h.Number = c.quantity(c.value(), "number")
	case "hash":
		c.fixed(h.Hash[:], c.value(), "hash")
	case "parentHash":
		c.fixed(h.Parent[:], c.value(), "parentHash")
	case "timestamp":
		h.Timestamp = c.quantity(c.value(), "timestamp")
	case "logsBloom":
		v := c.value()
		h.Bloom, h.Bloomed = c.bloom(v), v.isText()
	case "transactions":
		h.Txs = txs(c)
	default:
		c.value()
	}
}

// bloom reports whether a bit is set.
func (c *cursor) bloom(v value) bool {
	if !v.isText() {
		return false
	}
	text := c.clear(v)
	if prefixed(text) {
		text = text[2:]
	}
	return !zeros(text)
}

// count reads an array of hashes or objects, which are only counted; null is
// unknown.
func (c *cursor) count() chain.Count {
	if c.peek() == 'n' {
		c.value()
		return 0
	}
	n := 0
	c.enter('[')
	for first := true; c.next(first); first = false {
		c.mark = c.at
		c.value()
		n++
	}
	return chain.Known(n)
}

// check refuses a header that lacks what everything else rests on.
func (h *header) check() error {
	if !h.Number.ok || !h.Timestamp.ok || h.Hash == (chain.Hash{}) {
		return errors.New("block without number, hash or time")
	}
	return nil
}
