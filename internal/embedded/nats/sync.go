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

	"github.com/nats-io/nats-server/v2/server"

	"superindex/chain"
)

// files are the server's streams as they lie on the disk: each a folder, its
// messages in blocks msgs/1.blk, 2.blk and so on, of which the last is written to.
// The oldest are removed, others take their place never. The server's index of them is
// made anew where it does not fit.
type files struct {
	dir string // of the data; the server's folder is below

	mu     sync.Mutex
	synced map[string]int // the last block of a stream that was synced, as far as it went
	failed error          // what the disk could not do once: the system forgets what it lost
	taken  int64          // bytes that Room gave and that are not there yet
}

func newFiles(dir string) *files { return &files{dir: dir, synced: map[string]int{}} }

func (f *files) folder(stream string) string {
	return filepath.Join(storeDir(f.dir), server.JetStreamStoreDir, server.DEFAULT_GLOBAL_ACCOUNT, "streams", stream)
}

// sync puts what a stream has got since the last call on the disk; at first, and
// where that block was removed, all of it. It belongs to one goroutine a stream.
func (f *files) sync(stream string) error {
	f.mu.Lock()
	last, known := f.synced[stream]
	failed := f.failed
	f.mu.Unlock()
	if failed != nil {
		return failed
	}
	if known {
		next, err := f.syncFrom(stream, last)
		if err != nil || next > last {
			return f.keep(stream, next-1, err)
		}
	}
	last, err := lastBlock(filepath.Join(f.folder(stream), "msgs")) // before the rest: a later one is synced next time
	if err == nil {
		err = f.syncAll(stream)
	}
	return f.keep(stream, last, err)
}

// keep takes down how far a sync went, or that the disk failed: then all do from
// then on.
func (f *files) keep(stream string, last int, err error) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err == nil {
		f.synced[stream] = last
		return nil
	}
	err = fmt.Errorf("nats: sync stream %s: %w", stream, err)
	if errors.Is(err, errDisk) {
		err = chain.Fatal(err, "see in the system's log what the disk could not do, then restart the daemon")
		f.failed = err
	}
	return err
}

// syncFrom syncs the blocks from one on and returns the one behind the last; the same
// where that one is not there.
func (f *files) syncFrom(stream string, block int) (next int, err error) {
	folder, last := filepath.Join(f.folder(stream), "msgs"), block
	// Mostly there is no later one, and a folder of thousands is slow to read.
	if _, err = os.Stat(blockPath(folder, block+1)); err == nil {
		last, err = lastBlock(folder)
	} else if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	for next = block; next <= last && err == nil; next++ {
		if err = syncFile(blockPath(folder, next)); errors.Is(err, fs.ErrNotExist) {
			if next == block {
				return block, nil
			}
			err = nil // removed, and there are later ones
		}
	}
	if err == nil && last > block { // there are new ones
		err = syncFile(folder)
	}
	return next, err
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
