package disk

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

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
			if err := d.wait(0, do); !errors.Is(err, first) {
				t.Errorf("the first: %v", err)
			}
		})
		synctest.Wait()
		for range 5 {
			all.Go(func() {
				if err := d.wait(0, do); !errors.Is(err, errLate) {
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

// One who may wait is synced with the first who may not, or who has waited long enough.
func TestASyncWaitsForOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := open(t, t.TempDir())
		for _, c := range []struct {
			others []time.Duration // how long those may wait who come 10 ms later, one after the other
			want   time.Duration   // until the sync
			syncs  int
		}{
			{nil, 100 * time.Millisecond, 1},
			{[]time.Duration{time.Hour, 20 * time.Millisecond}, 40 * time.Millisecond, 1},
			{[]time.Duration{0}, 10 * time.Millisecond, 1},
			{[]time.Duration{time.Hour, 0, 0}, 20 * time.Millisecond, 2},
		} {
			var all sync.WaitGroup
			var synced []time.Duration
			began := time.Now()
			waits := func(after, within time.Duration) {
				all.Go(func() {
					time.Sleep(after)
					if err := d.wait(within, func() error { synced = append(synced, time.Since(began)); return nil }); err != nil {
						t.Error(err)
					}
				})
			}
			waits(0, 100*time.Millisecond)
			for i, within := range c.others {
				waits(time.Duration(i+1)*10*time.Millisecond, within)
			}
			all.Wait()
			if len(synced) != c.syncs || synced[0] != c.want {
				t.Errorf("%v: synced after %v, want %d, the first after %v", c.others, synced, c.syncs, c.want)
			}
		}
	})
}

func TestADiskHoldsItsFolders(t *testing.T) {
	dir := t.TempDir()
	d := open(t, dir)
	for folder, want := range map[string]bool{dir: true, filepath.Dir(dir): true, filepath.Join(dir, "missing"): false, "/proc": false} {
		if got := d.Holds(folder); got != want {
			t.Errorf("%s: %v", folder, got)
		}
	}
}

func TestTheFolderIsSynced(t *testing.T) {
	d := open(t, t.TempDir())
	for range 2 {
		if err := d.Sync(0); err != nil {
			t.Error(err)
		}
	}
	for range 2 {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
		if err := d.Sync(0); !errors.Is(err, os.ErrClosed) {
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
		if err := d.Sync(0); !chain.IsFatal(err) || !strings.Contains(err.Error(), "input/output error") {
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
