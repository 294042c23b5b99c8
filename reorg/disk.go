package reorg

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"golang.org/x/sys/unix"
)

// A disk that is full must stop the journal and not end the process, as Pebble does
// where its log cannot be written. So nothing is added once less than the reserve is
// left: that is for what sinks on the same disk, Pebble's background work and a
// Revert still need. Where others take the reserve too, a write that finds no space
// waits in the file system, below Pebble, until there is some.

// ErrDiskFull is temporary: the journal goes on by itself once there is space.
var ErrDiskFull = errors.New("the journal's disk is full")

// room refuses where less than need bytes are left. A file system that cannot say
// has room.
func (j *Journal) room(need uint64) error {
	usage, err := j.opts.FS.GetDiskUsage(j.dir)
	if err != nil || usage.AvailBytes >= need {
		return nil
	}
	return fmt.Errorf("%w: %d MiB are left at %s, and nothing is added below %d MiB: free some space",
		ErrDiskFull, usage.AvailBytes>>20, j.dir, need>>20)
}

// small is what must be left for what is small, or frees space.
func (j *Journal) small() uint64 { return j.opts.Reserve / 4 }

// patient is the file system in which a write that finds the disk full waits for
// room, and then is tried again; it fails once the journal is being closed.
func (j *Journal) patient() vfs.FS {
	return vfs.OnDiskFull(j.opts.FS, func() {
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for j.room(j.small()) != nil {
			select {
			case <-tick.C:
			case <-j.closing:
				return
			}
		}
	})
}

// InUse reports whether another process holds the journal in dir; no journal is held
// by nobody. It changes nothing.
func InUse(dir string) (bool, error) {
	f, err := os.Open(filepath.Join(dir, "LOCK")) // Pebble's
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look at the journal's lock: %w", err)
	}
	lock := unix.Flock_t{Type: unix.F_WRLCK}
	err = errors.Join(unix.FcntlFlock(f.Fd(), unix.F_GETLK, &lock), f.Close())
	if err != nil {
		return false, fmt.Errorf("look at the journal's lock in %s: %w", dir, err)
	}
	return lock.Type != unix.F_UNLCK, nil
}
