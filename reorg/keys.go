package reorg

import (
	"bytes"
	"encoding/binary"

	"superindex/chain"
)

// The key spaces; FORMAT.md describes them. Every key but the first is a letter,
// the stream's name, a zero byte and the rest.
const (
	keyFormat = "m"       // -> version, journal id
	spaceStep = byte('s') // seq -> digest, step
	spaceMark = byte('k') // seq -> digest, total bytes, time
	spaceHash = byte('h') // block number -> hash, the window
	spaceHead = byte('w') // -> record
	spaceTake = byte('p') // sink -> takeover
	spaceSet  = byte('v') // -> watched addresses
	spaceOwed = byte('o') // -> history that late addresses lack
	spaceNote = byte('n') // name -> whatever was noted with a step
)

func key(space byte, stream string, rest ...byte) []byte {
	k := make([]byte, 0, 2+len(stream)+len(rest))
	k = append(append(k, space), stream...)
	return append(append(k, 0), rest...)
}

func seqKey(space byte, stream string, n uint64) []byte {
	return binary.BigEndian.AppendUint64(key(space, stream), n)
}

// after is the lowest key above every key of the stream in this space.
func after(space byte, stream string) []byte {
	k := key(space, stream)
	k[len(k)-1] = 1
	return k
}

// tail is the number at a key's end.
func tail(k []byte) uint64 { return binary.BigEndian.Uint64(k[len(k)-8:]) }

// streamOf is the stream's name in a key.
func streamOf(k []byte) string {
	name, _, _ := bytes.Cut(k[1:], []byte{0})
	return string(name)
}

// record is what stands under spaceHead: where a stream is.
type record struct {
	stream      chain.Stream
	head        chain.Seq // of the last step; 0 before Begin
	digest      uint64    // of the last step
	cut         chain.Seq // of the newest step that was trimmed; 0 if none
	cutDigest   uint64
	total       uint64 // bytes of all steps ever appended
	trimmed     uint64 // of those, bytes no longer here
	start       uint64 // the first block asked for, resolved once
	safe, final chain.BlockRef
	whole       bool // the first step began at start: a sink that holds nothing may begin with it
	watch       chain.WatchID
}

// Owed is history that a late address still lacks.
type Owed struct {
	From, To  uint64 // blocks, both included
	Addresses []chain.Address
}

func (c *record) encode() []byte {
	w := encoder{b: []byte{codecVersion}}
	w.string(c.stream.Name)
	for _, v := range []uint64{c.stream.ChainID, uint64(c.head), c.digest, uint64(c.cut), c.cutDigest, c.total, c.trimmed, c.start} {
		w.uint(v)
	}
	w.ref(c.safe)
	w.ref(c.final)
	w.raw(c.watch[:])
	w.bool(c.whole)
	return w.b
}

func parseRecord(b []byte) (c record, err error) {
	r := decoder{b: b}
	if err := checkVersion(r.byte()); err != nil {
		return c, err
	}
	c.stream = chain.Stream{Name: r.string(), ChainID: r.uint()}
	c.head, c.digest = chain.Seq(r.uint()), r.uint()
	c.cut, c.cutDigest = chain.Seq(r.uint()), r.uint()
	c.total, c.trimmed, c.start = r.uint(), r.uint(), r.uint()
	c.safe, c.final = r.ref(), r.ref()
	copy(c.watch[:], r.raw(len(c.watch)))
	c.whole = r.bool()
	if r.failed {
		return c, errCodec
	}
	return c, nil
}

// takeover says that a sink which holds exactly Was continues with the step At.
type takeover struct {
	was chain.Position
	at  chain.Seq
}

// fits: no step has been written to the sink since.
func (v takeover) fits(pos chain.Position) bool {
	return pos.Journal == v.was.Journal && pos.Seq == v.was.Seq && pos.Digest == v.was.Digest
}

func (v takeover) encode() []byte {
	w := encoder{}
	w.raw(v.was.Journal[:])
	w.uint(uint64(v.was.Seq))
	w.uint(v.was.Digest)
	w.uint(uint64(v.was.High))
	w.uint(v.was.HighDigest)
	w.uint(uint64(v.at))
	return w.b
}

func parseTakeover(b []byte) (v takeover, err error) {
	r := decoder{b: b}
	copy(v.was.Journal[:], r.raw(len(v.was.Journal)))
	v.was.Seq, v.was.Digest = chain.Seq(r.uint()), r.uint()
	v.was.High, v.was.HighDigest = chain.Seq(r.uint()), r.uint()
	v.at = chain.Seq(r.uint())
	if r.failed {
		return v, errCodec
	}
	return v, nil
}

func encodeOwed(owed []Owed) []byte {
	w := encoder{}
	w.uint(uint64(len(owed)))
	for _, o := range owed {
		w.uint(o.From)
		w.uint(o.To)
		w.addresses(o.Addresses)
	}
	return w.b
}

func parseOwed(b []byte) (owed []Owed, err error) {
	r := decoder{b: b}
	for range r.length(3) {
		owed = append(owed, Owed{From: r.uint(), To: r.uint(), Addresses: r.addresses()})
	}
	if r.failed {
		return nil, errCodec
	}
	return owed, nil
}

// mark says how far the journal had come at a step: trimming goes from mark to
// mark, so that no step is read to learn its size or age.
type mark struct {
	seq    chain.Seq
	digest uint64
	total  uint64 // bytes of all steps up to this one
	time   int64  // seconds since 1970
}

func (m mark) encode() []byte {
	w := encoder{}
	w.uint(m.digest)
	w.uint(m.total)
	w.uint(uint64(m.time))
	return w.b
}

func parseMark(k, b []byte) (mark, error) {
	r := decoder{b: b}
	m := mark{seq: chain.Seq(tail(k)), digest: r.uint(), total: r.uint(), time: int64(r.uint())}
	if r.failed {
		return m, errCodec
	}
	return m, nil
}
