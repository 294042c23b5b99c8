package disk

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
)

// Whoever comes while a sync is under way shares the next one, and no earlier one.
func TestSyncsAreShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := Of("")
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
	dir := t.TempDir()
	if err := Of(dir).Sync(); err != nil {
		t.Error(err)
	}
	if err := Of(filepath.Join(dir, "missing")).Sync(); err == nil {
		t.Error("a folder that is missing was synced")
	}
}
