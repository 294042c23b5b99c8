package nats

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"superindex/chain"
)

// files are the server's streams as they lie on the disk: each a folder, its
// messages in blocks msgs/1.blk, 2.blk and so on, of which the last is written to.
// The oldest are removed, others take their place never. The server's index of them is
// made anew where it does not fit.
type files struct {
	dir  string // of the data; the server's folder is below
	disk Disk   // that they lie on, where somebody else syncs it again and again; nil elsewhere

	mu     sync.Mutex
	synced map[string]place // up to where a stream is
	failed error            // what the disk could not do once: the system forgets what it lost
	taken  int64            // bytes that Room gave and that are not there yet
}

// place is how far a stream is synced: up to a message, by its files up to a block, the
// last one as far as it went when their folder had changed at that time; the zero time
// where that had been a moment ago.
type place struct {
	message uint64
	block   int
	changed time.Time
}

// A stream that has got no more than so many messages since it was synced, as at the head,
// shares a sync of the disk, and waits so long for one: those of thirty networks would be
// a tenth of the daemon's computing. Where there is more it does not wait for what others
// write.
const (
	sharedMessages = 1000
	sharedWithin   = 100 * time.Millisecond
)

func newFiles(dir string) *files { return &files{dir: dir, synced: map[string]place{}} }

func (f *files) folder(stream string) string {
	return filepath.Join(storeDir(f.dir), server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams", stream)
}

// sync puts what a stream has got since the last call, up to the message last, on the
// disk; at first, and where the block was removed that it was at, all of it. It belongs to
// one goroutine a stream.
func (f *files) sync(stream string, last uint64) error {
	f.mu.Lock()
	at, known := f.synced[stream]
	failed := f.failed
	f.mu.Unlock()
	if failed != nil {
		return failed
	}
	if known && last-at.message <= sharedMessages && f.disk != nil && f.disk.Holds(f.messages(stream)) {
		at.message = last
		return f.keep(stream, at, f.disk.Sync(sharedWithin))
	}
	if known {
		to, err := f.syncFrom(stream, at)
		if to.message = last; err != nil || to.block > 0 {
			return f.keep(stream, to, err)
		}
	}
	block, err := lastBlock(f.messages(stream)) // before the rest: a later one is synced next time
	if err == nil {
		err = f.syncAll(stream)
	}
	return f.keep(stream, place{message: last, block: block}, err)
}

// messages is the folder of a stream's blocks.
func (f *files) messages(stream string) string { return filepath.Join(f.folder(stream), "msgs") }

// keep takes down how far a sync went, or that the disk failed: then all do from
// then on.
func (f *files) keep(stream string, last place, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.synced[stream] = last
		return nil
	}
	err = fmt.Errorf("nats: sync stream %s: %w", stream, err)
	if errors.Is(err, errDisk) {
		err = chain.Fatal(err, "see in the system's log what the disk could not do, then restart the daemon")
	}
	if chain.IsFatal(err) { // so is what a shared sync says of the disk
		f.failed = err
	}
	return err
}

// syncFrom syncs the blocks from one on and returns the last; none where the first is
// not there.
func (f *files) syncFrom(stream string, from place) (last place, err error) {
	folder := f.messages(stream)
	if last, err = newest(folder, from); err != nil {
		return place{}, err
	}
	for block := from.block; block <= last.block; block++ {
		switch err := syncFile(blockPath(folder, block)); {
		case errors.Is(err, fs.ErrNotExist) && block == from.block:
			return place{}, nil
		case errors.Is(err, fs.ErrNotExist): // removed, and there are later ones
		case err != nil:
			return place{}, err
		}
	}
	if last.block > from.block {
		err = syncFile(folder)
	}
	return last, err
}

// newest is the place of the last block. A folder of thousands is slow to read, and
// mostly it has not changed since; within a second it may have without another time.
func newest(folder string, since place) (place, error) {
	info, err := os.Stat(folder)
	if err != nil || info.ModTime().Equal(since.changed) {
		return since, err
	}
	at := place{changed: info.ModTime()}
	if time.Since(at.changed) < time.Second {
		at.changed = time.Time{}
	}
	last, err := lastBlock(folder)
	at.block = max(last, since.block)
	return at, err
}

// syncAll syncs a stream's files and folders, and the folders above.
func (f *files) syncAll(stream string) error {
	err := filepath.WalkDir(f.folder(stream), func(path string, _ fs.DirEntry, err error) error {
		if err == nil {
			err = syncFile(path)
		}
		if errors.Is(err, fs.ErrNotExist) { // removed meanwhile
			return nil
		}
		return err
	})
	for folder := f.folder(stream); err == nil && folder != f.dir; {
		folder = filepath.Dir(folder)
		err = syncFile(folder)
	}
	return err
}

func blockPath(folder string, block int) string {
	return filepath.Join(folder, strconv.Itoa(block)+".blk")
}

// lastBlock is the highest number of a block in a folder, 0 for none.
func lastBlock(folder string) (last int, err error) {
	entries, err := os.ReadDir(folder)
	for _, e := range entries {
		if number, ok := strings.CutSuffix(e.Name(), ".blk"); ok {
			block, _ := strconv.Atoi(number) // 0 for what is no block
			last = max(last, block)
		}
	}
	return last, err
}

// errDisk is what makes a failure last: the disk did not take what was written.
var errDisk = errors.New("the disk failed")

// syncFile syncs a file or a folder.
func syncFile(path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := file.Sync(); err != nil {
		return fmt.Errorf("%w: %w", errDisk, err)
	}
	return nil
}
