package nats

import (
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
		if err := f.sync("S"); err != nil || f.synced["S"].block != c.last {
			t.Errorf("synced up to %d, %v; the last is %d", f.synced["S"].block, err, c.last)
		}
	}
	if err := os.RemoveAll(folder); err != nil {
		t.Fatal(err)
	}
	if err := f.sync("S"); err == nil {
		t.Error("synced messages that are not there")
	}
}

// What the disk could not write once is not believed later.
func TestSyncThatFailedOnceFails(t *testing.T) {
	f := newFiles(t.TempDir())
	if err := os.MkdirAll(filepath.Join(f.folder("S"), "msgs"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := f.sync("S"); err != nil {
		t.Fatal(err)
	}
	block := filepath.Join(f.folder("S"), "msgs", "1.blk")
	if err := os.Symlink("/dev/null", block); err != nil { // which cannot be synced
		t.Fatal(err)
	}
	for range 2 {
		if err := f.sync("S"); !chain.IsFatal(err) {
			t.Errorf("a block that cannot be synced: %v", err)
		}
		_ = os.Remove(block)
	}
}
