package decoder

import "superindex/chain"

// Table holds layouts by what is seen of a log. It never changes.
type Table struct {
	general   set
	addresses map[chain.Address]*set
}

// set holds layouts by topic0, then by the number of topics less one; anonymous
// ones apart.
type set struct {
	named     map[chain.Hash]*[4][]*Layout
	anonymous []*Layout
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
	s := set{named: map[chain.Hash]*[4][]*Layout{}}
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
	byTopics := s.named[l.topic0]
	if byTopics == nil {
		byTopics = new([4][]*Layout)
		s.named[l.topic0] = byTopics
	}
	byTopics[l.topics-1] = append(byTopics[l.topics-1], l)
}
