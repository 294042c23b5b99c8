package reorg

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"unsafe"

	"superindex/chain"
)

// An outline is what the arguments of many events of a form have in common: they are text that
// the decoder made, the same names around other values in all of them, and many a value is the
// digits of what stands in topics and data already. Arguments that follow an outline are
// written as its number and those values which are no such digits. The encoder learns outlines
// from the events of a list; what follows none is written as it is.
type outline struct {
	values []value
	end    string // what stands behind the last value
}

// value is one of an outline's.
type value struct {
	before string // what stands before it
	size   int    // of the bytes whose digits it is; 0 for a text that is written with each event
	from   int    // where those begin in the topics and, behind these, the data
	until  byte   // what comes right behind it; for the encoder
}

const (
	mostValues   = 64  // of an outline
	mostText     = 512 // bytes of an outline beside its values
	mostOutlines = 4   // of a form
)

// outlined are the outlines of a form.
type outlined struct {
	places []int // among those of the list
	others int   // events that followed none
}

// args writes the number of the outline that the event follows, counted from 1, and what it
// has of its own; or 0 and the arguments. The next number is a new outline's, which comes
// between.
func (w *encoder) args(c *common, of *outlined, e *chain.Event) {
	before := len(w.b)
	for i := len(of.places) - 1; i >= 0; i-- {
		n := of.places[i]
		if w.uint(uint64(n) + 1); w.follow(&c.outlines[n], e) {
			return
		}
		w.b = w.b[:before]
	}
	of.others++
	if of.others > 1 && of.others <= 1+mostOutlines && w.learn(c, of, e) { // for one alone it gains nothing
		return
	}
	w.b = w.b[:before]
	w.uint(0)
	w.bytes(e.Args)
}

// learn writes a new outline and what the event has beside it, unless it has none.
func (w *encoder) learn(c *common, of *outlined, e *chain.Event) bool {
	o, ok := outlineOf(e)
	if !ok {
		return false
	}
	w.uint(uint64(len(c.outlines)) + 1)
	w.uint(uint64(len(o.values)))
	for i := range o.values {
		v := &o.values[i]
		w.string(v.before)
		w.uint(uint64(v.size))
		if v.size > 0 {
			w.uint(uint64(v.from))
		}
	}
	w.string(o.end)
	if !w.follow(&o, e) {
		return false
	}
	of.places, c.outlines = append(of.places, len(c.outlines)), append(c.outlines, o)
	return true
}

// follow writes what the event has beside the outline; false if its arguments are not so.
func (w *encoder) follow(o *outline, e *chain.Event) bool {
	args, to := e.Args, w.b
	for i := range o.values {
		v := &o.values[i]
		if len(args) < len(v.before) || string(args[:len(v.before)]) != v.before {
			return false
		}
		args = args[len(v.before):]
		if v.size > 0 {
			if !digitsOf(args, v.of(e)) {
				return false
			}
			args = args[2*v.size:]
			continue
		}
		n := bytes.IndexByte(args, v.until)
		if n < 0 {
			return false
		}
		to = append(binary.AppendUvarint(to, uint64(n)), args[:n]...)
		args = args[n:]
	}
	w.b = to
	return string(args) == o.end
}

// of are the bytes whose digits the value is; none if the event has none there.
func (v *value) of(e *chain.Event) []byte {
	topics, end := len(e.Topics)*wordSize, v.from+v.size
	switch {
	case end <= topics:
		return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(e.Topics))), topics)[v.from:end]
	case v.from >= topics && end <= topics+len(e.Data):
		return e.Data[v.from-topics : end-topics]
	}
	return nil
}

// args appends the arguments of an event whose topics and data lie in room from there on.
func (r *decoder) args(c *commonRead, room []byte, from int) []byte {
	n, given := r.uint(), room[from:]
	if n == 0 {
		return append(room, r.bytes()...)
	}
	if n == uint64(len(c.outlines))+1 {
		c.outlines = append(c.outlines, r.outline())
	}
	if n > uint64(len(c.outlines)) {
		r.fail()
		return room
	}
	o := &c.outlines[n-1]
	for i := range o.values {
		v := &o.values[i]
		room = append(room, v.before...)
		switch {
		case v.size == 0:
			room = append(room, r.bytes()...)
		case v.from+v.size <= len(given):
			room = r.appendDigits(room, given[v.from:v.from+v.size])
		default:
			r.fail()
			return room
		}
	}
	return append(room, o.end...)
}

