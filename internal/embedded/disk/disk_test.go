package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"superindex/chain"
)

// Whoever comes while a sync is under way shares the next one, and no earlier one.
func TestSyncsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, t.TempDir())
		var all sync.WaitGroup
		var began int
		under := make(chan error)
		do := func() error {
			began++
			return <-under
		}
		first, errLate := errors.New("first"), errors.New("late")
		all.Go(func() {
			if err := d.wait(do); !errors.Is(err, first) {
				t.Errorf("the first: %v", err)
			}
		})
		synctest.Wait()
		for range 5 {
			all.Go(func() {
				if err := d.wait(do); !errors.Is(err, errLate) {
					t.Errorf("one of those who came later: %v", err)
				}
			})
		}
		synctest.Wait()
		under <- first
		synctest.Wait()
		under <- errLate
		all.Wait()
		if began != 2 {
			t.Errorf("it was done %d times, want 2", began)
		}
	})
}

func TestTheFolderIsSynced(t *testing.T) {
	d := open(t, t.TempDir())
	for range 2 {
		if err := d.Sync(); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := d.Sync(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("closed, it says %v", err)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "missing")); err == nil {
		t.Error("a folder that is missing was opened")
	}
}

// The system tells of a fault once: what was written before it is not believed to be
// on the disk because the next sync says nothing of it.
func TestAFailedSyncIsNotForgotten(t *testing.T) {
	d := open(t, t.TempDir())
	fault := errors.New("input/output error")
	d.put = func(*os.File) error {
		told := fault
		fault = nil
		return told
	}
	for range 3 {
		if err := d.Sync(); !chain.IsFatal(err) || !strings.Contains(err.Error(), "input/output error") {
			t.Errorf("after a failed sync: %v", err)
		}
	}
}

func open(t *testing.T, dir string) *Disk {
	t.Helper()
	d, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}
