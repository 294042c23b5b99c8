package decoder

import (
	"encoding/binary"

	"superindex/chain"
)

// Table holds layouts by what is seen of a log. It never changes.
type Table struct {
	general   set
	addresses map[chain.Address]*set
}

// set holds layouts by topic0, anonymous ones apart. Slots are an open-addressed
// table, at most half full; as a topic0 is a hash itself, its first bytes say where
// it goes.
type set struct {
	slots     []slot
	anonymous []*Layout
}

// slot is where one topic0 may stand; it is free where there is no family.
type slot struct {
	first uint64 // of topic0's bytes
	*family
}

// family is the layouts of one topic0, by the number of topics less one.
type family struct {
	topic0  chain.Hash
	layouts [4][]*Layout
}

// Sources is what a Table is made of.
type Sources struct {
	// Layouts apply to every address. Of layouts that no log can tell apart the
	// first is kept. Anonymous ones are passed over: nothing would ever choose
	// them rightly.
	Layouts []*Layout
	// Addresses has the layouts of single addresses, for what topic0 alone cannot
	// tell. They go before Layouts.
	Addresses map[chain.Address][]*Layout
}

// New makes a table.
func New(s Sources) *Table {
	t := &Table{general: newSet(s.Layouts), addresses: map[chain.Address]*set{}}
	for address, layouts := range s.Addresses {
		own := newSet(layouts)
		t.addresses[address] = &own
	}
	return t
}

func newSet(layouts []*Layout) set {
	size := 2
	for size < 2*len(layouts) {
		size *= 2
	}
	s := set{slots: make([]slot, size)}
	seen := map[string]bool{}
	for _, l := range layouts {
		if same := l.same(); !seen[same] {
			seen[same] = true
			s.add(l)
		}
	}
	return s
}

func (s *set) add(l *Layout) {
	if l.anonymous {
		s.anonymous = append(s.anonymous, l)
		return
	}
	at := s.slot(&l.topic0)
	if at.family == nil {
		*at = slot{binary.LittleEndian.Uint64(l.topic0[:]), &family{topic0: l.topic0}}
	}
	at.layouts[l.topics-1] = append(at.layouts[l.topics-1], l)
}

// find returns the layouts of topic0; nil where there are none.
func (s *set) find(topic0 *chain.Hash) *family { return s.slot(topic0).family }

// slot returns the slot of topic0, or the free one where it would go.
func (s *set) slot(topic0 *chain.Hash) *slot {
	first := binary.LittleEndian.Uint64(topic0[:])
	mask := uint64(len(s.slots) - 1)
	for i := first; ; i++ {
		at := &s.slots[i&mask]
		if at.family == nil || at.first == first && sameRest(&at.topic0, topic0) {
			return at
		}
	}
}

// sameRest is a[8:] == b[8:] in three words; the compiler would call a function
// for it.
func sameRest(a, b *chain.Hash) bool {
	return binary.LittleEndian.Uint64(a[8:]) == binary.LittleEndian.Uint64(b[8:]) &&
		binary.LittleEndian.Uint64(a[16:]) == binary.LittleEndian.Uint64(b[16:]) &&
		binary.LittleEndian.Uint64(a[24:]) == binary.LittleEndian.Uint64(b[24:])
}
