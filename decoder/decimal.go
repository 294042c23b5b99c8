package decoder

import (
	"encoding/binary"
	"math/bits"
	"slices"
)

// Decimal text is made eight digits at a time, each in a byte of one uint64, and
// stored where it belongs. strconv makes them two at a time, in a buffer that then
// is copied: twice as long for a common amount.

// decimalRoom is what a number of 64 bits may need and what a store of eight
// digits may write behind it.
const decimalRoom = 24

// appendDecimal appends v.
func appendDecimal(dst []byte, v uint64) []byte {
	if v < 10 {
		return append(dst, '0'+byte(v))
	}
	dst, b := decimalSpace(dst)
	var n int
	switch {
	case v < 1e8:
		n = putFirst(b, v)
	case v < 1e16:
		n = putFirst(b, v/1e8)
		n += putEight(b[n:], v%1e8)
	default:
		n = putFirst(b, v/1e16)
		n += putEight(b[n:], v/1e8%1e8)
		n += putEight(b[n:], v%1e8)
	}
	return dst[:len(dst)+n]
}

// appendChunk appends the 19 digits of v, which is below chunk.
func appendChunk(dst []byte, v uint64) []byte {
	dst, b := decimalSpace(dst)
	binary.LittleEndian.PutUint64(b[:], (eight(v/1e16)|zeros)>>(5*8))
	putEight(b[3:], v/1e8%1e8)
	putEight(b[11:], v%1e8)
	return dst[:len(dst)+19]
}

// decimalSpace makes room behind dst, where b is.
func decimalSpace(dst []byte) (grown []byte, b *[decimalRoom]byte) {
	n := len(dst)
	if cap(dst)-n < decimalRoom {
		dst = slices.Grow(dst, decimalRoom)
	}
	return dst, (*[decimalRoom]byte)(dst[n : n+decimalRoom])
}

// putFirst writes v, which is below 1e8, without leading zeros.
func putFirst(b *[decimalRoom]byte, v uint64) int {
	digits := eight(v)
	leading := bits.TrailingZeros64(digits) / 8
	binary.LittleEndian.PutUint64(b[:], (digits|zeros)>>(8*leading))
	return 8 - leading
}

// putEight writes the eight digits of v, which is below 1e8.
func putEight(b []byte, v uint64) int {
	binary.LittleEndian.PutUint64(b, eight(v)|zeros)
	return 8
}

const zeros = 0x3030303030303030 // "00000000"

// eight splits v, which is below 1e8, into eight digits, the first in the lowest
// byte: in two of four digits, these in two of two, these in digits. The products
// with 10486 / 2^20 and 103 / 2^10 are exact quotients by 100 and by 10 there.
func eight(v uint64) uint64 {
	q := v / 10000
	v = q | (v-q*10000)<<32
	q = v * 10486 >> 20 & 0x0000007f_0000007f
	v = q | (v-q*100)<<16
	q = v * 103 >> 10 & 0x000f000f_000f000f
	return q | (v-q*10)<<8
}
