package reorg

import (
	"crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
)

// Options of a journal.
type Options struct {
	FS        vfs.FS           // nil: the disk
	Quota     uint64           // bytes of steps a stream may hold before Append waits
	Reserve   uint64           // bytes that the journal leaves free on its disk
	Keep      time.Duration    // how long a step stays after every sink has acked it
	MarkBytes uint64           // a trimming point every so many bytes
	Large     int              // bytes from which on a step lies in a file of its own, writtenAtOnce at most
	Now       func() time.Time // the clock that Keep and a new stream's first Seq are taken from
	Sinks     []string         // the sinks whose acks allow trimming
}

// Defaults are the options of a release.
func Defaults() Options {
	return Options{FS: vfs.Default, Quota: 10e9, Reserve: 128 << 20, Keep: 24 * time.Hour, MarkBytes: 1 << 20, Large: 64 << 10, Now: time.Now}
}

// Check names the first option that cannot be.
func (o *Options) Check() error {
	if o.Quota < 1<<10 {
		return fmt.Errorf("journal.quota: %d bytes hold no step", o.Quota)
	}
	if o.Keep < 0 {
		return fmt.Errorf("journal.keep: %v is before the ack", o.Keep)
	}
	return nil
}

// Journal orders the steps of every stream and keeps them durable until the sinks
// hold them. It is safe for concurrent use.
type Journal struct {
	opts Options
	dir  string
	db   *pebble.DB
	id   chain.JournalID

	steps *steps

	closing chan struct{}         // closed by Close
	failing atomic.Pointer[error] // the storage's last fault in the background
	bodies  sync.Pool             // of *[]byte: steps as they are written

	mu      sync.Mutex
	streams map[string]*stream
}

// stream is the state of one stream, equal to what its keys say.
type stream struct {
	mu      sync.Mutex
	rec     record
	window  Tracker
	owed    []Owed
	marks   []mark      // ascending
	large   []chain.Seq // steps that lie in files, ascending
	acks    map[string]chain.Seq
	changed chan struct{} // closed, and replaced, when a step or an ack has come
	broken  error         // the commit that failed: what is on the disk is unknown from there
}

// Open opens the journal in dir, or makes a new one with a random id.
func Open(dir string, opts Options) (*Journal, error) {
	if err := opts.Check(); err != nil {
		return nil, err
	}
	j := &Journal{opts: opts, dir: dir, closing: make(chan struct{}), streams: map[string]*stream{}, bodies: sync.Pool{New: func() any { return new([]byte) }}}
	if err := errors.Join(opts.FS.MkdirAll(dir, 0o755), j.room(j.small())); err != nil {
		return nil, fmt.Errorf("open the journal: %w", err)
	}
	db, err := pebble.Open(dir, j.storage())
	if err != nil {
		return nil, fmt.Errorf("open the journal in %s%s: %w", dir, whose(err), err)
	}
	j.db = db
	if err := j.begin(); err != nil {
		return nil, errors.Join(fmt.Errorf("read the journal in %s: %w", dir, err), db.Close())
	}
	return j, nil
}

// begin reads what the journal holds.
func (j *Journal) begin() (err error) {
	if err := errors.Join(j.identify(), j.load()); err != nil {
		return err
	}
	if j.steps, err = openSteps(j.patient(), j.dir); err != nil {
		return err
	}
	if err := j.loadSteps(); err != nil {
		return errors.Join(err, j.steps.folder.Close())
	}
	return nil
}

// whose says of an error of the lock what it means.
func whose(err error) string {
	if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held") {
		return ", which another superindex holds: stop that one, or give this one another data_dir"
	}
	return ""
}

// Close waits for the storage. No call may be under way.
func (j *Journal) Close() error {
	close(j.closing)
	if err := errors.Join(j.db.Close(), j.steps.folder.Close()); err != nil {
		return fmt.Errorf("close the journal: %w", err)
	}
	return nil
}

// ID is random, and the journal's for life.
func (j *Journal) ID() chain.JournalID { return j.id }

// Streams are the names of all streams that have begun.
func (j *Journal) Streams() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return slices.Sorted(maps.Keys(j.streams))
}

// ErrUnknown is a stream that has not begun.
var ErrUnknown = errors.New("the journal has no such stream")

func (j *Journal) stream(name string) (*stream, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s := j.streams[name]; s != nil {
		return s, nil
	}
	return nil, fmt.Errorf("%w: %s", ErrUnknown, name)
}

func (j *Journal) identify() error {
	value, closer, err := j.db.Get([]byte(keyFormat))
	if errors.Is(err, pebble.ErrNotFound) {
		rand.Read(j.id[:])
		return j.db.Set([]byte(keyFormat), append([]byte{codecVersion}, j.id[:]...), pebble.Sync)
	}
	if err != nil {
		return err
	}
	defer closer.Close()
	if len(value) != 1+len(j.id) {
		return errCodec
	}
	if err := checkVersion(value[0]); err != nil {
		return err
	}
	copy(j.id[:], value[1:])
	return nil
}

// Note is what a stream's writer wants to find again as of a step; a later note of
// the same name replaces it, and a Begin forgets all.
type Note struct {
	Name  string
	Value []byte
}

// Keep commits notes without a step: what a writer wants to find again although
// nothing was observed.
func (j *Journal) Keep(name string, notes ...Note) error {
	s, err := j.stream(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := j.roomFor(s, j.opts.Reserve); err != nil {
		return fmt.Errorf("keep notes of %s: %w", name, err)
	}
	b := j.db.NewBatch()
	defer b.Close()
	for _, n := range notes {
		err = errors.Join(err, b.Set(key(spaceNote, name, []byte(n.Name)...), n.Value, nil))
	}
	if err == nil {
		err = b.Commit(pebble.Sync)
	}
	if err != nil {
		return fmt.Errorf("keep notes of %s: %w", name, err)
	}
	return nil
}

// wake tells whoever waits that a step or an ack has come.
func (s *stream) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}