func (r *decoder) outline() (o outline) {
	n, text := r.length(2), 0
	if n > mostValues {
		r.fail()
		return o
	}
	o.values = make([]value, n)
	for i := range o.values {
		v := &o.values[i]
		v.before = r.string()
		size, from := r.uint(), uint64(0)
		if size > 0 {
			from = r.uint()
		}
		if size > uint64(wordSize) || from > maxStep {
			r.fail()
			return outline{}
		}
		v.size, v.from = int(size), int(from)
		text += len(v.before)
	}
	if o.end = r.string(); text+len(o.end) > mostText {
		r.fail()
	}
	return o
}

// digitsOf reports whether text begins with the digits of b, of which there are some.
func digitsOf(text, b []byte) bool {
	if len(b) == 0 || len(text) < 2*len(b) {
		return false
	}
	if len(b) == len(chain.Address{}) { // what most are
		var differ uint64
		text, b := (*[2 * len(chain.Address{})]byte)(text), (*chain.Address)(b)
		for i := 0; i < len(b); i += 4 {
			differ |= binary.LittleEndian.Uint64(text[2*i:]) ^ chain.HexDigits((*[4]byte)(b[i:]))
		}
		return differ == 0
	}
	for i, c := range b {
		if binary.LittleEndian.Uint16(text[2*i:]) != chain.HexPair(c) {
			return false
		}
	}
	return true
}

// appendDigits appends them, unless there is no room.
func (r *decoder) appendDigits(room, b []byte) []byte {
	at := len(room)
	if cap(room)-at < 2*len(b) {
		r.fail()
		return room
	}
	room = room[:at+2*len(b)]
	if len(b) == len(chain.Address{}) {
		to, b := (*[2 * len(chain.Address{})]byte)(room[at:]), (*chain.Address)(b)
		for i := 0; i < len(b); i += 4 {
			binary.LittleEndian.PutUint64(to[2*i:], chain.HexDigits((*[4]byte)(b[i:])))
		}
		return room
	}
	for i, c := range b {
		binary.LittleEndian.PutUint16(room[at+2*i:], chain.HexPair(c))
	}
	return room
}

// outlineOf learns an outline from an event's arguments; false where they are not such that
// it would help.
func outlineOf(e *chain.Event) (o outline, ok bool) {
	args, from := e.Args, 0
	var used [mostValues]bool // words
	for at := 0; at < len(args); {
		end := endOf(args, at)
		switch quoted := args[at] == '"'; {
		case end < 0:
			return o, false
		case quoted && end+1 < len(args) && args[end+1] == ':': // a name
			at = end + 1
			continue
		case quoted:
			at++
		case end == at:
			at++
			continue
		}
		v := value{}
		if at+2 < end && args[at] == '0' && args[at+1] == 'x' {
			if v.size, v.from = origin(e, args[at+2:end], &used); v.size > 0 {
				at += 2
			}
		}
		v.before, v.until = string(args[from:at]), args[end]
		o.values = append(o.values, v)
		from, at = end, end+1
	}
	o.end = string(args[from:])
	return o, len(o.values) > 0 && len(o.values) <= mostValues && o.text() <= mostText
}

// endOf is where the text that begins with the quote at ends, or the number or word; at itself
// where there is neither, and negative where it has no end.
func endOf(args []byte, at int) int {
	if args[at] != '"' {
		if n := bytes.IndexAny(args[at:], "{}[]:,"); n >= 0 {
			return at + n
		}
		return -1
	}
	for end := at + 1; end < len(args); end++ {
		switch args[end] {
		case '"':
			return end
		case '\\':
			end++
		}
	}
	return -1
}

// text is how much the outline has beside its values.
func (o *outline) text() (n int) {
	for i := range o.values {
		n += len(o.values[i].before)
	}
	return n + len(o.end)
}

// origin is where in topics and data the bytes with these digits lie: at the end or the
// beginning of the first word that has them and is not used for another value, topic 0 not
// counted; nowhere if size is 0.
func origin(e *chain.Event, text []byte, used *[mostValues]bool) (size, from int) {
	b, err := hex.AppendDecode(nil, text)
	if size = len(b); err != nil || size == 0 || size > wordSize {
		return 0, 0
	}
	for i := 1; i < min(mostValues, len(e.Topics)+len(e.Data)/wordSize); i++ {
		word := value{size: wordSize, from: i * wordSize}
		for _, at := range []int{wordSize - size, 0} {
			if !used[i] && bytes.Equal(word.of(e)[at:at+size], b) {
				used[i] = true
				return size, word.from + at
			}
		}
	}
	return 0, 0
}
