package nats

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// A stream that once could not write a message takes no more until its server is
// started again. So nobody may publish what the disk has no room for.

// reserve is left for what the server writes of its own, indexes and consumers, and for
// what it acknowledged and writes a few milliseconds later.
const reserve = 8 << 20

// room takes so many bytes of the disk, until they are given back. A file system
// that cannot say has room.
func (f *files) room(bytes int64) (give func(), err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dir := storeDir(f.dir)
	var disk unix.Statfs_t
	if err := unix.Statfs(dir, &disk); err == nil {
		left := int64(disk.Bavail) * disk.Bsize
		if need := f.taken + bytes + reserve; left < need {
			return nil, fmt.Errorf("the NATS server has no space left on its disk: %d MiB are left at %s, and nothing is published below %d MiB: free some space",
				left>>20, dir, need>>20)
		}
	}
	f.taken += bytes
	return sync.OnceFunc(func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.taken -= bytes
	}), nil
}
