package reorg

import (
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"superindex/chain"
)

// narrow is a disk that says how much it has left, and has more with each file that goes.
type narrow struct {
	vfs.FS
	left atomic.Uint64
	file uint64 // bytes of each
}

func (n *narrow) Remove(name string) error {
	n.left.Add(n.file)
	return n.FS.Remove(name)
}

func (n *narrow) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: n.left.Load(), TotalBytes: 1 << 40}, nil
}

// Below the reserve nothing is added, but what a Revert needs is still there; with
// space the same journal goes on.
func TestAFullDiskStopsTheJournalAndNotTheProcess(t *testing.T) {
	disk := &narrow{FS: vfs.NewMem()}
	disk.left.Store(1 << 30)
	j := open(t, disk, nil)
	begin(t, j, ref(10, 'a'))
	next := apply(ref(10, 'a'), 12, 'a', ref(10, 'a'), ref(10, 'a'))
	mustAppend(t, j, next)

	disk.left.Store(100 << 20)
	more := apply(ref(12, 'a'), 13, 'a', ref(10, 'a'), ref(10, 'a'))
	if _, err := j.Append(t.Context(), more); !errors.Is(err, ErrDiskFull) || chain.IsFatal(err) || !strings.Contains(err.Error(), "100 MiB are left at journal") {
		t.Errorf("an Apply: %v", err)
	}
	mustAppend(t, j, revert(ref(11, 'a'), ref(12, 'a')))
	disk.left.Store(1 << 20)
	if _, err := j.Append(t.Context(), revert(ref(10, 'a'), ref(11, 'a'))); !errors.Is(err, ErrDiskFull) {
		t.Errorf("a Revert on a disk that is full: %v", err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := Open("journal", options(disk)); !errors.Is(err, ErrDiskFull) {
		t.Errorf("a start on a disk that is full: %v", err)
	}

	disk.left.Store(1 << 30)
	j = open(t, disk, nil)
	defer j.Close()
	mustAppend(t, j, apply(ref(11, 'a'), 12, 'b', ref(10, 'a'), ref(10, 'a')))
	if st, err := j.Stat("optimism"); err != nil || st.Last != ref(12, 'b') {
		t.Errorf("it came to %v: %v", st.Last, err)
	}
}

// A write that finds no space, because others took the reserve, is tried again.
func TestAWriteWithoutSpaceIsTriedAgain(t *testing.T) {
	var full atomic.Bool
	refused := 0
	j := open(t, errorfs.Wrap(vfs.NewMem(), errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind.ReadOrWrite() == errorfs.OpIsWrite && full.CompareAndSwap(true, false) {
			refused++
			return syscall.ENOSPC
		}
		return nil
	})), nil)
	defer j.Close()
	begin(t, j, ref(10, 'a'))
	full.Store(true)
	mustAppend(t, j, apply(ref(10, 'a'), 12, 'a', ref(10, 'a'), ref(10, 'a')))
	if refused != 1 {
		t.Errorf("%d writes were refused, want 1", refused)
	}
}

// Where the disk is full, what every sink holds goes before anything is refused, however
// young it is: as a step is appended, and before one is drafted.
func TestAFullDiskTakesWhatSinksHold(t *testing.T) {
	for name, c := range map[string]struct {
		left uint64
		do   func(*Journal) error
	}{
		"an Apply": {100 << 20, func(j *Journal) error {
			_, err := j.Append(t.Context(), apply(ref(30, 'a'), 31, 'a', ref(10, 'a'), ref(10, 'a')))
			return err
		}},
		"a Revert": {8 << 20, func(j *Journal) error {
			_, err := j.Append(t.Context(), revert(ref(29, 'a'), ref(30, 'a')))
			return err
		}},
		"a note": {100 << 20, func(j *Journal) error { return j.Keep("optimism", Note{Name: "n"}) }},
		"a look before drafts": {100 << 20, func(j *Journal) error {
			_, err := j.Full("optimism")
			return err
		}},
	} {
		t.Run(name, func(t *testing.T) {
			disk := &narrow{FS: vfs.NewMem()}
			disk.left.Store(1 << 30)
			j := open(t, disk, func(o *Options) { o.Keep, o.Large = 24*time.Hour, 400 })
			defer j.Close()
			begin(t, j, ref(10, 'a'))
			mustAppend(t, j, apply(ref(10, 'a'), 20, 'a', ref(10, 'a'), ref(10, 'a')))
			mustAppend(t, j, apply(ref(20, 'a'), 30, 'a', ref(10, 'a'), ref(10, 'a')))
			st, err := j.Stat("optimism")
			if err != nil {
				t.Fatal(err)
			}
			if err := j.Ack("ch", "optimism", st.Head-1); err != nil || len(files(t, disk)) != 2 {
				t.Fatalf("with space, %v are kept: %v", files(t, disk), err)
			}
			disk.left.Store(c.left)
			disk.file = 1 << 30
			if err := c.do(j); err != nil || len(read(t, j, st.Head-1)) == 0 {
				t.Errorf("on a full disk: %v", err)
			}
			if now, err := j.Stat("optimism"); err != nil || now.Cut != st.Head-1 {
				t.Errorf("it was trimmed up to %d, want %d: %v", now.Cut, st.Head-1, err)
			}
		})
	}
}
