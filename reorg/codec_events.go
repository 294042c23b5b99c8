package reorg

import (
	"slices"

	"superindex/chain"
)

// form is what many events of a list have in common.
type form struct {
	decoding        chain.Decoding
	topics          byte       // how many
	first           chain.Hash // of the topics, if there are any
	name, signature string
}

// is the event's form, found out faster than by comparing forms.
func (f *form) is(e *chain.Event) bool {
	return f.decoding == e.Decoding && int(f.topics) == len(e.Topics) && (f.topics == 0 || same(&f.first, &e.Topics[0])) &&
		f.name == e.Name && f.signature == e.Signature
}

// What an event's first number says, beside the blocks that its block is further.
const (
	sameTx   = 1 << iota // its transaction is the one of the event before
	onward               // its index is the next one in its block
	headBits = 2
)

// atOnce is how many events fit into the processor's cache with all that they point to. It is a
// part of the format.
const atOnce = 256

// events are written some at a time, each time with how many bytes their topics, data and
// arguments take, so that there is room for them when they are read.
func (w *encoder) events(blocks []chain.Block, events []chain.Event) {
	w.uint(uint64(len(events)))
	c := &common{at: place{blocks: blocks}, forms: newSeen[form](), addresses: newSeen[chain.Address]()}
	for some := range slices.Chunk(events, atOnce) {
		if w.ready != nil {
			w.ready(some)
		}
		w.uint(long(some))
		for i := range some {
			w.event(c, &some[i])
		}
		w.spilled()
	}
}

// long is how many bytes the events' topics, data and arguments have.
func long(events []chain.Event) (n uint64) {
	for i := range events {
		e := &events[i]
		n += uint64(len(chain.Hash{})*len(e.Topics) + len(e.Data) + len(e.Args))
	}
	return n
}

// common is what the events of a list may have in common.
type common struct {
	at        place
	last      *chain.Event // the one before; nil for the first
	forms     *seen[form]
	addresses *seen[chain.Address]
	outlines  []outline
	of        []outlined // by form
}

func (w *encoder) event(c *common, e *chain.Event) {
	w.stands(c, e)
	n, fresh := c.addresses.place(e.Address, e.Address[0]^e.Address[len(e.Address)-1])
	if w.uint(n); fresh {
		w.raw(e.Address[:])
	}
	n = w.form(c, e)
	for i := 1; i < len(e.Topics); i++ {
		w.b = appendWord(w.b, &e.Topics[i])
	}
	w.data(e.Data)
	if e.Decoding != chain.Raw {
		w.args(c, &c.of[n], e)
	}
}

// stands writes the event's place: block, transaction and index.
func (w *encoder) stands(c *common, e *chain.Event) {
	further, last := w.next(&c.at, &e.Block), c.last
	head, next := further<<headBits, uint32(0)
	if last != nil && further == 0 {
		if next = last.Index + 1; e.TxIndex == last.TxIndex && same(&e.TxHash, &last.TxHash) {
			head |= sameTx
		}
	}
	if e.Index == next {
		head |= onward
	}
	if w.uint(head); head&sameTx == 0 {
		w.raw(e.TxHash[:])
		w.uint(uint64(e.TxIndex))
	}
	if head&onward == 0 {
		w.uint(uint64(e.Index))
	}
	c.last = e
}

// form writes the event's form, and returns its number.
func (w *encoder) form(c *common, e *chain.Event) uint64 {
	looks := byte(len(e.Topics))
	if looks > 0 {
		looks ^= e.Topics[0][0]
	}
	if near := c.forms.near[looks]; near < uint64(len(c.of)) && c.forms.values[near].is(e) {
		w.uint(near)
		return near
	}
	f := form{decoding: e.Decoding, topics: byte(len(e.Topics)), name: e.Name, signature: e.Signature}
	if f.topics > 0 {
		f.first = e.Topics[0]
	}
	n, fresh := c.forms.place(f, looks)
	if w.uint(n); !fresh {
		return n
	}
	c.of = append(c.of, outlined{})
	if w.byte(f.topics); f.topics > 0 {
		w.raw(f.first[:])
	}
	if w.byte(byte(f.decoding)); f.decoding != chain.Raw {
		w.string(f.name)
		w.string(f.signature)
	}
	return n
}

