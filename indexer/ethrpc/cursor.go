package ethrpc

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// cursor goes through JSON once, in place, without reflection, in a window of the
// answer: what lies before mark is given up when the window moves on, so that an
// answer of any length takes the memory of the window, or of its largest value.
// Text that was looked at is found again by its distance from mark.
//
// It accepts what encoding/json accepts, but for what is nested more than maxDepth
// deep. Its first error sticks; behind it nothing is found any more.
//
// Reading all of an answer before its first value took as much time, and as much
// memory as the answer is long.
type cursor struct {
	buf  []byte    // the window
	at   int       // the next byte
	mark int       // at most at
	from io.Reader // what follows the window; nil: nothing
	size int       // of the answer; 0 where it is not known
	gone int       // bytes before the window
	err  error

	marks marks // of a part of the window

	enlarge func() error // waits until the window may be large; nil: at once
	large   bool         // it waited
}

// maxDepth bounds nested arrays and objects: known nodes use 7, a call trace.
const maxDepth = 128

// window is how much is read at once: it stays in a core's cache, and with less of it
// the system calls took a sixth more of the time that reading and parsing take.
const window = 256 << 10

// maxWindow bounds one value of an answer, a log or a header. No log can be so long:
// its data would cost more gas than any chain's block has.
const maxWindow = 64 << 20

// largeWindow is more than known chains' logs and headers need.
const largeWindow = 1 << 20

// errSyntax is that the answer is no JSON.
var errSyntax = errors.New("no JSON")

// fail keeps the first error.
func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.buf, c.at, c.mark, c.from = nil, 0, 0, nil
}

// unexpected says what stands where something else should.
func (c *cursor) unexpected(b byte, where string) {
	c.fail(fmt.Errorf("%w: %q %s", errSyntax, b, where))
}

// more moves the window on and reads on. Where nothing follows, the answer was cut off.
func (c *cursor) more() bool {
	if c.fill() {
		return true
	}
	if c.err == nil {
		c.fail(io.ErrUnexpectedEOF)
	}
	return false
}

// fill moves the window on and reads until it is full, or all is there: bytes arrive a
// few at a time, and what is read at the end of a part costs more than in its middle.
// It returns false where nothing follows.
func (c *cursor) fill() bool {
	if c.err != nil || c.from == nil {
		return false
	}
	if c.mark > 0 {
		c.buf = c.buf[:copy(c.buf, c.buf[c.mark:])]
		c.gone, c.at, c.mark = c.gone+c.mark, c.at-c.mark, 0
		c.marks.forget()
	}
	if len(c.buf) >= maxWindow {
		c.fail(fmt.Errorf("%w: one value of it is more than %d MiB", errTooLong, maxWindow>>20))
		return false
	}
	if len(c.buf) == cap(c.buf) && !c.grow() {
		return false
	}
	before := len(c.buf)
	for len(c.buf) < cap(c.buf) && (len(c.buf) == before || c.gone+len(c.buf) != c.size) {
		n, err := c.from.Read(c.buf[len(c.buf):cap(c.buf)])
		c.buf = c.buf[:len(c.buf)+n]
		if err == nil {
			continue
		}
		c.from = ended{err} // another try might say something else
		if len(c.buf) == before && err != io.EOF {
			c.fail(err)
		}
		return len(c.buf) > before
	}
	return true
}

// ended is what follows an error: the same.
type ended struct{ error }

func (e ended) Read([]byte) (int, error) { return 0, e.error }

// grow doubles the window. Above largeWindow it first waits until it may.
func (c *cursor) grow() bool {
	if cap(c.buf) >= largeWindow && !c.large && c.enlarge != nil {
		if err := c.enlarge(); err != nil {
			c.fail(err)
			return false
		}
		c.large = true
	}
	size := max(window, 2*cap(c.buf))
	if cap(c.buf) == 0 && c.size > 0 { // a short answer does not take a whole window
		size = min(window, c.size+512)
	}
	c.buf = append(make([]byte, 0, size), c.buf...)
	return true
}

// peek skips white space and returns the byte that follows; 0 at the end.
func (c *cursor) peek() byte {
	if c.at < len(c.buf) && c.buf[c.at] > ' ' {
		return c.buf[c.at]
	}
	return c.space()
}

func (c *cursor) space() byte {
	for {
		for ; c.at < len(c.buf); c.at++ {
			switch b := c.buf[c.at]; b {
			case ' ', '\t', '\n', '\r':
			case 0: // would be taken for the end
				c.unexpected(0, "between values")
				return 0
			default:
				return b
			}
		}
		if !c.more() {
			return 0
		}
	}
}

// enter reads an opening bracket or brace; anything else is an error.
func (c *cursor) enter(open byte) bool {
	b := c.peek()
	if b != open {
		c.unexpected(b, "in place of "+string(open))
		return false
	}
	c.at++
	return true
}

// next goes to the next element of an array, behind whose bracket the cursor is,
// or behind the element before; it returns false behind the closing bracket.
func (c *cursor) next(first bool) bool { return c.follows(first, ']') }

func (c *cursor) follows(first bool, end byte) bool {
	switch b := c.peek(); {
	case b == end:
		c.at++
		return false
	case first:
		return c.err == nil
	case b != ',':
		c.unexpected(b, "after a value")
		return false
	}
	c.at++
	if b := c.peek(); b == end {
		c.unexpected(b, "after a comma")
	}
	return c.err == nil
}

// key goes to the next member of an object, as next does, and returns its name,
// which is good until the cursor moves; nil behind the closing brace.
func (c *cursor) key(first bool) []byte {
	if !c.follows(first, '}') {
		return nil
	}
	if b := c.peek(); b != '"' {
		c.unexpected(b, "in place of a key")
		return nil
	}
	v := c.text()
	if b := c.peek(); b != ':' {
		c.unexpected(b, "after a key")
		return nil
	}
	c.at++
	return c.clear(v)
}

// bytes is the text of a value, as it was written. It is good until the cursor
// moves.
func (c *cursor) bytes(v value) []byte { return c.buf[c.mark+int(v.from) : c.mark+int(v.to)] }

// whole is bytes with a text's quotes.
func (c *cursor) whole(v value) []byte {
	if v.isText() {
		v.from, v.to = v.from-1, v.to+1
	}
	return c.bytes(v)
}

// clear is bytes without the escapes of a text. No known node writes any.
func (c *cursor) clear(v value) []byte {
	text := c.bytes(v)
	if v.kind != escaped {
		return text
	}
	var plain string
	_ = json.Unmarshal(c.whole(v), &plain) // the escapes were checked
	return []byte(plain)
}
