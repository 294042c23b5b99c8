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

// fits finds out whether the log that b, which is not empty, begins with fits, and
// where what differs stands; if not, f may hold anything.
func (m *mold) fits(f *fit, b []byte) bool { return m.fitsWords(f, b) }
