package reorg

import (
	"errors"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"superindex/chain"
)

// narrow is a disk that says how much it has left.
type narrow struct {
	vfs.FS
	left atomic.Uint64
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
