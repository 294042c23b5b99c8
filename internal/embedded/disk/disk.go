package disk

import (
	"fmt"
	"os"
	"sync"

	"superindex/chain"
)

// Disk is the file system that a folder lies on.
type Disk struct {
	path    string
	put     func(*os.File) error // puts the file system of an open folder on the disk
	running chan struct{}        // holds one while it is synced

	// Of who holds running. The system tells of what it could not write once to each file
	// that was open then, and forgets it: so the folder is open all the while, and what
	// was told once counts from then on.
	dir    *os.File
	failed error

	mu   sync.Mutex
	next *turn // that has not begun; nil for none
}

// turn is a sync for all who came before it began.
type turn struct {
	done chan struct{} // closed when err is there
	err  error
}

// Open is the disk of a folder, from now on.
func Open(path string) (*Disk, error) {
	dir, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open the folder to sync: %w", err)
	}
	return &Disk{path: path, put: syncFileSystem, running: make(chan struct{}, 1), dir: dir}, nil
}

// Close ends it; a Sync after it fails. It may be called again.
func (d *Disk) Close() error {
	d.running <- struct{}{}
	defer func() { <-d.running }()
	if d.failed = os.ErrClosed; d.dir == nil {
		return nil
	}
	dir := d.dir
	d.dir = nil
	return dir.Close()
}

// Sync returns once all that any process wrote since Open, and the system took
// from it, would outlive a loss of power. Calls that come while a sync is under way
// share the next one. After one that failed all do: what was written before it may be
// lost, whatever the system says later.
func (d *Disk) Sync() error {
	if err := d.wait(d.syncOnce); err != nil {
		return fmt.Errorf("sync the disk of %s: %w", d.path, err)
	}
	return nil
}

func (d *Disk) syncOnce() error {
	if d.failed != nil {
		return d.failed
	}
	if err := d.put(d.dir); err != nil {
		d.failed = chain.Fatal(err, "see in the system's log what the disk could not do, then restart the daemon")
	}
	return d.failed
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
