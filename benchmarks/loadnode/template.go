package loadnode

import (
	"encoding/hex"
	"strconv"
)

// hole is what a template leaves open: something that the block says.
type hole uint8

const (
	holeNumber   hole = iota // 0x text
	holeHash                 // 0x text
	holeParent               // 0x text
	holeTime                 // 0x text
	holeFork                 // 16 digits
	holeHashTime             // the hash, then the member blockTimestamp: what every log has
	holes
)

// template is JSON with holes. Once made it is read only.
type template struct {
	text []byte
	gaps []gap
	cuts []cut // where the logs begin and end, if it is a list of logs
}

// gap is a hole and where it is in the text.
type gap struct {
	at   int
	what hole
}

// cut is a place in a template.
type cut struct{ text, gap int }

// span is a part of a template.
type span struct{ from, to cut }

func (t *template) whole() span { return span{to: t.here()} }

// log is the part that the i-th log is, without the commas around it.
func (t *template) log(i int) span { return span{t.cuts[2*i], t.cuts[2*i+1]} }

// size is the length of the part at this place.
func (t *template) size(s span, p *place) int {
	n := s.to.text - s.from.text
	for _, g := range t.gaps[s.from.gap:s.to.gap] {
		n += len(p.texts[g.what])
	}
	return n
}

// append appends the part, its holes filled.
func (t *template) append(dst []byte, s span, p *place) []byte {
	at := s.from.text
	for _, g := range t.gaps[s.from.gap:s.to.gap] {
		dst = append(dst, t.text[at:g.at]...)
		dst = append(dst, p.texts[g.what]...)
		at = g.at
	}
	return append(dst, t.text[at:s.to.text]...)
}

// Writing a template.

func (t *template) here() cut { return cut{len(t.text), len(t.gaps)} }
func (t *template) cut()      { t.cuts = append(t.cuts, t.here()) }

func (t *template) add(text string) *template {
	t.text = append(t.text, text...)
	return t
}

func (t *template) raw(json []byte) *template {
	t.text = append(t.text, json...)
	return t
}

func (t *template) hole(what hole) *template {
	t.gaps = append(t.gaps, gap{len(t.text), what})
	return t
}

// bytes adds a JSON string of 0x text.
func (t *template) bytes(b []byte) *template {
	t.text = append(hex.AppendEncode(append(t.text, `"0x`...), b), '"')
	return t
}

// quantity adds a JSON string of a number.
func (t *template) quantity(n uint64) *template {
	t.text = append(appendQuantity(append(t.text, '"'), n), '"')
	return t
}

func appendQuantity(dst []byte, n uint64) []byte {
	return strconv.AppendUint(append(dst, "0x"...), n, 16)
}

func appendHex(dst, b []byte) []byte { return hex.AppendEncode(append(dst, "0x"...), b) }

// place is what a block fills its body's holes with.
type place struct{ texts [holes][]byte }

func (r *record) place() *place {
	var p place
	b := make([]byte, 0, 320)
	fill := func(what hole, write func([]byte) []byte) {
		from := len(b)
		b = write(b)
		p.texts[what] = b[from:len(b):len(b)]
	}
	fill(holeNumber, func(b []byte) []byte { return appendQuantity(b, r.number) })
	fill(holeHash, func(b []byte) []byte { return appendHex(b, r.hash[:]) })
	fill(holeParent, func(b []byte) []byte { return appendHex(b, r.parent[:]) })
	fill(holeTime, func(b []byte) []byte { return appendQuantity(b, r.time) })
	fill(holeFork, func(b []byte) []byte { return hex.AppendEncode(b, r.salt()) })
	fill(holeHashTime, func(b []byte) []byte {
		b = append(append(b, p.texts[holeHash]...), `","blockTimestamp":"`...)
		return append(b, p.texts[holeTime]...)
	})
	return &p
}
