package chain

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// Hash is a Keccak-256 hash: of a block, a transaction or an event's signature.
type Hash [32]byte

// Address is the account that emitted a log or sent a transaction.
type Address [20]byte

// String is the hash as lower-case 0x text.
func (h Hash) String() string { return string(h.AppendText(nil)) }

// AppendText appends the hash as lower-case 0x text to dst.
func (h Hash) AppendText(dst []byte) []byte { return AppendHex(dst, h[:]) }

// MarshalText makes the hash lower-case 0x text in JSON.
func (h Hash) MarshalText() ([]byte, error) { return h.AppendText(nil), nil }

// UnmarshalText reads 0x text of 32 bytes, in either case.
func (h *Hash) UnmarshalText(text []byte) error { return parseHex(h[:], text) }

// String is the address as lower-case 0x text, without a checksum.
func (a Address) String() string { return string(a.AppendText(nil)) }

// AppendText appends the address as lower-case 0x text to dst.
func (a Address) AppendText(dst []byte) []byte { return AppendHex(dst, a[:]) }

// MarshalText makes the address lower-case 0x text in JSON.
func (a Address) MarshalText() ([]byte, error) { return a.AppendText(nil), nil }

// UnmarshalText reads 0x text of 20 bytes, in either case.
func (a *Address) UnmarshalText(text []byte) error { return parseHex(a[:], text) }

// pairs has the two digits of each byte, the first in the low half.
var pairs = func() (p [256]uint16) {
	const digits = "0123456789abcdef"
	for i := range p {
		p[i] = uint16(digits[i>>4]) | uint16(digits[i&15])<<8
	}
	return p
}()

// HexPair is the two lower-case digits of b, the first in the low half.
func HexPair(b byte) uint16 { return pairs[b] }

// HexDigits are the eight lower-case digits of b, the first in the lowest byte.
func HexDigits(b *[4]byte) uint64 {
	return uint64(pairs[b[0]]) | uint64(pairs[b[1]])<<16 | uint64(pairs[b[2]])<<32 | uint64(pairs[b[3]])<<48
}

// AppendHex appends b as lower-case 0x text to dst.
func AppendHex(dst, b []byte) []byte {
	n := len(dst) + 2
	dst = append(slices.Grow(dst, 2+2*len(b)), '0', 'x')[:n+2*len(b)]
	to := dst[n:]
	for ; len(b) >= 4 && len(to) >= 8; b, to = b[4:], to[8:] {
		binary.LittleEndian.PutUint64(to, HexDigits((*[4]byte)(b)))
	}
	for i, c := range b {
		binary.LittleEndian.PutUint16(to[2*i:], pairs[c])
	}
	return dst
}

var errHex = errors.New("not 0x text of the right length")

func parseHex(dst, text []byte) error {
	if len(text) != 2+2*len(dst) || text[0] != '0' || text[1]|0x20 != 'x' {
		return fmt.Errorf("%w: %d characters for %d bytes", errHex, len(text), len(dst))
	}
	if _, err := hex.Decode(dst, text[2:]); err != nil {
		return fmt.Errorf("hex: %w", err)
	}
	return nil
}

// BlockRef names one block of one fork.
type BlockRef struct {
	Number uint64 `json:"number"`
	Hash   Hash   `json:"hash"`
}

// String is "number:first 4 bytes of the hash", for messages to people.
func (r BlockRef) String() string { return fmt.Sprintf("%d:%x", r.Number, r.Hash[:4]) }

// Stream is one ordered sequence of steps: a network or a feed.
type Stream struct {
	Name    string // the network's name in oss-directory, or "feeds"
	ChainID uint64 // EIP-155 id; 0 for what is no chain
}

// String is the stream's name.
func (s Stream) String() string { return s.Name }

// JournalID names one journal for as long as its folder lives.
type JournalID [16]byte

// String is the id as 32 hex digits.
func (id JournalID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText makes the id 32 hex digits in JSON.
func (id JournalID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }

// WatchID names a set of watched addresses: a digest of it. Zero is the empty set.
type WatchID [8]byte

// String is the id as 16 hex digits.
func (id WatchID) String() string { return hex.EncodeToString(id[:]) }

// MarshalText makes the id 16 hex digits in JSON.
func (id WatchID) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, id[:]), nil }
