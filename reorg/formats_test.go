package reorg

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
)

// Every format that is read has a journal in testdata, written and closed by a build of
// its time. Who changes the format first adds that of the one before:
//
//	go test -run TestJournalsOfAllFormats ./reorg -write
var write = flag.Bool("write", false, "write testdata/format-N.tar.gz, N being this build's format")

// TestJournalsOfAllFormats opens a journal of each, finds all that is in it, goes on
// with it, and finds all that again.
func TestJournalsOfAllFormats(t *testing.T) {
	if *write {
		writeJournal(t)
	}
	for version := oldestVersion; version <= codecVersion; version++ {
		t.Run(fmt.Sprint(version), func(t *testing.T) {
			dir := t.TempDir()
			unpack(t, formatFile(version), dir)
			want := writtenSteps()
			j := openIn(t, dir)
			checkWritten(t, j, want)
			next := apply(ref(15, 'b'), 17, 'b', ref(12, 'a'), ref(12, 'a'))
			next.Apply.Events[0].Data = bytes.Repeat([]byte("large"), 20_000)
			mustAppend(t, j, next)
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
			j = openIn(t, dir)
			defer j.Close()
			checkWritten(t, j, append(want, next))
		})
	}
}

func formatFile(version int) string { return fmt.Sprintf("testdata/format-%d.tar.gz", version) }

// writtenSteps are what the journals hold behind their beginning: a step of each kind,
// and one that lies in a file of its own where the format has that.
func writtenSteps() []*chain.Step {
	first := apply(ref(9, 'a'), 12, 'a', ref(9, 'a'), ref(9, 'a'))
	rich(first.Apply)
	large := apply(ref(12, 'a'), 14, 'a', ref(11, 'a'), ref(10, 'a'))
	rich(large.Apply)
	large.Apply.Events[1].Data = bytes.Repeat([]byte("0123456789abcdef"), 5000)
	after := apply(ref(13, 'a'), 15, 'b', ref(12, 'a'), ref(11, 'a'))
	rich(after.Apply)
	return []*chain.Step{
		first, large, revert(ref(13, 'a'), ref(14, 'a')), after,
		{Stream: op, Fill: &chain.Fill{
			From: 10, To: ref(11, 'a'), Addresses: []chain.Address{{5}}, Watch: chain.WatchID{7}, Blocks: first.Apply.Blocks[:1], Events: first.Apply.Events[:1],
			Proof: chain.Proof{Level: chain.LevelBloom, Rows: 1, Digest: 8},
		}},
		{Stream: op, Rows: &chain.Rows{Feed: "coverage", Rows: []chain.Row{{Kind: "coverage", ID: "a/1", Time: 12, Body: []byte(`{"level":"none"}`)}}}},
	}
}

// rich gives a batch something in every field.
func rich(b *chain.Batch) {
	b.Moved, b.Watch, b.Proof = true, chain.WatchID{7}, chain.Proof{Level: chain.LevelLink, Rows: uint32(len(b.Events)), Digest: 9}
	for i := range b.Events {
		e := &b.Events[i]
		e.TxHash, e.TxIndex, e.Address = chain.Hash{1, byte(e.Index)}, 3, chain.Address{5, byte(i % 2)}
		e.Topics = []chain.Hash{{2}, {3, byte(i)}}
		if i > 0 {
			e.Decoding, e.Name, e.Signature, e.Args = chain.Decoded, "Transfer", "Transfer(address,address,uint256)", []byte(`{"value":"1"}`)
		}
	}
	last := &b.Blocks[len(b.Blocks)-1]
	last.Parent, last.Txs, last.Logs, last.WatchedLogs = ref(last.Number-1, 'a').Hash, chain.Known(4), chain.Known(0), 1
	b.Transactions = []chain.Tx{{
		Block: last.BlockRef, Time: last.Time, Hash: chain.Hash{1, byte(last.Number)}, Index: 3, From: chain.Address{6}, To: &chain.Address{5},
		Status: 1, GasUsed: 21_000, EffectiveGasPrice: [32]byte{31: 7}, Method: [4]byte{0xa9, 5, 9, 0xcb},
	}}
}

// checkWritten finds the steps behind the beginning, and what they lead to.
func checkWritten(t *testing.T, j *Journal, want []*chain.Step) {
	t.Helper()
	got := read(t, j, 0)
	if len(got) != 1+len(want) || got[0].Revert == nil || got[0].Revert.Cause != chain.Begin {
		t.Fatalf("%d steps, the first %+v; want a beginning and %d", len(got), got[0], len(want))
	}
	for i, s := range want {
		bare := chain.Step{Apply: got[i+1].Apply, Revert: got[i+1].Revert, Fill: got[i+1].Fill, Rows: got[i+1].Rows}
		if a, b := asJSON(t, bare), asJSON(t, chain.Step{Apply: s.Apply, Revert: s.Revert, Fill: s.Fill, Rows: s.Rows}); !bytes.Equal(a, b) {
			t.Errorf("step %d: %s\nwant %s", i, a, b)
		}
	}
	head := want[len(want)-1].Apply
	if head == nil {
		head = want[3].Apply
	}
	tracker, err := j.Tracker(op.Name)
	if err != nil || tracker.Head() != head.Last || tracker.Final() != head.Final {
		t.Errorf("the window's head is %v, final %v (%v); want %v, %v", tracker.Head(), tracker.Final(), err, head.Last, head.Final)
	}
	if set, err := j.Watch(op.Name); err != nil || !slices.Equal(set, []chain.Address{{5}, {5, 1}}) {
		t.Errorf("the watch set is %v, %v", set, err)
	}
	held := got[3] // of a sink that goes on from there
	pos := chain.Position{Journal: held.Journal, Seq: held.Seq, Digest: held.Digest, High: held.Seq, HighDigest: held.Digest}
	if after, err := j.Resume(op.Name, "ch", pos); err != nil || after != held.Seq {
		t.Errorf("a sink that holds step %d goes on after %d: %v", held.Seq, after, err)
	}
}

func openIn(t *testing.T, dir string) *Journal {
	t.Helper()
	o := options(vfs.Default)
	o.Keep = 1 << 62 // nothing is trimmed
	j, err := Open(filepath.Join(dir, "journal"), o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// writeJournal writes this build's.
func writeJournal(t *testing.T) {
	t.Helper()
	dir := t.TempDir()
	j := openIn(t, dir)
	_, err := j.Begin(t.Context(), Beginning{
		Stream: op, Start: 10, To: ref(9, 'a'), Sinks: map[string]chain.Position{"ch": {}}, Whole: true, Set: []chain.Address{{5}, {5, 1}},
	})
	if err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, writtenSteps()...)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	pack(t, dir, formatFile(codecVersion))
}

func pack(t *testing.T, dir, name string) {
	t.Helper()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	w := tar.NewWriter(z)
	if err := errors.Join(w.AddFS(os.DirFS(dir)), w.Close(), z.Close(), os.WriteFile(name, packed.Bytes(), 0o644)); err != nil {
		t.Fatal(err)
	}
}

func unpack(t *testing.T, name, dir string) {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		head, err := r.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, head.Name)
		if head.Typeflag == tar.TypeDir {
			err = os.MkdirAll(path, 0o755)
		} else if err = os.MkdirAll(filepath.Dir(path), 0o755); err == nil {
			var body []byte
			if body, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(path, body, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
