package ethrpc

// shape is how the last logs were written. A node writes every log alike: the same
// members in the same order, hashes of 64 digits, numbers of a few different
// lengths. So a log is compared with those before it, 32 bytes at once, and where it
// is alike only its digits are left to read: those of its block once a block and mold, those that
// only watched logs need when it is one. Where it is not, it is read as it stands, and
// learned.
//
// The comparison proves as much as reading does: bytes that are equal mean the same,
// and where they may differ there are nothing but hex digits.
type shape struct {
	molds [4]mold
	last  int // the one that fitted last
	next  int // the one that is replaced next

	members [mostMembers]written // of the log that is read as it stands
	count   int                  // of them, or more than there is room for
}

// written is where the value of a member stands, its quotes included.
type written struct {
	member
	from, to int
}

// mostMembers of a log are taken down: known nodes write 10 or 11.
const mostMembers = 20

// read reads the log that b begins with, if it is like one before it, and returns
// its length; else 0.
func (s *shape) read(l *log, b []byte) (size int) {
	for i := range s.molds {
		at := (s.last + i) % len(s.molds)
		if size = s.molds[at].read(l, b); size > 0 {
			s.last = at
			return size
		}
	}
	return 0
}

// took takes down a member of the log that is read as it stands.
func (s *shape) took(m member, from, to int) {
	if s.count < mostMembers {
		s.members[s.count] = written{m, from, to}
	}
	s.count++
}

// learn makes a mold of the log that was just read as it stands, from text.
func (s *shape) learn(l *log, text []byte) {
	var m mold
	if s.count > mostMembers || !m.cast(l, text, s.members[:s.count]) {
		return
	}
	s.molds[s.next], s.last = m, s.next
	s.next = (s.next + 1) % len(s.molds)
}
