//go:build !amd64

package ethrpc

import "unsafe"

// markWide is mark for words times 64 bytes at src.
func markWide(dst *uint64, src *byte, words int) {
	markWords(unsafe.Slice(dst, words), unsafe.Slice(src, 64*words))
}

// unhexWide is unhex for blocks of 32 digits at src, which make 16 bytes each.
func unhexWide(dst, src *byte, blocks int) (right bool) {
	return unhexWords(unsafe.Slice(dst, 16*blocks), unsafe.Slice(src, 32*blocks))
}

// alike reports whether the text fits so many stripes.
func alike(text *byte, like *stripe, stripes int) bool {
	return alikeWords(unsafe.Slice(text, stripes*stripeBytes), unsafe.Slice(like, stripes))
}

// hexRunWide is how many hex digits so many times 32 bytes begin with.
func hexRunWide(text *byte, blocks int) int {
	return hexRunWords(unsafe.Slice(text, blocks*stripeBytes))
}
