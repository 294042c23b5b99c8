package reorg

import (
	"reflect"
	"testing"

	"superindex/chain"
)

// FuzzKeys: whatever the bytes under a key, parsing ends, makes no more than they
// justify, and what it takes for a value is written and read again as it was.
func FuzzKeys(f *testing.F) {
	position := chain.Position{Journal: chain.JournalID{1, 2}, Seq: 7 << 20, Digest: 1 << 63, High: 7<<20 + 1, HighDigest: 3}
	whole := record{
		stream: op, head: 7 << 20, digest: 1 << 63, cut: 7, cutDigest: 5, total: 9 << 30, trimmed: 8 << 30, start: 105_235_063,
		safe: ref(9, 'a'), final: ref(8, 'a'), whole: true, watch: chain.WatchID{3},
	}
	owed := []Owed{{From: 1, To: 9, Addresses: []chain.Address{{1}, {2}}}, {From: 4, To: 4, Addresses: []chain.Address{{3}}}}
	for _, b := range [][]byte{
		whole.encode(), takeover{position, 7<<20 + 1}.encode(), encodeOwed(owed), encodeOwed(nil), mark{digest: 1 << 63, total: 9 << 30, time: 1_700_000_000}.encode(),
	} {
		f.Add(b)
	}
	at := seqKey(spaceMark, op.Name, 7)
	f.Fuzz(func(t *testing.T, b []byte) {
		again(t, b, parseRecord, func(c record) []byte { return c.encode() })
		again(t, b, parseTakeover, takeover.encode)
		again(t, b, func(b []byte) (mark, error) { return parseMark(at, b) }, mark.encode)
		again(t, b, parseOwed, encodeOwed)
		owed, _ := parseOwed(b)
		size := 3 * len(owed)
		for _, o := range owed {
			size += len(o.Addresses) * len(chain.Address{})
		}
		if size > len(b) {
			t.Errorf("%d bytes became %d ranges, of %d bytes at least", len(b), len(owed), size)
		}
	})
}

// again checks that what was read of b is read of what it is written as.
func again[T any](t *testing.T, b []byte, parse func([]byte) (T, error), encode func(T) []byte) {
	t.Helper()
	v, err := parse(b)
	if err != nil {
		return
	}
	if got, err := parse(encode(v)); err != nil || !reflect.DeepEqual(got, v) {
		t.Errorf("%x is %+v, and again %+v, %v", b, v, got, err)
	}
}
