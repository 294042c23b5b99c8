package reorg

import (
	"encoding/binary"
	"errors"
	"fmt"

	"superindex/chain"
)

// The codec of a step's value: a version, a kind, then the fields in the order of
// their declaration; integers as varints, hashes as they are, bytes and lists
// with their length before them. What many events of a step share is written once, and an
// event takes a third of the bytes that it has.
// FORMAT.md is its description.
const (
	codecVersion  = 5
	oldestVersion = 2 // has no step elsewhere, 3 none whose key holds its beginning, 4 plainEvents; the rest is the same
	plainVersion  = 4 // the last that has plainEvents
)

const (
	kindApply byte = iota + 1
	kindRevert
	kindFill
	kindRows
	kindElsewhere // no step, but where it is
)

var (
	errCodec = errors.New("not a step of this journal's format")
	errLost  = errors.New("a row names a block that its step does not hold")
)

// checkVersion refuses what this version does not read.
func checkVersion(version byte) error {
	who := "an older"
	switch {
	case oldestVersion <= version && version <= codecVersion:
		return nil
	case version > codecVersion:
		who = "a newer"
	}
	return chain.Fatal(fmt.Errorf("written by %s superindex: format %d, this one reads %d", who, version, codecVersion),
		"run that one, or give this one another data_dir")
}

// appendStep appends s without its journal, stream, Seq and digest, which stand in
// the key and the record around it.
func appendStep(dst []byte, s *chain.Step) ([]byte, error) {
	w := encoder{b: append(dst, codecVersion)}
	switch {
	case s.Apply != nil:
		w.applied(s.Apply)
		w.added(s.Apply)
	case s.Revert != nil:
		w.byte(kindRevert)
		w.revert(s.Revert)
	case s.Fill != nil:
		w.byte(kindFill)
		w.fill(s.Fill)
	case s.Rows != nil:
		w.byte(kindRows)
		w.rows(s.Rows)
	}
	return w.b, w.fault
}

// appendHead appends the beginning of an Apply, behind which comes what was drafted.
func appendHead(dst []byte, s *chain.Step) []byte {
	w := encoder{b: append(dst, codecVersion)}
	w.applied(s.Apply)
	return w.b
}

// parseStep reads what appendStep wrote into s. The step's bytes and topics lie in b, its
// events in m.
func parseStep(s *chain.Step, b []byte, m *memory) error {
	r := decoder{b: b, memory: m}
	version := r.byte()
	if err := checkVersion(version); err != nil {
		return err
	}
	r.plain = version <= plainVersion
	switch kind := r.byte(); kind {
	case kindApply:
		s.Apply = r.batch()
	case kindRevert:
		s.Revert = r.revert()
	case kindFill:
		s.Fill = r.fill()
	case kindRows:
		s.Rows = r.rows()
	default:
		return fmt.Errorf("%w: kind %d", errCodec, kind)
	}
	if r.failed || r.left() > 0 {
		return fmt.Errorf("%w: %d bytes are left", errCodec, r.left())
	}
	return nil
}

// encoder appends to b. After a fault, the first of which it keeps, what it has is of no use.
type encoder struct {
	b     []byte
	fault error
	ready func([]chain.Event) // is called with some events before they are appended; may be nil
	spill func([]byte) error  // takes what was appended, once it is enough; nil where b takes all
}

// spilled empties b where it holds enough.
func (w *encoder) spilled() {
	if w.spill == nil || len(w.b) < writtenAtOnce {
		return
	}
	if w.fault == nil {
		w.fault = w.spill(w.b)
	}
	w.b = w.b[:0]
}

func (w *encoder) byte(v byte) { w.b = append(w.b, v) }

func (w *encoder) uint(v uint64) {
	if v < 0x80 { // what most are
		w.b = append(w.b, byte(v))
		return
	}
	w.b = binary.AppendUvarint(w.b, v)
}

func (w *encoder) raw(v []byte)    { w.b = append(w.b, v...) }
func (w *encoder) bytes(v []byte)  { w.uint(uint64(len(v))); w.raw(v) }
func (w *encoder) string(v string) { w.uint(uint64(len(v))); w.b = append(w.b, v...) }
func (w *encoder) ref(v chain.BlockRef) {
	w.uint(v.Number)
	w.raw(v.Hash[:])
}

