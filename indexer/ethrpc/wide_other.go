//go:build !amd64

package ethrpc

import "unsafe"

// markWide is mark for words times 64 bytes at src.
func markWide(dst *uint64, src *byte, words int) {
	markWords(unsafe.Slice(dst, words), unsafe.Slice(src, 64*words))
}

// unhexRuns reads some runs; false where one of them has another byte than digits.
func unhexRuns(runs []run) (right bool) { return unhexRunsWords(runs) }

// fits finds out whether the log that b, which is not empty, begins with fits, and
// where what differs stands; if not, f may hold anything.
func (m *mold) fits(f *fit, b []byte) bool { return m.fitsWords(f, b) }
