package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"slices"
	"strings"

	"superindex/chain"
)

// Set is the addresses watched on one network and who owns them.
//
// It is an open-addressed table, at most half full, hashed with one
// multiplication: addresses are hashes themselves, and what an attacker could
// crowd by choosing his is his own look-up only, as the members come from a
// reviewed list. Beside the slots lie 16 bits of each one's hash, few enough for
// the processor's nearest caches: most logs are nobody's and end there. Go's map,
// which hashes all 20 bytes and reads the slot itself, takes twice as long
// (BenchmarkHas).
type Set struct {
	id     chain.WatchID
	tags   []uint16 // 0 for a free slot
	slots  []slot
	shift  uint
	size   int
	owners [][]string // owners[0] is nobody
}

// slot holds one address; owner is an index into Set.owners, 0 for a free slot.
type slot struct {
	address chain.Address
	owner   uint32
}

// Watch makes the set of a network's addresses, under its name in oss-directory:
// those listed for it, and those listed for any EVM chain.
func (s *Snapshot) Watch(network string) *Set {
	owned := make(map[chain.Address][]string)
	for i := range s.Projects {
		p := &s.Projects[i]
		for j := range p.Accounts {
			if a := &p.Accounts[j]; a.On(network) && !slices.Contains(owned[a.Address], p.Name) {
				owned[a.Address] = append(owned[a.Address], p.Name)
			}
		}
	}
	return newSet(owned)
}

func newSet(owned map[chain.Address][]string) *Set {
	bits := uint(3)
	for 1<<bits < 2*len(owned) {
		bits++
	}
	t := &Set{
		tags: make([]uint16, 1<<bits), slots: make([]slot, 1<<bits),
		shift: 64 - bits, size: len(owned), owners: make([][]string, 1),
	}
	lists := make(map[string]uint32)
	for a, names := range owned {
		key := strings.Join(names, "\n")
		if lists[key] == 0 {
			lists[key] = uint32(len(t.owners))
			t.owners = append(t.owners, names)
		}
		at, tag := t.find(a)
		t.tags[at], t.slots[at] = tag, slot{a, lists[key]}
	}
	t.id = t.digest()
	return t
}

// find returns the slot that holds a, or the free one where a would go, and a's tag.
func (t *Set) find(a chain.Address) (at uint64, tag uint16) {
	h := (binary.LittleEndian.Uint64(a[4:]) ^ binary.LittleEndian.Uint64(a[12:])) * 0x9e3779b97f4a7c15
	tag = uint16(h>>16) | 1
	mask := uint64(len(t.tags) - 1)
	for at = h >> (t.shift & 63); ; at = (at + 1) & mask {
		if kept := t.tags[at]; kept == 0 || kept == tag && t.slots[at].address == a {
			return at, tag
		}
	}
}

// Has reports whether a is watched. It does not allocate.
func (t *Set) Has(a chain.Address) bool {
	at, _ := t.find(a)
	return t.tags[at] != 0
}

// Owners names the projects that list a on this network, in order; none where a
// is not watched. It does not allocate, and the caller does not change the list.
func (t *Set) Owners(a chain.Address) []string {
	at, _ := t.find(a)
	return t.owners[t.slots[at].owner]
}

// Len is the number of addresses.
func (t *Set) Len() int { return t.size }

// ID names the set: a digest of its addresses. Owners do not count.
func (t *Set) ID() chain.WatchID { return t.id }

// All yields the addresses in order.
func (t *Set) All() iter.Seq[chain.Address] { return slices.Values(t.sorted()) }

// Without lists, in order, the addresses that other does not have.
func (t *Set) Without(other *Set) []chain.Address {
	return slices.DeleteFunc(t.sorted(), other.Has)
}

func (t *Set) sorted() []chain.Address {
	out := make([]chain.Address, 0, t.size)
	for _, s := range t.slots {
		if s.owner != 0 {
			out = append(out, s.address)
		}
	}
	slices.SortFunc(out, func(a, b chain.Address) int { return bytes.Compare(a[:], b[:]) })
	return out
}

func (t *Set) digest() (id chain.WatchID) {
	if t.size == 0 {
		return id
	}
	h := sha256.New()
	for _, a := range t.sorted() {
		h.Write(a[:])
	}
	copy(id[:], h.Sum(nil))
	return id
}
