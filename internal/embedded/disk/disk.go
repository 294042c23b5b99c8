package disk

import (
	"fmt"
	"os"
	"sync"
)

// Disk is the file system that a folder lies on.
type Disk struct {
	dir     string
	running chan struct{} // holds one while it is synced

	mu   sync.Mutex
	next *turn // that has not begun; nil for none
}

// turn is a sync for all who came before it began.
type turn struct {
	done chan struct{} // closed when err is there
	err  error
}

// Of is the disk of a folder, which must be there when it is synced.
func Of(dir string) *Disk { return &Disk{dir: dir, running: make(chan struct{}, 1)} }

// Sync returns once all that any process wrote before the call, and the system took
// from it, would outlive a loss of power. Calls that come while a sync is under way
// share the next one.
func (d *Disk) Sync() error {
	err := d.wait(func() error {
		dir, err := os.Open(d.dir)
		if err != nil {
			return err
		}
		defer dir.Close()
		return syncFileSystem(dir)
	})
	if err != nil {
		return fmt.Errorf("sync the disk of %s: %w", d.dir, err)
	}
	return nil
}

// wait returns once do, begun after the call, was done.
func (d *Disk) wait(do func() error) error {
	d.mu.Lock()
	if t := d.next; t != nil {
		d.mu.Unlock()
		<-t.done
		return t.err
	}
	t := &turn{done: make(chan struct{})}
	d.next = t
	d.mu.Unlock()

	d.running <- struct{}{}
	d.mu.Lock()
	d.next = nil // whoever comes from now on may have written what do does not see
	d.mu.Unlock()
	t.err = do()
	<-d.running
	close(t.done)
	return t.err
}
