package ethrpc

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unsafe"
)

var errHex = errors.New("no 0x text")

// nibbles are the values of hex digits of either case; 0xff for other bytes.
var nibbles = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i, digit := range "0123456789abcdef" {
		t[digit] = byte(i)
	}
	for i, digit := range "ABCDEF" {
		t[digit] = byte(10 + i)
	}
	return t
}()

// prefixed reports whether text begins as 0x text does.
func prefixed(text []byte) bool { return len(text) >= 2 && text[0] == '0' && text[1]|0x20 == 'x' }

// fixedHex reads 0x text of just the bytes of dst, in either case.
func fixedHex(dst, text []byte) error {
	if len(text) != 2+2*len(dst) || !prefixed(text) {
		return fmt.Errorf("%w of %d bytes: %.24q", errHex, len(dst), text)
	}
	if !unhex(dst, text[2:]) {
		return fmt.Errorf("%w: %.70q", errHex, text)
	}
	return nil
}

// unhex reads 2*len(dst) hex digits, 32 at once; false where there is another byte
// among them, and then dst may hold anything.
func unhex(dst, digits []byte) bool {
	if len(dst) < runBytes {
		return unhexWords(dst, digits)
	}
	var all [2]run
	return unhexRuns(appendRuns(all[:0], dst, digits))
}

// run is what hex digits at src, 32 a block, are read to: 16 bytes a block, at least one.
type run struct {
	dst, src *byte
	blocks   int
}

// runBytes are those of one block.
const runBytes = 16

// appendRuns appends what reads 2*len(dst) hex digits to dst, which has runBytes at
// least: two runs at most. The last bytes are read again where they fill no block; so
// an address, too, is hashed without waiting for its stores to settle.
func appendRuns(runs []run, dst, digits []byte) []run {
	n := len(dst)
	_ = digits[2*n-1]
	runs = append(runs, run{&dst[0], &digits[0], n / runBytes})
	if n%runBytes > 0 {
		runs = append(runs, run{&dst[n-runBytes], &digits[2*(n-runBytes)], 1})
	}
	return runs
}

// unhexRunsWords is unhexRuns, eight digits at once.
func unhexRunsWords(runs []run) bool {
	right := true
	for _, r := range runs {
		n := r.blocks * runBytes
		right = unhexWords(unsafe.Slice(r.dst, n), unsafe.Slice(r.src, 2*n)) && right
	}
	return right
}

// unhexWords is unhex, eight at once.
func unhexWords(dst, digits []byte) bool {
	var wrong uint64
	for len(digits) >= 8 && len(dst) >= 4 {
		x := binary.LittleEndian.Uint64(digits)
		wrong |= noDigits(x)
		binary.LittleEndian.PutUint32(dst, uint32(packed(x)))
		digits, dst = digits[8:], dst[4:]
	}
	for i := range dst {
		high, low := nibbles[digits[2*i]], nibbles[digits[2*i+1]]
		dst[i] = high<<4 | low
		wrong |= uint64(high|low) & 0x80
	}
	return wrong&tops == 0
}

// noDigits sets the top bit of each byte that is no hex digit; other bits mean
// nothing. d is 0 to 9 for a digit and l is 1 to 6 for a letter: a sum's top bit
// says on which side of a bound it is.
func noDigits(x uint64) uint64 {
	low := x &^ tops
	d, l := low^'0'*ones, (low|0x20*ones)^0x60*ones
	return x | (d+(0x80-10)*ones)&^((l+(0x80-1)*ones)&^(l+(0x80-7)*ones))
}

// packed are the four bytes that eight hex digits stand for. A letter's low half is
// 9 less than its value.
func packed(x uint64) uint64 {
	n := x&(0x0f*ones) + 9*(x>>6&ones)
	n = (n<<4 | n>>8) & 0x00ff00ff00ff00ff
	n = (n | n>>8) & 0x0000ffff0000ffff
	return (n | n>>16) & 0xffffffff
}

// zeros reports whether all digits are '0'.
func zeros(digits []byte) bool {
	for ; len(digits) >= 8; digits = digits[8:] {
		if binary.LittleEndian.Uint64(digits) != 0x3030303030303030 {
			return false
		}
	}
	for _, b := range digits {
		if b != '0' {
			return false
		}
	}
	return true
}

// hexRun is how many hex digits b begins with, eight at once.
func hexRun(b []byte) (n int) {
	for ; len(b)-n >= 8; n += 8 {
		if wrong := noDigits(binary.LittleEndian.Uint64(b[n:])) & tops; wrong != 0 {
			return n + bits.TrailingZeros64(wrong)/8
		}
	}
	for n < len(b) && nibbles[b[n]] <= 15 {
		n++
	}
	return n
}

// numeral is the number whose hex digits, at most 16, are b[from:to]; there are eight
// bytes before them, or as many of them.
func numeral(b []byte, from, to int) (n uint64) {
	if to-from > 8 {
		n = numeral(b, from, to-8) << 32
		from = to - 8
	}
	x := binary.LittleEndian.Uint64(b[to-8:to]) &^ (1<<(8*(8-(to-from))) - 1)
	return n | uint64(bits.ReverseBytes32(uint32(packed(x))))
}
