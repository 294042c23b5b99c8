package clickhouse

import (
	"encoding/binary"

	"github.com/ClickHouse/ch-go/proto"

	"superindex/chain"
)

// The columns of an INSERT, as they go over the wire: what is appended to them is
// sent as it lies, without a copy in between, and they are reused block by block.

// text is a column of type String: every value with its length before it.
type text struct {
	buffer []byte
	rows   int
}

func (t *text) Type() proto.ColumnType       { return proto.ColumnTypeString }
func (t *text) Rows() int                    { return t.rows }
func (t *text) EncodeColumn(b *proto.Buffer) { b.PutRaw(t.buffer) }
func (t *text) WriteColumn(w *proto.Writer)  { w.ChainWrite(t.buffer) }
func (t *text) Reset()                       { t.buffer, t.rows = t.buffer[:0], 0 }
func (t *text) string(v string)              { t.begin(len(v)); t.buffer = append(t.buffer, v...) }
func (t *text) bytes(v []byte)               { t.begin(len(v)); t.buffer = append(t.buffer, v...) }
func (t *text) hex(v []byte)                 { t.begin(2 + 2*len(v)); t.buffer = chain.AppendHex(t.buffer, v) }

func (t *text) begin(length int) {
	t.buffer = binary.AppendUvarint(t.buffer, uint64(length))
	t.rows++
}

// address is nothing for one that is not there.
func (t *text) address(a *chain.Address) {
	if a == nil {
		t.string("")
		return
	}
	t.hex(a[:])
}

// hash is nothing for one that is not known.
func (t *text) hash(h *chain.Hash) {
	if *h == (chain.Hash{}) {
		t.string("")
		return
	}
	t.hex(h[:])
}

// words is a column of type LowCardinality(String): the words of a block once, and
// which of them each row has.
type words[K comparable] struct {
	places map[K]uint32
	keys   []K         // by their places
	near   [256]uint32 // where a word that looks so may be, which spares the map
	values text
	rows   proto.ColUInt32
}

func newWords[K comparable]() *words[K] { return &words[K]{places: map[K]uint32{}} }

// add is for so many rows, and says whether the word is new to the block: then its text
// is to be put. Words that differ should look different.
func (c *words[K]) add(word K, looks byte, rows int) (fresh bool) {
	near := &c.near[looks]
	if int(*near) >= len(c.keys) || c.keys[*near] != word {
		place, known := c.places[word]
		if fresh = !known; fresh {
			place = uint32(len(c.keys))
			c.places[word], c.keys = place, append(c.keys, word)
		}
		*near = place
	}
	c.rows = repeated(c.rows, *near, rows)
	return fresh
}

// repeated appends so many of the value.
func repeated[S ~[]V, V any](s S, v V, times int) S {
	for range times {
		s = append(s, v)
	}
	return s
}

func (c *words[K]) Type() proto.ColumnType {
	return proto.ColumnTypeLowCardinality.Sub(proto.ColumnTypeString)
}

func (c *words[K]) Rows() int { return len(c.rows) }

func (c *words[K]) Reset() {
	c.rows = c.rows[:0]
	c.values.Reset()
	clear(c.places)
	clear(c.keys)
	c.keys = c.keys[:0]
}

// EncodeState writes the version of how the words are sent.
func (c *words[K]) EncodeState(b *proto.Buffer) { b.PutInt64(1) }

func (c *words[K]) head(b *proto.Buffer) {
	const ownWords, replaceWords = 1 << 9, 1 << 10
	b.PutInt64(ownWords | replaceWords | int64(proto.KeyUInt32))
	b.PutInt64(int64(c.values.rows))
}

func (c *words[K]) EncodeColumn(b *proto.Buffer) {
	c.head(b)
	c.values.EncodeColumn(b)
	b.PutInt64(int64(len(c.rows)))
	c.rows.EncodeColumn(b)
}

func (c *words[K]) WriteColumn(w *proto.Writer) {
	w.ChainBuffer(c.head)
	c.values.WriteColumn(w)
	w.ChainBuffer(func(b *proto.Buffer) { b.PutInt64(int64(len(c.rows))) })
	c.rows.WriteColumn(w)
}

// word adds rows of a word that is its own text.
func word(c *words[string], v string, rows int) {
	looks := byte(len(v))
	if v != "" {
		looks += 31 * v[0]
	}
	if c.add(v, looks, rows) {
		c.values.string(v)
	}
}

// hashes is a column of type FixedString(32).
type hashes struct{ buffer []byte }

func (c *hashes) Type() proto.ColumnType       { return "FixedString(32)" }
func (c *hashes) Rows() int                    { return len(c.buffer) / len(chain.Hash{}) }
func (c *hashes) EncodeColumn(b *proto.Buffer) { b.PutRaw(c.buffer) }
func (c *hashes) WriteColumn(w *proto.Writer)  { w.ChainWrite(c.buffer) }
func (c *hashes) Reset()                       { c.buffer = c.buffer[:0] }
func (c *hashes) add(h *chain.Hash)            { c.buffer = append(c.buffer, h[:]...) }

// hashLists is a column of type Array(FixedString(32)).
type hashLists struct {
	ends   proto.ColUInt64
	values hashes
}

func (c *hashLists) Type() proto.ColumnType { return c.values.Type().Array() }
func (c *hashLists) Rows() int              { return len(c.ends) }

func (c *hashLists) add(list []chain.Hash) {
	for i := range list {
		c.values.add(&list[i])
	}
	c.ends = append(c.ends, uint64(c.values.Rows()))
}

func (c *hashLists) Reset() {
	c.ends = c.ends[:0]
	c.values.Reset()
}

func (c *hashLists) EncodeColumn(b *proto.Buffer) {
	c.ends.EncodeColumn(b)
	c.values.EncodeColumn(b)
}

func (c *hashLists) WriteColumn(w *proto.Writer) {
	c.ends.WriteColumn(w)
	c.values.WriteColumn(w)
}

// seconds is a column of type DateTime.
type seconds struct{ proto.ColUInt32 }

func (seconds) Type() proto.ColumnType { return "DateTime('UTC')" }
func (c *seconds) add(s uint64)        { c.ColUInt32 = append(c.ColUInt32, uint32(s)) }

// choices is a column of an Enum8, by its numbers.
type choices struct {
	proto.ColUInt8
	of proto.ColumnType
}

func (c choices) Type() proto.ColumnType { return c.of }

// counts is a column of type Nullable(UInt32).
type counts struct{ *proto.ColNullable[uint32] }

func newCounts() counts { return counts{proto.NewColNullable(new(proto.ColUInt32))} }

// add is NULL for a count that was not read.
func (c counts) add(count chain.Count) {
	n, ok := count.Get()
	c.Append(proto.Nullable[uint32]{Value: n, Set: ok})
}

// The columns of a single row.

func number(name string, n uint64) proto.InputColumn { return in(name, &proto.ColUInt64{n}) }

func string1(name, v string) proto.InputColumn {
	c := new(text)
	c.string(v)
	return in(name, c)
}

func word1(name, v string) proto.InputColumn {
	c := newWords[string]()
	word(c, v, 1)
	return in(name, c)
}

// Columns with a value of each of some things.

func numbers[T any](all []T, name string, of func(T) uint64) proto.InputColumn {
	c := new(proto.ColUInt64)
	for i := range all {
		c.Append(of(all[i]))
	}
	return in(name, c)
}

func texts[T any](all []T, name string, of func(T) string) proto.InputColumn {
	c := new(text)
	for i := range all {
		c.string(of(all[i]))
	}
	return in(name, c)
}
