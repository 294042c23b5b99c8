package disk

import (
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

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
	hurry func()          // lets it wait no longer; it may be called again
	begin <-chan struct{} // closed by hurry
	done  chan struct{}   // closed when err is there
	err   error
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

// Sync returns once all that any process wrote since Open and before the call, and the
// system took from it, would outlive a loss of power. Calls that come while a sync is under
// way share the next one, and so do calls that may wait: it begins when the first of them
// has waited for so long, or one comes that may not. After one that failed all do: what was
// written before it may be lost, whatever the system says later.
func (d *Disk) Sync(within time.Duration) error {
	if err := d.wait(within, d.syncOnce); err != nil {
		return fmt.Errorf("sync the disk of %s: %w", d.path, err)
	}
	return nil
}

// Holds says that a folder lies on the disk.
func (d *Disk) Holds(folder string) bool {
	var own, other unix.Stat_t
	return unix.Stat(d.path, &own) == nil && unix.Stat(folder, &other) == nil && own.Dev == other.Dev
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

// wait returns once do, begun after the call and soon enough, was done.
func (d *Disk) wait(within time.Duration, do func() error) error {
	t, first := d.join()
	if within > 0 {
		soon := time.AfterFunc(within, t.hurry)
		defer soon.Stop()
	} else {
		t.hurry()
	}
	if !first {
		<-t.done
		return t.err
	}
	<-t.begin
	d.running <- struct{}{}
	d.mu.Lock()
	d.next = nil // whoever comes from now on may have written what do does not see
	d.mu.Unlock()
	t.err = do()
	<-d.running
	close(t.done)
	return t.err
}

// join is the next turn, and whether the caller is the first in it, who does it.
func (d *Disk) join() (t *turn, first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if first = d.next == nil; first {
		begin := make(chan struct{})
		d.next = &turn{hurry: sync.OnceFunc(func() { close(begin) }), begin: begin, done: make(chan struct{})}
	}
	return d.next, first
}
