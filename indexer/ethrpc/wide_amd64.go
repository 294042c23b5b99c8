package ethrpc

// markWide is mark for words times 64 bytes at src.
//
//go:noescape
func markWide(dst *uint64, src *byte, words int)

// unhexWide is unhex for blocks of 32 digits at src, which make 16 bytes each.
//
//go:noescape
func unhexWide(dst, src *byte, blocks int) (right bool)
