package registry

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"iter"
	"maps"
	"slices"
	"strings"

	"superindex/chain"
)

// Set is the addresses watched on one network and who owns them.
//
// It is an open-addressed table, at most half full, hashed with one
// multiplication: addresses are hashes themselves, and what an attacker could
// crowd by choosing his is his own look-up only, as the members come from a
// reviewed list. Before it stands a filter of 16 bits an address, small enough for
// the processor's nearest caches: most logs are nobody's, and 15 of 16 of them end
// there. Go's map, which hashes all 20 bytes, takes twice as long (BenchmarkHas).
type Set struct {
	id     chain.WatchID
	filter []uint64
	slots  []slot
	shift  uint            // of a hash, to its slot; its bit in the filter takes filterBits more
	sorted []chain.Address // all of them: sorting a hundred thousand takes 50 ms
	owners [][]string      // owners[0] is nobody
}

// slot holds one address; owner is an index into Set.owners, 0 for a free slot.
type slot struct {
	address chain.Address
	owner   uint32
}

// filterBits says how many bits the filter has for a slot: 2 to that power.
const filterBits = 3

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
		filter: make([]uint64, max(1, 1<<(bits+filterBits)/64)), slots: make([]slot, 1<<bits),
		shift: 64 - bits, sorted: slices.SortedFunc(maps.Keys(owned), ascending), owners: make([][]string, 1),
	}
	lists := make(map[string]uint32)
	for a, names := range owned {
		key := strings.Join(names, "\n")
		if lists[key] == 0 {
			lists[key] = uint32(len(t.owners))
			t.owners = append(t.owners, names)
		}
		h := hash(&a)
		word, bit := t.filterBit(h)
		t.filter[word] |= 1 << bit
		*t.find(&a, h) = slot{a, lists[key]}
	}
	t.id = t.digest()
	return t
}

func ascending(a, b chain.Address) int { return bytes.Compare(a[:], b[:]) }

// same is a == b in three words; the compiler would call a function for it.
func same(a, b *chain.Address) bool {
	return binary.LittleEndian.Uint64(a[12:]) == binary.LittleEndian.Uint64(b[12:]) &&
		binary.LittleEndian.Uint64(a[4:]) == binary.LittleEndian.Uint64(b[4:]) &&
		binary.LittleEndian.Uint32(a[:]) == binary.LittleEndian.Uint32(b[:])
}

func hash(a *chain.Address) uint64 {
	return (binary.LittleEndian.Uint64(a[4:]) ^ binary.LittleEndian.Uint64(a[12:])) * 0x9e3779b97f4a7c15
}

func (t *Set) filterBit(h uint64) (word, bit uint64) {
	at := h >> ((t.shift - filterBits) & 63)
	return at / 64, at % 64
}

// find returns the slot that holds a, or the free one where a would go.
func (t *Set) find(a *chain.Address, h uint64) *slot {
	mask := uint64(len(t.slots) - 1)
	for i := h >> (t.shift & 63); ; i++ {
		if s := &t.slots[i&mask]; s.owner == 0 || same(&s.address, a) {
			return s
		}
	}
}

// owner is an index into owners: 0 where a is not watched.
func (t *Set) owner(a *chain.Address) uint32 {
	h := hash(a)
	if word, bit := t.filterBit(h); t.filter[word]>>bit&1 == 0 {
		return 0
	}
	return t.find(a, h).owner
}

// Has reports whether a is watched. It does not allocate.
func (t *Set) Has(a *chain.Address) bool { return t.owner(a) != 0 }

// Owners names the projects that list a on this network, in order; none where a
// is not watched. It does not allocate, and the caller does not change the list.
func (t *Set) Owners(a chain.Address) []string { return t.owners[t.owner(&a)] }

// Len is the number of addresses.
func (t *Set) Len() int { return len(t.sorted) }

// ID names the set: a digest of its addresses. Owners do not count.
func (t *Set) ID() chain.WatchID { return t.id }

// All yields the addresses in order.
func (t *Set) All() iter.Seq[chain.Address] { return slices.Values(t.sorted) }

func (t *Set) digest() (id chain.WatchID) {
	if len(t.sorted) == 0 {
		return id
	}
	h := sha256.New()
	for _, a := range t.sorted {
		h.Write(a[:])
	}
	copy(id[:], h.Sum(nil))
	return id
}
