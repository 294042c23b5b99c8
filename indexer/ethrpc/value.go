package ethrpc

import "fmt"

// value is where a value stands, relative to the mark, and what it is.
type value struct {
	from, to int32 // of a text without its quotes, as it was written
	kind     byte  // its first byte; '0' for a number, escaped for a text with escapes
}

// escaped is a kind that no first byte is. The zero value is one that was not there.
const escaped = '\\'

func (v value) isText() bool { return v.kind == '"' || v.kind == escaped }

// value reads any value.
func (c *cursor) value() value {
	if c.at < len(c.buf) && c.buf[c.at] == '"' {
		return c.text()
	}
	return c.nested(0)
}

func (c *cursor) nested(depth int) value {
	b := c.peek()
	v := value{from: int32(c.at - c.mark), kind: b}
	switch b {
	case '"':
		return c.text()
	case '{', '[':
		c.at++
		c.elements(b, depth+1)
	case 't':
		c.word("true")
	case 'f':
		c.word("false")
	case 'n':
		c.word("null")
	default:
		v.kind = '0'
		c.number(b)
	}
	if c.err != nil {
		return value{}
	}
	v.to = int32(c.at - c.mark)
	return v
}

// elements reads the rest of an array or an object.
func (c *cursor) elements(open byte, depth int) {
	if depth > maxDepth {
		c.fail(fmt.Errorf("%w: more than %d values in one another", errSyntax, maxDepth))
	}
	if open == '[' {
		for first := true; c.next(first); first = false {
			c.nested(depth)
		}
		return
	}
	for first := true; c.key(first) != nil; first = false {
		c.nested(depth)
	}
}

// word reads what is known from its first byte on.
func (c *cursor) word(text string) {
	for len(c.buf)-c.at < len(text) {
		if !c.more() {
			return
		}
	}
	if string(c.buf[c.at:c.at+len(text)]) != text {
		c.unexpected(c.buf[c.at], "in place of a value")
		return
	}
	c.at += len(text)
}

// text reads a text, its opening quote being next.
func (c *cursor) text() value {
	from := c.at + 1
	if c.at = c.marks.find(c.buf, from); c.at < len(c.buf) && c.buf[c.at] == '"' {
		c.at++
		return value{from: int32(from - c.mark), to: int32(c.at - 1 - c.mark), kind: '"'}
	}
	return c.rest(value{from: int32(from - c.mark), kind: '"'})
}

// rest reads the rest of a text that is not all in the window, or has escapes.
func (c *cursor) rest(v value) value {
	for {
		c.at = c.marks.find(c.buf, c.at)
		if c.at == len(c.buf) {
			if !c.more() {
				return value{}
			}
			continue
		}
		switch b := c.buf[c.at]; b {
		case '"':
			v.to = int32(c.at - c.mark)
			c.at++
			return v
		case '\\':
			v.kind = escaped
			c.escape()
		default:
			c.unexpected(b, "in a text")
			return value{}
		}
	}
}

// escape reads a backslash and what belongs to it.
func (c *cursor) escape() {
	const longest = 6
	b := c.peekAt(1)
	switch b {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		c.at += 2
		return
	case 'u':
		for i := 2; i < longest; i++ {
			if b = c.peekAt(i); nibbles[b] > 15 {
				c.unexpected(b, "in an escape")
				return
			}
		}
		c.at += longest
		return
	}
	c.unexpected(b, "after a backslash")
}

// peekAt is the byte i places on; 0 where there is none.
func (c *cursor) peekAt(i int) byte {
	for c.at+i >= len(c.buf) {
		if !c.more() {
			return 0
		}
	}
	return c.buf[c.at+i]
}

// number reads a number as JSON has them, b being its first byte.
func (c *cursor) number(b byte) {
	if b == '-' {
		c.at++
	}
	if c.peekAt(0) == '0' {
		c.at++
	} else {
		c.run()
	}
	if c.err == nil && c.peekAt(0) == '.' {
		c.at++
		c.run()
	}
	if c.err == nil && c.peekAt(0)|0x20 == 'e' {
		c.at++
		if sign := c.peekAt(0); sign == '+' || sign == '-' {
			c.at++
		}
		c.run()
	}
}

// run reads digits, at least one.
func (c *cursor) run() {
	b := c.peekAt(0)
	if b < '0' || b > '9' {
		c.unexpected(b, "in place of a value")
		return
	}
	for b >= '0' && b <= '9' {
		c.at++
		b = c.peekAt(0)
	}
}