func (r *decoder) form() (f form) {
	if f.topics = r.byte(); f.topics > 0 {
		f.first = r.hash()
	}
	plain := r.plainForm()
	f.decoding, f.name, f.signature = plain.decoding, plain.name, plain.signature
	return f
}

// mostLong is how many bytes of an event one that was written may stand for. A word is written
// as one byte at least, is 32 and may come again as 64 digits; the first topic and an
// outline's text come with an event of at least fewest bytes. So a broken length cannot ask
// for more memory than so many times what the value has.
const (
	mostLong = 3*wordSize + (wordSize+mostText)/fewest
	fewest   = 4
)

func (r *decoder) events(blocks []chain.Block) []chain.Event {
	if r.plain {
		return r.plainEvents(blocks)
	}
	events := take(&r.memory.events, r.length(fewest)) // each field is set
	c, room := &commonRead{at: place{blocks: blocks}}, []byte(nil)
	for i := range events {
		if i%atOnce == 0 {
			room = r.room(room)
		}
		if room = r.event(c, events, i, room); r.failed {
			return nil
		}
	}
	if r.failed = r.failed || len(room) < cap(room); r.failed {
		return nil
	}
	return events
}

// room is what the topics, data and arguments of the next events are to fill; what those
// before them had is full.
func (r *decoder) room(full []byte) []byte {
	n := r.uint()
	if len(full) < cap(full) || n > uint64(r.left()*mostLong) {
		r.fail()
		return nil
	}
	r.memory.size += int(n)
	return take(&r.memory.text, int(n))[:0]
}

// commonRead is what the events that were read have in common.
type commonRead struct {
	at        place
	forms     []form
	addresses []chain.Address
	outlines  []outline
}

// knownForm is known without a copy.
func (r *decoder) knownForm(c *commonRead) *form {
	n := r.uint()
	if n == uint64(len(c.forms)) {
		c.forms = append(c.forms, r.form())
	}
	if n >= uint64(len(c.forms)) {
		r.fail()
		return &form{}
	}
	return &c.forms[n]
}

// event reads the i-th event, whose topics, data and arguments it appends to room.
func (r *decoder) event(c *commonRead, events []chain.Event, i int, room []byte) []byte {
	e, head := &events[i], r.uint()
	further := head >> headBits
	r.stands(events, i, &c.at, further, head&sameTx != 0)
	switch {
	case head&onward == 0:
		e.Index = uint32(r.uint())
	case i > 0 && further == 0:
		e.Index = events[i-1].Index + 1
	default:
		e.Index = 0
	}
	e.Address = known(r, &c.addresses, (*decoder).addr)
	f := r.knownForm(c)
	e.Decoding, e.Name, e.Signature, e.Args = f.decoding, f.name, f.signature, nil
	from, most := len(room), cap(room)
	if f.topics > 0 {
		room = append(room, f.first[:]...)
	}
	for range int(f.topics) - 1 {
		room = r.word(room)
	}
	data := len(room)
	room = r.data(room)
	args := len(room)
	if f.decoding != chain.Raw {
		room = r.args(c, room, from)
		e.Args = room[args:len(room):len(room)]
	}
	e.Topics, e.Data = hashes(room[from:data]), room[data:args:args]
	if len(room) > most {
		r.fail()
	}
	return room
}

// stands reads what the i-th event's block and transaction are.
func (r *decoder) stands(events []chain.Event, i int, at *place, further uint64, sameTx bool) {
	e, block := &events[i], r.next(at, further)
	e.Block, e.Time = block.BlockRef, block.Time
	switch {
	case !sameTx:
		e.TxHash, e.TxIndex = r.hash(), uint32(r.uint())
	case i > 0:
		e.TxHash, e.TxIndex = events[i-1].TxHash, events[i-1].TxIndex
	default:
		r.fail()
	}
}
