package ethrpc

import (
	"encoding/binary"
	"math/bits"
)

// marks say where in a part of the window the bytes are that end a text, or that
// it may not hold: a quote, a backslash, a byte below a space. Most of an answer is
// text between two of them; with the marks made by the word, what ends a text is
// found by one look at its word, whatever its length.
type marks struct {
	from, size int // the part of the window
	words      [markedBytes / 64]uint64
}

// markedBytes is how much is marked at once: it is still in the first cache when it
// is read.
const markedBytes = 4 << 10

// find returns the place of the first marked byte of b from i on; len(b) if there
// is none. What b holds up to its end may not have changed since the last forget.
func (m *marks) find(b []byte, i int) int {
	for i < len(b) {
		at := i - m.from
		if uint(at) >= uint(m.size) {
			m.mark(b, i)
			at = 0
		}
		if w := m.words[uint(at)/64%uint(len(m.words))] >> (uint(at) % 64); w != 0 {
			return i + bits.TrailingZeros64(w)
		}
		i = min(m.from+m.size, i+64-at%64)
	}
	return len(b)
}

// forget is called when the window moves.
func (m *marks) forget() { m.size = 0 }

// mark marks what lies from i on.
func (m *marks) mark(b []byte, i int) {
	b = b[i:min(len(b), i+markedBytes)]
	m.from, m.size = i, len(b)
	whole := len(b) / 64
	if whole > 0 {
		markWide(&m.words[0], &b[0], whole)
	}
	if rest := b[64*whole:]; len(rest) > 0 {
		var last [64]byte
		copy(last[:], rest)
		markWide(&m.words[whole], &last[0], 1)
		m.words[whole] &= 1<<len(rest) - 1
	}
}

// ones times a byte is eight of it; tops are their top bits.
const ones, tops = 0x0101010101010101, 0x8080808080808080

// markWords marks 64 bytes of b a word, eight at once.
func markWords(dst []uint64, b []byte) {
	for i := range dst {
		var w uint64
		for j := range 8 {
			x := binary.LittleEndian.Uint64(b[64*i+8*j:])
			w |= special(x) >> 7 * 0x0102040810204080 >> 56 << (8 * j)
		}
		dst[i] = w
	}
}

// special sets the top bit of each byte of x that is a quote, a backslash or below
// a space: a sum of its low bits has it where they are not below a bound.
func special(x uint64) uint64 {
	quote, slash := x^'"'*ones, x^'\\'*ones
	control := x&^tops + (0x80-' ')*ones | x
	quote = quote&^tops + 0x7f*ones | quote
	slash = slash&^tops + 0x7f*ones | slash
	return ^(control & quote & slash) & tops
}
