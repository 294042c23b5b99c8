package reorg

import (
	"encoding/binary"
	"errors"
	"fmt"

	"superindex/chain"
)

// The codec of a step's value: a version, a kind, then the fields in the order of
// their declaration; integers as varints, hashes as they are, bytes and lists
// with their length before them. FORMAT.md is its description.
const codecVersion = 1

const (
	kindApply byte = iota + 1
	kindRevert
	kindFill
	kindRows
)

var (
	errCodec   = errors.New("not a step of this journal's format")
	errVersion = errors.New("written by a newer superindex")
)

// appendStep appends s without its journal, stream, Seq and digest, which stand in
// the key and the record around it.
func appendStep(dst []byte, s *chain.Step) ([]byte, error) {
	w := encoder{b: append(dst, codecVersion)}
	switch {
	case s.Apply != nil:
		w.byte(kindApply)
		w.batch(s.Apply)
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
	if w.lost {
		return nil, errors.New("a row names a block that its step does not hold")
	}
	return w.b, nil
}

// parseStep reads what appendStep wrote into s. The step keeps slices of b.
func parseStep(s *chain.Step, b []byte) error {
	r := decoder{b: b}
	if version := r.byte(); version > codecVersion {
		return fmt.Errorf("%w: step format %d, this one knows %d", errVersion, version, codecVersion)
	}
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
	if r.failed || len(r.b) > 0 {
		return fmt.Errorf("%w: %d bytes are left", errCodec, len(r.b))
	}
	return nil
}

// encoder appends to b; it is lost once a row's block is not among the step's.
type encoder struct {
	b    []byte
	lost bool
}

func (w *encoder) byte(v byte)     { w.b = append(w.b, v) }
func (w *encoder) uint(v uint64)   { w.b = binary.AppendUvarint(w.b, v) }
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

// decoder reads from b; after the first fault it is failed and gives zeros.
type decoder struct {
	b      []byte
	failed bool
}

func (r *decoder) raw(n int) []byte {
	if n > len(r.b) || n < 0 {
		r.failed, r.b = true, nil
		return nil
	}
	v := r.b[:n:n]
	r.b = r.b[n:]
	return v
}

func (r *decoder) byte() byte {
	if v := r.raw(1); v != nil {
		return v[0]
	}
	return 0
}

func (r *decoder) bool() bool { return r.byte() != 0 }

func (r *decoder) uint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.failed, r.b = true, nil
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *decoder) bytes() []byte {
	n := r.uint()
	if n > uint64(len(r.b)) {
		r.failed, r.b = true, nil
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
	if n > uint64(len(r.b)/size) {
		r.failed, r.b = true, nil
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
