package decoder

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"
)

// appendText appends a JSON string, escaped as RFC 8785 does, or {"hex":"0x..."}
// where b is not UTF-8.
func appendText(dst, b []byte) []byte {
	if !utf8.Valid(b) {
		dst = append(dst, `{"hex":`...)
		return append(appendHex(dst, b), '}')
	}
	dst = append(dst, '"')
	start := 0
	for i, c := range b {
		if c >= ' ' && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, b[start:i]...)
		dst = appendEscaped(dst, c)
		start = i + 1
	}
	return append(append(dst, b[start:]...), '"')
}

func appendEscaped(dst []byte, c byte) []byte {
	const short = "btn\x00fr" // from \b, 8, to \r, 13; \v has none
	switch {
	case c >= ' ':
		return append(dst, '\\', c)
	case c >= '\b' && c <= '\r' && c != '\v':
		return append(dst, '\\', short[c-'\b'])
	}
	const digits = "0123456789abcdef"
	return append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
}

// appendHex appends b as 0x text in quotes, four bytes at a time.
func appendHex(dst, b []byte) []byte {
	n, room := len(dst), 2*len(b)+12 // up to 3 bytes of b have room for 4
	if cap(dst)-n < room {
		dst = slices.Grow(dst, room)
	}
	dst = dst[:n+room]
	dst[n], dst[n+1], dst[n+2] = '"', '0', 'x'
	at := dst[n+3:]
	for len(b) >= 4 && len(at) >= 8 {
		binary.BigEndian.PutUint64(at, hexDigits(binary.BigEndian.Uint32(b)))
		at, b = at[8:], b[4:]
	}
	if len(b) > 0 {
		var last [4]byte
		copy(last[:], b)
		binary.BigEndian.PutUint64(at, hexDigits(binary.BigEndian.Uint32(last[:])))
		at = at[2*len(b):]
	}
	at[0] = '"'
	return dst[:len(dst)-len(at)+1]
}

// hexDigits makes the eight digits of x, the highest in the highest byte: each
// nibble is moved to a byte of its own, then all eight get '0' or 'a'-10 added.
func hexDigits(x uint32) uint64 {
	v := uint64(x)
	v = v&0xffff0000<<16 | v&0xffff
	v = v&0x0000ff000000ff00<<8 | v&0x000000ff000000ff
	v = v&0x00f000f000f000f0<<4 | v&0x000f000f000f000f
	letters := (v + 0x0606060606060606) >> 4 & 0x0101010101010101
	return v + 0x3030303030303030 + letters*('a'-10-'0')
}
