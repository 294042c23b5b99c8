package decoder

import (
	"encoding/binary"
	"slices"
	"unicode/utf8"

	"superindex/chain"
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

// appendHex appends b as 0x text in quotes.
func appendHex(dst, b []byte) []byte {
	n, room := len(dst), 2*len(b)+4
	if cap(dst)-n < room {
		dst = slices.Grow(dst, room)
	}
	dst = dst[:n+room]
	dst[n], dst[n+1], dst[n+2] = '"', '0', 'x'
	n += 3
	i := 0
	for ; i <= len(b)-4; i += 4 {
		binary.LittleEndian.PutUint64(dst[n:], chain.HexDigits((*[4]byte)(b[i:])))
		n += 8
	}
	for ; i < len(b); i++ {
		binary.LittleEndian.PutUint16(dst[n:], chain.HexPair(b[i]))
		n += 2
	}
	dst[n] = '"'
	return dst
}

// appendAddress is appendHex for what is hexed most, in half the time: of a fixed
// size, it needs neither loop nor checks.
func appendAddress(dst []byte, b *[20]byte) []byte {
	const room = 2*len(b) + 4
	n := len(dst)
	if cap(dst)-n < room {
		dst = slices.Grow(dst, room)
	}
	dst = dst[:n+room]
	at := (*[room]byte)(dst[n:])
	at[0], at[1], at[2], at[room-1] = '"', '0', 'x', '"'
	binary.LittleEndian.PutUint64(at[3:], chain.HexDigits((*[4]byte)(b[:])))
	binary.LittleEndian.PutUint64(at[11:], chain.HexDigits((*[4]byte)(b[4:])))
	binary.LittleEndian.PutUint64(at[19:], chain.HexDigits((*[4]byte)(b[8:])))
	binary.LittleEndian.PutUint64(at[27:], chain.HexDigits((*[4]byte)(b[12:])))
	binary.LittleEndian.PutUint64(at[35:], chain.HexDigits((*[4]byte)(b[16:])))
	return dst
}
