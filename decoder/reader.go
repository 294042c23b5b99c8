package decoder

import (
	"encoding/binary"

	"superindex/chain"
)

// reader walks the data of one log under one layout and appends what it finds to
// out. It visits a canonical encoding once, from the left: where the next piece
// has to begin is known, and anything else clears exact.
//
// What no value leads to must not be more than padding: with a word left over
// it is rather another layout's log than an odd encoder's.
//
// Work is bounded in three ways. A length is believed only where that many
// elements' heads lie inside the data. An offset leads past the head that holds
// it, so nothing leads back to itself. And left, the bytes that may still be
// visited, begins at aliasing times the data: offsets may share what they point
// to, as a few compact encoders do, but not so often that it multiplies. Depth is
// the type's, bounded when it was compiled.
type reader struct {
	data  []byte
	out   []byte
	left  int
	reach int // the end of what was read, padding not counted
	exact bool
}

// aliasing is how often, on average, a byte of the data may be read.
const aliasing = 2

// event reads all arguments of l, the indexed ones from topics.
func (r *reader) event(l *Layout, topics []chain.Hash) Reason {
	if why := r.visit(0, l.block); why != Fits {
		return why
	}
	pos, end, out := 0, l.block, r.out
	for i := range l.args {
		var why Reason
		a := &l.args[i]
		out = a.appendKey(out)
		switch {
		case a.indexed:
			out, why = appendWord(out, a.node, (*[word]byte)(&topics[0]))
			topics = topics[1:]
		case a.node.kind <= kindBytesN: // the short way for what most arguments are
			out, why = appendWord(out, a.node, (*[word]byte)(r.data[pos:]))
			pos += word
		default:
			r.out = out
			end, why = r.value(a.node, pos, 0, l.block, end)
			out = r.out
			pos += a.node.head
		}
		if why != Fits {
			r.out = out
			return why
		}
	}
	r.out = out
	if len(l.args) == 0 {
		r.out = append(r.out, '{')
	}
	r.out = append(r.out, '}')
	if end != len(r.data) {
		r.exact = false
	}
	if len(r.data)-r.reach >= word {
		return LeftOver
	}
	return Fits
}

// tuple reads a tuple whose head begins at. end is where its encoding ends if it
// is exact.
func (r *reader) tuple(n *node, at int) (end int, why Reason) {
	end = at + n.block
	if why = r.visit(at, n.block); why != Fits {
		return end, why
	}
	pos := at
	for i := range n.fields {
		f := &n.fields[i]
		r.out = f.appendKey(r.out)
		if end, why = r.value(f.node, pos, at, at+n.block, end); why != Fits {
			return end, why
		}
		pos += f.node.head
	}
	r.out = append(r.out, '}')
	return end, Fits
}

// visit checks that size bytes at pos are there and may be read.
func (r *reader) visit(pos, size int) Reason {
	if size > len(r.data)-pos {
		return OutOfData
	}
	if r.left -= size; r.left < 0 {
		return TooMuchWork
	}
	r.reach = max(r.reach, pos+size)
	return Fits
}

// elements reads count values of type n, their heads from at on.
func (r *reader) elements(n *node, count, at int) (end int, why Reason) {
	first := at + count*n.head
	end = first
	if why = r.visit(at, count*n.head); why != Fits {
		return end, why
	}
	if count == 0 {
		r.out = append(r.out, '[')
	}
	for i := range count {
		r.out = append(r.out, separator(i))
		if end, why = r.value(n, at+i*n.head, at, first, end); why != Fits {
			return end, why
		}
	}
	r.out = append(r.out, ']')
	return end, Fits
}

// value reads one value of a block: its head is at pos, and offsets count from
// base, lead to first or behind it, and to next where they are exact. It returns
// the next one's next.
func (r *reader) value(n *node, pos, base, first, next int) (int, Reason) {
	if !n.dynamic {
		return next, r.static(n, pos)
	}
	offset, ok := small(r.data[pos:])
	if !ok || offset > len(r.data)-base {
		return next, OutOfData
	}
	at := base + offset
	if at < first {
		return next, Backwards
	}
	if at != next {
		r.exact = false
	}
	return r.pointed(n, at)
}

// pointed reads what an offset led to.
func (r *reader) pointed(n *node, at int) (end int, why Reason) {
	switch n.kind {
	case kindTuple:
		return r.tuple(n, at)
	case kindArray:
		return r.elements(n.elem, n.size, at)
	}
	if why := r.visit(at, word); why != Fits {
		return at, why
	}
	length, ok := small(r.data[at:])
	at += word
	if n.kind != kindSlice {
		if !ok || length > len(r.data)-at {
			return at, OutOfData
		}
		return r.bytes(n, at, length)
	}
	if !ok || length > (len(r.data)-at)/n.elem.head {
		return at, OutOfData
	}
	return r.elements(n.elem, length, at)
}

// bytes reads a string or bytes, its length being checked.
func (r *reader) bytes(n *node, at, length int) (end int, why Reason) {
	if why := r.visit(at, length); why != Fits {
		return at, why
	}
	content, end := r.data[at:at+length], at+(length+word-1)/word*word
	if end > len(r.data) {
		r.exact, end = false, len(r.data)
	}
	if !zero(r.data[at+length : end]) {
		r.exact = false
	}
	if n.kind == kindString {
		r.out = appendText(r.out, content)
	} else {
		r.out = appendHex(r.out, content)
	}
	return end, Fits
}

// static reads a value that stands in the head itself, which is inside the data.
func (r *reader) static(n *node, pos int) (why Reason) {
	switch n.kind {
	case kindArray:
		for i := range n.size {
			r.out = append(r.out, separator(i))
			if why := r.static(n.elem, pos+i*n.elem.head); why != Fits {
				return why
			}
		}
		r.out = append(r.out, ']')
	case kindTuple:
		for i := range n.fields {
			f := &n.fields[i]
			r.out = f.appendKey(r.out)
			if why := r.static(f.node, pos); why != Fits {
				return why
			}
			pos += f.node.head
		}
		r.out = append(r.out, '}')
	default:
		r.out, why = appendWord(r.out, n, (*[word]byte)(r.data[pos:]))
	}
	return why
}

// separator is what stands before element i of an array.
func separator(i int) byte {
	if i == 0 {
		return '['
	}
	return ','
}

// small reads a word that has to be a length or an offset inside some data.
func small(b []byte) (n int, ok bool) {
	low := binary.BigEndian.Uint64(b[24:])
	return int(low), zero(b[:24]) && low < 1<<62
}

// zero reports whether all of b is.
func zero(b []byte) bool {
	for len(b) >= 8 {
		if binary.LittleEndian.Uint64(b) != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
