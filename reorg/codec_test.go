package reorg

import (
	"bytes"
	"encoding/json"
	"math/rand" //nolint:depguard // testing/quick takes version 1
	"reflect"
	"strings"
	"testing"
	"testing/quick"

	"superindex/chain"
)

// randomSteps are one of each kind, every field set, from a seed.
func randomSteps(t testing.TB, seed uint64) []chain.Step {
	t.Helper()
	rng := rand.New(rand.NewSource(int64(seed)))
	random := func(v any) {
		value, ok := quick.Value(reflect.TypeOf(v).Elem(), rng)
		if !ok {
			t.Fatalf("no random %T", v)
		}
		reflect.ValueOf(v).Elem().Set(value)
	}
	var batch chain.Batch
	var revert chain.Revert
	var fill chain.Fill
	var rows chain.Rows
	random(&batch)
	random(&revert)
	random(&fill)
	random(&rows)
	batch.Blocks = append(batch.Blocks, chain.Block{})
	fill.Blocks = append(fill.Blocks, chain.Block{})
	tame(batch.Blocks, batch.Events)
	tame(fill.Blocks, fill.Events)
	last := batch.Blocks[len(batch.Blocks)-1]
	for i := range batch.Transactions {
		batch.Transactions[i].Block, batch.Transactions[i].Time = last.BlockRef, last.Time
	}
	batch.Proof.Level, fill.Proof.Level, revert.Cause = chain.LevelBloom, chain.LevelReceipts, chain.Rewind
	return []chain.Step{{Apply: &batch}, {Revert: &revert}, {Fill: &fill}, {Rows: &rows}}
}

// tame makes the rows such as a step can hold them.
func tame(blocks []chain.Block, events []chain.Event) {
	for i := range events {
		e, b := &events[i], blocks[min(i, len(blocks)-1)]
		e.Block, e.Time, e.Decoding = b.BlockRef, b.Time, chain.Decoding(i%3)
		e.Topics = e.Topics[:min(4, len(e.Topics))]
		if e.Decoding == chain.Raw {
			e.Name, e.Signature, e.Args = "", "", nil
		}
	}
}

func TestCodecRoundTrip(t *testing.T) {
	for seed := range uint64(50) {
		for i, want := range randomSteps(t, seed) {
			b, err := appendStep(nil, &want)
			if err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
			var got chain.Step
			if err := parseStep(&got, b, new(memory)); err != nil {
				t.Fatalf("seed %d, step %d: %v", seed, i, err)
			}
			if a, b := asJSON(t, want), asJSON(t, got); !bytes.Equal(a, b) {
				t.Fatalf("seed %d, step %d:\nwrote %s\nread  %s", seed, i, a, b)
			}
			for cut := range b {
				if parseStep(&chain.Step{}, b[:cut], new(memory)) == nil {
					t.Fatalf("seed %d, step %d: its first %d of %d bytes were taken for a step", seed, i, cut, len(b))
				}
			}
		}
	}
}

func asJSON(t testing.TB, s chain.Step) []byte {
	t.Helper()
	b, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	return bytes.ReplaceAll(b, []byte("[]"), []byte("null"))
}

// A value that looks as others do has its own number all the same, and one that looks other
// than before the one it had.
func TestSameFormElsewhere(t *testing.T) {
	names := newSeen[form]()
	for i := range 1000 {
		signature := strings.Repeat("x", i/10)
		f := form{decoding: chain.Decoded, name: "name", signature: strings.Clone(signature)}
		if n, fresh := names.place(f, byte(i%7)); n != uint64(i/10) || fresh != (i%10 == 0) {
			t.Fatalf("place %d, fresh %v, of %d", n, fresh, i)
		}
		if n, fresh := names.place(f, byte(i%3)); n != uint64(i/10) || fresh {
			t.Fatalf("again: place %d, fresh %v, of %d", n, fresh, i)
		}
	}
	other := form{decoding: chain.Ambiguous, name: "name", signature: strings.Repeat("x", 99)}
	if n, fresh := names.place(other, 0); n != 100 || !fresh {
		t.Errorf("another one: place %d, fresh %v", n, fresh)
	}
}

func TestNewerFormatIsRefused(t *testing.T) {
	if err := parseStep(&chain.Step{}, []byte{codecVersion + 1, kindRows, 0, 0}, new(memory)); err == nil {
		t.Fatal("a newer step was read")
	}
}

// FuzzParseStep: whatever the bytes, parsing ends, asks for no more memory than
// they justify, and what it takes for a step is written back as it was.
func FuzzParseStep(f *testing.F) {
	few := transfers(ref(0, 'a'), 1)
	few.Apply.Events = few.Apply.Events[:5]
	b, err := appendStep(nil, few)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	for seed := range uint64(3) {
		for _, s := range randomSteps(f, seed) {
			b, err := appendStep(nil, &s)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var s, again chain.Step
		if parseStep(&s, b, new(memory)) != nil {
			return
		}
		out, err := appendStep(nil, &s)
		if err != nil {
			return // rows in an order that the encoder never gives them
		}
		if err := parseStep(&again, out, new(memory)); err != nil || !bytes.Equal(asJSON(t, s), asJSON(t, again)) {
			t.Fatalf("%x became %x: %v", b, out, err)
		}
	})
}

func BenchmarkAppendStep(b *testing.B) {
	s := apply(ref(0, 'a'), 1000, 'a', chain.BlockRef{}, chain.BlockRef{})
	var buf []byte
	for b.Loop() {
		buf, _ = appendStep(buf[:0], s)
	}
	b.ReportMetric(float64(b.N)*1000/b.Elapsed().Seconds(), "events/s")
}
