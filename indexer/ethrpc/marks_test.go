package ethrpc

import (
	"bytes"
	"encoding/hex"
	"math/rand/v2"
	"testing"
)

// What ends a text is found wherever it stands, by either way of looking.
func TestMarks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for size := range 300 {
		text := make([]byte, size+markedBytes)
		for i := range text {
			if text[i] = byte(r.Uint32()); r.IntN(3) > 0 {
				text[i] = '0'
			}
		}
		var m marks
		want := len(text)
		for i := len(text) - 1; i >= 0; i-- {
			if b := text[i]; b == '"' || b == '\\' || b < ' ' {
				want = i
			}
			if got := m.find(text, i); got != want {
				t.Fatalf("of %d bytes from %d on: %d, want %d: %q", len(text), i, got, want, text[i:])
			}
		}
	}
	var wide, words [markedBytes / 64]uint64
	all := make([]byte, markedBytes)
	for i := range all {
		all[i] = byte(i*257>>8 + i)
	}
	markWide(&wide[0], &all[0], len(wide))
	if markWords(words[:], all); wide != words {
		t.Errorf("%x, by the word %x", wide, words)
	}
}

// Each digit is read in each place, and no other byte is, by either way.
func TestUnhex(t *testing.T) {
	for _, size := range []int{0, 1, 3, 4, 5, 8, 15, 16, 17, 20, 32, 49} {
		digits := bytes.Repeat([]byte("0123456789abcdefABCDEF"), 8)[size%22 : size%22+2*size]
		want, err := hex.DecodeString(string(digits))
		if err != nil {
			t.Fatal(err)
		}
		for name, read := range map[string]func(dst, digits []byte) bool{"unhex": unhex, "by the word": unhexWords} {
			got := make([]byte, size)
			if !read(got, digits) || !bytes.Equal(got, want) {
				t.Fatalf("%s: %q is %x", name, digits, got)
			}
			for i := range digits {
				for b := range 256 {
					wrong := bytes.Clone(digits)
					wrong[i] = byte(b)
					want, err := hex.DecodeString(string(wrong))
					if read(got, wrong) != (err == nil) || err == nil && !bytes.Equal(got, want) {
						t.Fatalf("%s: %q is %x; %v", name, wrong, got, err)
					}
				}
			}
		}
	}
}
