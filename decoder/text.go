package decoder

import "unicode/utf8"

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