func (w *encoder) bool(v bool) {
	if v {
		w.byte(1)
	} else {
		w.byte(0)
	}
}

func (w *encoder) address(a *chain.Address) {
	w.bool(a != nil)
	if a != nil {
		w.raw(a[:])
	}
}

func (w *encoder) addresses(list []chain.Address) {
	w.uint(uint64(len(list)))
	for i := range list {
		w.raw(list[i][:])
	}
}

// seen numbers the values of a list as they come, so that each is written once.
type seen[K comparable] struct {
	places map[K]uint64
	values []K         // by their places
	near   [256]uint64 // where a value that looks so may be, which spares the map
}

func newSeen[K comparable]() *seen[K] { return &seen[K]{places: map[K]uint64{}} }

// place is the value's number; the first time it is fresh. Values that differ should look
// different.
func (s *seen[K]) place(k K, looks byte) (n uint64, fresh bool) {
	near := &s.near[looks]
	if *near < uint64(len(s.values)) && s.values[*near] == k {
		return *near, false
	}
	n, known := s.places[k]
	if !known {
		n = uint64(len(s.places))
		s.places[k], s.values = n, append(s.values, k)
	}
	*near = n
	return n, !known
}

// known reads a value's number, and the value where it is a new one.
func known[K any](r *decoder, values *[]K, read func(*decoder) K) (v K) {
	switch n := r.uint(); {
	case n < uint64(len(*values)):
		return (*values)[n]
	case n > uint64(len(*values)):
		r.fail()
		return v
	}
	*values = append(*values, read(r))
	return (*values)[len(*values)-1]
}

// decoder reads from b; after the first fault it is failed and gives zeros. It counts
// what it has read and leaves b alone: a pointer that is written for each value is
// one that the collector is told of each time.
type decoder struct {
	b      []byte
	at     int
	failed bool
	plain  bool    // the events are plainEvents
	memory *memory // for events
}

func (r *decoder) fail() { r.failed, r.at = true, len(r.b) }

// left is how many bytes are not read yet.
func (r *decoder) left() int { return len(r.b) - r.at }

func (r *decoder) raw(n int) []byte {
	if n > r.left() || n < 0 {
		r.fail()
		return nil
	}
	r.at += n
	return r.b[r.at-n : r.at : r.at]
}

func (r *decoder) byte() byte {
	if at := r.at; uint(at) < uint(len(r.b)) {
		r.at = at + 1
		return r.b[at]
	}
	r.fail()
	return 0
}

func (r *decoder) bool() bool { return r.byte() != 0 }

func (r *decoder) uint() uint64 {
	if at := r.at; uint(at) < uint(len(r.b)) && r.b[at] < 0x80 { // what most are
		r.at = at + 1
		return uint64(r.b[at])
	}
	return r.uvarint()
}

// uvarint is uint for any, which is too long to be inlined.
func (r *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(r.b[r.at:])
	if n <= 0 {
		r.fail()
		return 0
	}
	r.at += n
	return v
}

func (r *decoder) bytes() []byte {
	n := r.uint()
	if n > uint64(r.left()) {
		r.fail()
		return nil
	}
	return r.raw(int(n))
}

func (r *decoder) string() string { return string(r.bytes()) }

func (r *decoder) hash() (h chain.Hash) {
	copy(h[:], r.raw(len(h)))
	return h
}

func (r *decoder) ref() chain.BlockRef { return chain.BlockRef{Number: r.uint(), Hash: r.hash()} }

func (r *decoder) addr() (a chain.Address) {
	copy(a[:], r.raw(len(a)))
	return a
}

func (r *decoder) address() *chain.Address {
	if !r.bool() {
		return nil
	}
	a := r.addr()
	return &a
}

// length reads the length of a list whose items take at least size bytes each, so
// that a broken length cannot ask for more memory than the value has bytes.
func (r *decoder) length(size int) int {
	n := r.uint()
	if n > uint64(r.left()/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *decoder) addresses() (list []chain.Address) {
	for range r.length(len(chain.Address{})) {
		list = append(list, r.addr())
	}
	return list
}
