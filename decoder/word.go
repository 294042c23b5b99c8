package decoder

import (
	"encoding/binary"
	"math/bits"
)

// smallBits is the widest integer that is written as a number: wider ones would
// lose digits in readers that know only doubles.
const smallBits = 48

// appendWord appends the value of a type that fills one word. The whole word has
// to be as the type demands: OutOfType otherwise.
func appendWord(dst []byte, n *node, w *[word]byte) ([]byte, Reason) {
	switch n.kind {
	case kindAddress:
		if !zero(w[:12]) {
			return dst, OutOfType
		}
		return appendAddress(dst, (*[20]byte)(w[12:])), Fits
	case kindBool:
		return appendBool(dst, w)
	case kindBytesN:
		if !zero(w[n.size:]) {
			return dst, OutOfType
		}
		return appendHex(dst, w[:n.size]), Fits
	}
	return appendInteger(dst, n, w)
}

func appendBool(dst []byte, w *[word]byte) ([]byte, Reason) {
	switch {
	case !zero(w[:31]) || w[31] > 1:
		return dst, OutOfType
	case w[31] == 1:
		return append(dst, "true"...), Fits
	}
	return append(dst, "false"...), Fits
}

// appendInteger appends an integer, or a fixed-point number.
func appendInteger(dst []byte, n *node, w *[word]byte) ([]byte, Reason) {
	v := limbs(w)
	if v[1]|v[2]|v[3] == 0 && v[0]>>uint(n.size-1) == 0 && n.scale == 0 { // what most integers are
		if n.size <= smallBits {
			return appendDecimal(dst, v[0]), Fits
		}
		return append(appendDecimal(append(dst, '"'), v[0]), '"'), Fits
	}
	negative := (n.kind == kindInt || n.kind == kindFixed) && v[3]>>63 == 1
	if negative {
		v = v.negated()
	}
	if n.excludes(v, negative) {
		return dst, OutOfType
	}
	plain := n.size <= smallBits && n.scale == 0
	if !plain {
		dst = append(dst, '"')
	}
	if negative {
		dst = append(dst, '-')
	}
	if n.scale == 0 {
		dst = v.append(dst)
	} else {
		dst = v.appendScaled(dst, n.scale)
	}
	if !plain {
		dst = append(dst, '"')
	}
	return dst, Fits
}

// excludes reports whether an integer of this size does not hold the magnitude v.
func (n *node) excludes(v uint256, negative bool) bool {
	wide := v.bitLen()
	switch {
	case n.kind == kindUint || n.kind == kindUfixed:
		return wide > n.size
	case negative: // one more than the positive ones: -128 for int8
		return wide > n.size || wide == n.size && !v.powerOfTwo()
	}
	return wide > n.size-1
}

// uint256 is a magnitude, the lowest 64 bits first.
type uint256 [4]uint64

func limbs(w *[word]byte) uint256 {
	return uint256{
		binary.BigEndian.Uint64(w[24:]), binary.BigEndian.Uint64(w[16:]),
		binary.BigEndian.Uint64(w[8:]), binary.BigEndian.Uint64(w[:]),
	}
}

// negated is 2^256 - v.
func (v uint256) negated() uint256 {
	carry := uint64(1)
	for i := range v {
		v[i], carry = bits.Add64(^v[i], 0, carry)
	}
	return v
}

func (v *uint256) bitLen() int {
	top := v.top()
	if top < 0 {
		return 0
	}
	return 64*top + bits.Len64(v[top])
}

// top is the highest limb that is not zero; -1 where all are.
func (v *uint256) top() int {
	for i := 3; i >= 0; i-- {
		if v[i] != 0 {
			return i
		}
	}
	return -1
}

func (v uint256) powerOfTwo() bool {
	ones := 0
	for _, limb := range v {
		ones += bits.OnesCount64(limb)
	}
	return ones == 1
}

// chunk is the highest power of ten in 64 bits.
const chunk = 1e19

// append appends v in decimal.
func (v uint256) append(dst []byte) []byte {
	if v[1]|v[2]|v[3] == 0 {
		return appendDecimal(dst, v[0])
	}
	var chunks [5]uint64 // the lowest first; 5 x 19 digits hold the 78 of 2^256
	n := 0
	for top := v.top(); top >= 0; top = v.top() {
		chunks[n] = v.divide(top)
		n++
	}
	dst = appendDecimal(dst, chunks[n-1])
	for n--; n > 0; n-- {
		dst = appendChunk(dst, chunks[n-1])
	}
	return dst
}

// divide divides v, whose highest limb is top, by chunk and returns the
// remainder.
func (v *uint256) divide(top int) (rest uint64) {
	for i := top; i >= 0; i-- {
		v[i], rest = bits.Div64(rest, v[i], chunk)
	}
	return rest
}

// appendScaled appends v / 10^scale with all its decimals.
func (v uint256) appendScaled(dst []byte, scale int) []byte {
	var b [80]byte
	text := v.append(b[:0])
	if len(text) <= scale {
		dst = append(dst, '0', '.')
		for range scale - len(text) {
			dst = append(dst, '0')
		}
		return append(dst, text...)
	}
	dst = append(dst, text[:len(text)-scale]...)
	dst = append(dst, '.')
	return append(dst, text[len(text)-scale:]...)
}
