package reorg

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cespare/xxhash/v2"
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

// Append commits the step as the next of its stream, together with what it
// changes in the window and in what is owed, in one synced batch, and returns its
// Seq. It waits while the stream is over its quota; a Revert never waits, for
// nothing may stand between the views and a fork that is gone. A step that does
// not fit the window is refused and changes nothing. Notes are committed with it.
func (j *Journal) Append(ctx context.Context, step *chain.Step, notes ...Note) (chain.Seq, error) {
	return j.append(ctx, step, nil, notes...)
}

// append is Append, with what was drafted of the step, if anything was.
func (j *Journal) append(ctx context.Context, step *chain.Step, draft *Draft, notes ...Note) (chain.Seq, error) {
	s, err := j.stream(step.Stream.Name)
	if err != nil {
		return 0, err
	}
	if failing := j.failing.Load(); failing != nil {
		return 0, chain.Fatal(fmt.Errorf("append to %s: the journal's storage fails: %w", step.Stream, *failing), "look at the disk, then start again")
	}
	if step.Revert == nil {
		if err := j.waitForRoom(ctx, s); err != nil {
			return 0, err
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.fits(step); err != nil {
		return 0, err
	}
	return j.commit(s, step, draft, s.rec.head+1, func(b *pebble.Batch) (err error) {
		for _, n := range notes {
			err = errors.Join(err, b.Set(key(spaceNote, step.Stream.Name, []byte(n.Name)...), n.Value, nil))
		}
		return err
	})
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

// fits refuses a step that would break an invariant, whoever appends it.
func (s *stream) fits(step *chain.Step) error {
	switch {
	case s.broken != nil:
		return s.broken
	case step.Apply != nil:
		return s.fitsApply(step.Apply)
	case step.Revert != nil:
		if r := step.Revert; r.Cause == chain.Reorg && (r.To.Number < s.window.final.Number || !s.window.Holds(r.To)) {
			return fmt.Errorf("revert to %v: not in the window above the finalized %v", r.To, s.window.final)
		}
	case step.Fill != nil:
		if f := step.Fill; f.To.Number > s.window.final.Number {
			return fmt.Errorf("fill up to %v: above the finalized %v", f.To, s.window.final)
		}
	case step.Rows == nil:
		return errors.New("a step without content")
	}
	return nil
}

func (s *stream) fitsApply(b *chain.Batch) error {
	if b.Parent != s.window.Head() {
		return fmt.Errorf("apply onto %v: the head is %v", b.Parent, s.window.Head())
	}
	if b.Final.Number < s.window.final.Number {
		return fmt.Errorf("apply with finalized %v: it was %v", b.Final, s.window.final)
	}
	return nil
}

// commit writes the step and all that follows from it; more adds what goes with it.
func (j *Journal) commit(s *stream, step *chain.Step, draft *Draft, seq chain.Seq, more func(*pebble.Batch) error) (chain.Seq, error) {
	need := j.opts.Reserve
	if step.Revert != nil || draft != nil && draft.file != "" { // whose bytes are there already
		need = j.small()
	}
	if err := j.roomFor(s, need); err != nil {
		return 0, err
	}
	name := s.rec.stream.Name
	buffer := j.bodies.Get().(*[]byte)
	defer j.bodies.Put(buffer)
	value, size, err := j.place((*buffer)[:0], name, seq, step, draft)
	if err != nil {
		return 0, fmt.Errorf("append to %s: %w", name, err)
	}
	*buffer = value
	next, move, owed := s.rec, s.window.plan(step), s.owedAfter(step)
	next.head, next.digest = seq, chainDigest(next.digest, seq, value[digestSize:])
	next.total += uint64(digestSize + size)
	next.safe, next.final = move.safe, move.final
	if step.Apply != nil {
		next.watch = step.Apply.Watch
	}
	binary.BigEndian.PutUint64(value, next.digest)

	b := j.db.NewBatchWithSize(len(value) + 1024)
	defer b.Close()
	err = errors.Join(
		b.Set(seqKey(spaceStep, name, uint64(seq)), value, nil),
		b.Set(key(spaceHead, name), next.encode(), nil),
		writeWindow(b, name, &s.window, move),
	)
	if step.Fill != nil || step.Revert != nil {
		err = errors.Join(err, b.Set(key(spaceOwed, name), encodeOwed(owed), nil))
	}
	mark, marked := j.markAfter(s, next)
	if marked {
		err = errors.Join(err, b.Set(seqKey(spaceMark, name, uint64(seq)), mark.encode(), nil))
	}
	err = errors.Join(err, more(b))
	if err == nil {
		err = b.Commit(pebble.Sync)
	}
	if err != nil {
		s.broken = chain.Fatal(fmt.Errorf("commit step %d of %s: %w", seq, name, err), "look at the disk, then start again")
		return 0, s.broken
	}
	if marked {
		s.marks = append(s.marks, mark)
	}
	if isElsewhere(value[digestSize:]) {
		s.large = append(s.large, seq)
	}
	s.rec, s.owed = next, owed
	s.window.do(move)
	s.wake()
	return seq, nil
}

// digestSize is what stands before a step's bytes under its key.
const digestSize = 8

// chainDigest is the digest of a step and all before it; value is what its key holds
// of it, which has a sum of what it does not hold.
func chainDigest(before uint64, seq chain.Seq, value []byte) uint64 {
	var head [16]byte
	binary.BigEndian.PutUint64(head[:8], before)
	binary.BigEndian.PutUint64(head[8:], uint64(seq))
	d := xxhash.New()
	d.Write(head[:])
	d.Write(value)
	return d.Sum64()
}

// writeWindow stores the move's effect: the window's keys are its blocks.
func writeWindow(b *pebble.Batch, name string, t *Tracker, m move) error {
	var err error
	if gone := t.blocks[m.keep:]; len(gone) == 1 { // each range of a backfill: a memtable that holds many deleted ranges is slow
		err = b.Delete(seqKey(spaceHash, name, gone[0].Number), nil)
	} else if len(gone) > 1 {
		err = b.DeleteRange(seqKey(spaceHash, name, gone[0].Number), after(spaceHash, name), nil)
	}
	for _, ref := range m.add {
		err = errors.Join(err, b.Set(seqKey(spaceHash, name, ref.Number), ref.Hash[:], nil))
	}
	if m.keep > 0 && m.floor > t.Floor().Number {
		err = errors.Join(err, b.DeleteRange(seqKey(spaceHash, name, 0), seqKey(spaceHash, name, m.floor), nil))
	}
	return err
}

// owedAfter is what is still owed after a step: a Fill brings its range, and what
// lies above a Revert the writer will read again, with every address.
func (s *stream) owedAfter(step *chain.Step) []Owed {
	if step.Fill == nil && step.Revert == nil {
		return s.owed
	}
	var owed []Owed
	for _, o := range s.owed {
		switch {
		case step.Revert != nil:
			o.To = min(o.To, step.Revert.To.Number)
		case o.From == step.Fill.From && slices.Equal(o.Addresses, step.Fill.Addresses):
			o.From = step.Fill.To.Number + 1
		}
		if o.From <= o.To {
			owed = append(owed, o)
		}
	}
	return owed
}

// wake tells whoever waits that a step or an ack has come.
func (s *stream) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}
