package ethrpc

import (
	"unsafe"

	"golang.org/x/sys/cpu"
)

// markWide is mark for words times 64 bytes at src.
//
//go:noescape
func markWide(dst *uint64, src *byte, words int)

// unhexRuns reads some runs; false where one of them has another byte than digits.
func unhexRuns(runs []run) (right bool) {
	if cpu.X86.HasAVX2 {
		return unhexAVX2(unsafe.SliceData(runs), len(runs))
	}
	return unhexRunsWords(runs)
}

// fits finds out whether the log that b, which is not empty, begins with fits, and
// where what differs stands; if not, f may hold anything.
func (m *mold) fits(f *fit, b []byte) bool {
	if cpu.X86.HasAVX2 {
		return fitsAVX2(m, f, &b[0], len(b))
	}
	return m.fitsWords(f, b)
}

// fitsAVX2 is fits for at least one byte of text.
//
//go:noescape
func fitsAVX2(m *mold, f *fit, text *byte, size int) bool

// unhexAVX2 is unhexRuns. Each run has at least one block.
//
//go:noescape
func unhexAVX2(runs *run, count int) bool
