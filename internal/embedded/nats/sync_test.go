package nats

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

// Where the server has its files is the server's own affair: this fails where
// another version of it has them elsewhere.
func TestSyncFindsTheServersFiles(t *testing.T) {
	s := start(t, Options{Dir: t.TempDir()})
	u := s.Users()
	_, js := connect(t, s, u.Full, u.FullPassword)
	if err := s.Sync("S"); err == nil {
		t.Error("synced a stream that is not there")
	}
	if _, err := js.CreateStream(t.Context(), jetstream.StreamConfig{Name: "S", Subjects: []string{"superindex.>"}}); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := js.Publish(t.Context(), "superindex.a", []byte("kept")); err != nil {
			t.Fatal(err)
		}
		if err := s.Sync("S"); err != nil {
			t.Fatal(err)
		}
		block, err := os.ReadFile(filepath.Join(s.files.folder("S"), "msgs", "1.blk"))
		if err != nil || len(block) == 0 || s.files.synced["S"].block != 1 {
			t.Errorf("block %d, %d bytes, %v", s.files.synced["S"].block, len(block), err)
		}
	}
}

func TestSyncGoesOnWithTheLastBlock(t *testing.T) {
	f := newFiles(t.TempDir())
	folder := filepath.Join(f.folder("S"), "msgs")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		remove, add []int
		last        int
	}{
		{nil, []int{8, 9, 10}, 10},
		{nil, nil, 10},
		{[]int{8, 9}, []int{11, 12}, 12},
		{[]int{10, 11, 12}, []int{14}, 14}, // all were removed meanwhile
		{nil, nil, 14},
		{nil, []int{16, 17}, 17}, // 15 was
	} {
		for _, block := range c.remove {
			if err := os.Remove(filepath.Join(folder, strconv.Itoa(block)+".blk")); err != nil {
				t.Fatal(err)
			}
		}
		for _, block := range c.add {
			if err := os.WriteFile(filepath.Join(folder, strconv.Itoa(block)+".blk"), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if long := time.Now().Add(-time.Hour); len(c.remove)+len(c.add) == 0 { // else the folder changed just now
			if err := os.Chtimes(folder, long, long); err != nil {
				t.Fatal(err)
			}
		}
		if err := f.sync("S", 0); err != nil || f.synced["S"].block != c.last {
			t.Errorf("synced up to %d, %v; the last is %d", f.synced["S"].block, err, c.last)
		}
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := f.sync("S", 0); err == nil {
		t.Error("synced messages that are not there")
	}
}

// A stream that has got little shares a sync of the disk that its files lie on; the others
// sync their files.
func TestLittleSharesASync(t *testing.T) {
	f, disk := newFiles(t.TempDir()), new(countedDisk)
	f.disk = disk
	folder := f.messages("S")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		last  uint64 // message
		block int    // that is there from now on
		want  place
		syncs int // of the disk, so far
	}{
		{10, 1, place{message: 10, block: 1}, 0}, // the first
		{10 + sharedMessages, 2, place{message: 10 + sharedMessages, block: 1}, 1},
		{11 + 2*sharedMessages, 3, place{message: 11 + 2*sharedMessages, block: 3}, 1},
		{12 + 2*sharedMessages, 3, place{message: 12 + 2*sharedMessages, block: 3}, 2},
		{5, 3, place{message: 5, block: 3}, 2}, // somebody made the stream anew
	} {
		if err := os.WriteFile(blockPath(folder, c.block), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		err := f.sync("S", c.last)
		got := f.synced["S"]
		if got.changed = (time.Time{}); err != nil || got != c.want || disk.syncs != c.syncs {
			t.Errorf("up to message %d: %+v, want %+v; %d syncs of the disk, want %d; %v", c.last, got, c.want, disk.syncs, c.syncs, err)
		}
	}
	disk.err = chain.Fatal(errors.New("input/output error"), "mend it")
	for _, last := range []uint64{6, 6 + sharedMessages} { // shared, and not
		if err := f.sync("S", last); !errors.Is(err, disk.err) || f.synced["S"].message != 5 {
			t.Errorf("a disk that failed: %v, synced up to message %d", err, f.synced["S"].message)
		}
	}
}

// countedDisk counts its syncs, which fail with err.
type countedDisk struct {
	syncs int
	err   error
}

func (*countedDisk) Holds(string) bool { return true }

func (d *countedDisk) Sync(time.Duration) error {
	d.syncs++
	return d.err
}

// What the disk could not write once is not believed later.
func TestSyncThatFailedOnceFails(t *testing.T) {
	f := newFiles(t.TempDir())
	if err := os.MkdirAll(filepath.Join(f.folder("S"), "msgs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.sync("S", 0); err != nil {
		t.Fatal(err)
	}
	block := filepath.Join(f.folder("S"), "msgs", "1.blk")
	if err := os.Symlink("/dev/null", block); err != nil { // which cannot be synced
		t.Fatal(err)
	}
	for range 2 {
		if err := f.sync("S", 0); !chain.IsFatal(err) {
			t.Errorf("a block that cannot be synced: %v", err)
		}
		_ = os.Remove(block)
	}
}
