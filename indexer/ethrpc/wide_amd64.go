package ethrpc

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// markWide is mark for words times 64 bytes at src.
//
//go:noescape
func markWide(dst *uint64, src *byte, words int)

// unhexWide is unhex for blocks of 32 digits at src, which make 16 bytes each.
func unhexWide(dst, src *byte, blocks int) (right bool) {
	if cpu.X86.HasAVX2 {
		return unhexAVX2(dst, src, blocks)
	}
	return unhexWords(unsafe.Slice(dst, 16*blocks), unsafe.Slice(src, 32*blocks))
}

// alike reports whether the text fits so many stripes.
func alike(text *byte, like *stripe, stripes int) bool {
	if cpu.X86.HasAVX2 {
		return alikeAVX2(text, like, stripes)
	}
	return alikeWords(unsafe.Slice(text, stripes*stripeBytes), unsafe.Slice(like, stripes))
}

// hexRunWide is how many hex digits so many times 32 bytes begin with.
func hexRunWide(text *byte, blocks int) int {
	if cpu.X86.HasAVX2 {
		return hexRunAVX2(text, blocks)
	}
	return hexRunWords(unsafe.Slice(text, blocks*stripeBytes))
}

//go:noescape
func alikeAVX2(text *byte, like *stripe, stripes int) bool

//go:noescape
func hexRunAVX2(text *byte, blocks int) int

//go:noescape
func unhexAVX2(dst, src *byte, blocks int) bool
