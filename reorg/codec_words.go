package reorg

import (
	"encoding/binary"
	"math/bits"
	"slices"

	"superindex/chain"
)

// Topics, and data in words, are mostly numbers and addresses, whose first bytes are zeros:
// a word is written as how many those are (1 byte), and the others.
const wordSize = len(chain.Hash{})

// zeros is how many zero bytes the word begins with.
func zeros(word *[wordSize]byte) int {
	for at := 0; at < wordSize; at += 8 {
		if v := binary.BigEndian.Uint64(word[at:]); v != 0 {
			return at + bits.LeadingZeros64(v)/8
		}
	}
	return wordSize
}

const (
	addressZeros = wordSize - len(chain.Address{}) // that an address begins with, as a word
	numberZeros  = wordSize - 8                    // that a number of 64 bits does
)

// appendWord has shorter ways for addresses and small numbers, which most are.
func appendWord(dst []byte, word *chain.Hash) []byte {
	n, at := zeros((*[wordSize]byte)(word)), len(dst)+1
	if cap(dst)-at < wordSize {
		dst = slices.Grow(dst, 1+wordSize)
	}
	dst = append(dst, byte(n))[:at+wordSize]
	switch to := (*[wordSize]byte)(dst[at:]); {
	case n == addressZeros:
		copy(to[:len(chain.Address{})], word[addressZeros:])
	case n >= numberZeros:
		binary.BigEndian.PutUint64(to[:], binary.BigEndian.Uint64(word[numberZeros:])<<(8*(n-numberZeros)))
	default:
		copy(to[:], word[n:])
	}
	return dst[:at+wordSize-n]
}

// word reads one, and appends it as it was, unless there is no room.
func (r *decoder) word(room []byte) []byte {
	n := int(r.byte())
	rest := r.raw(wordSize - n) // not where n is more
	if cap(room)-len(room) < wordSize || r.failed {
		r.fail()
		return room
	}
	room = room[:len(room)+wordSize]
	to := (*[wordSize]byte)(room[len(room)-wordSize:])
	switch {
	case n == addressZeros:
		clear(to[:addressZeros])
		copy(to[addressZeros:], (*chain.Address)(rest)[:])
	default:
		clear(to[:])
		copy(to[n:], rest)
	}
	return room
}

// data is written as its length, twice, and as it is; or plus one, and as words, where that is
// shorter.
func (w *encoder) data(data []byte) {
	n, from := uint64(len(data)), len(w.b)
	if n%uint64(wordSize) != 0 {
		w.uint(n << 1)
		w.raw(data)
		return
	}
	w.uint(n<<1 | 1)
	to, at := slices.Grow(w.b, len(data)+len(data)/wordSize), len(w.b)
	for rest := data; len(rest) > 0; rest = rest[wordSize:] {
		to = appendWord(to, (*chain.Hash)(rest))
	}
	if w.b = to; len(to)-at > len(data) {
		w.b = to[:from]
		w.uint(n << 1)
		w.raw(data)
	}
}

// data appends what was written as data, unless there is no room for it.
func (r *decoder) data(room []byte) []byte {
	head := r.uint()
	n := head >> 1
	if n > uint64(cap(room)-len(room)) {
		r.fail()
		return room
	}
	if head&1 == 0 {
		return append(room, r.raw(int(n))...)
	}
	if n%uint64(wordSize) != 0 {
		r.fail()
	}
	for range n / uint64(wordSize) {
		room = r.word(room)
	}
	return room
}
