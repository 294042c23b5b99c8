package reorg

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/cespare/xxhash/v2"
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
)

// A large step lies in a file of its own, and its key holds where: so it is written
// once, where Pebble would write it to its log and again to a table. The file and
// its name are durable before the batch that makes the step exist is committed, and
// stay until the batch that makes it trimmed is: a key never names a file that is
// not there. A file that no key names, because power was cut in between or because it
// was drafted and not needed, is no step's, and goes at the next start.

// steps are the files of large steps.
type steps struct {
	fs     vfs.FS
	dir    string
	folder vfs.File // the dir itself, to make names durable
	drafts atomic.Uint64
}

// openSteps makes the folder in the journal's own where it is not there.
func openSteps(fs vfs.FS, journal string) (*steps, error) {
	f := &steps{fs: fs, dir: fs.PathJoin(journal, "steps")}
	if err := fs.MkdirAll(f.dir, 0o755); err != nil {
		return nil, fmt.Errorf("make the folder of large steps: %w", err)
	}
	parent, err := fs.OpenDir(journal)
	if err == nil {
		err = errors.Join(parent.Sync(), parent.Close())
	}
	if err == nil {
		f.folder, err = fs.OpenDir(f.dir)
	}
	if err != nil {
		return nil, fmt.Errorf("open the folder of large steps: %w", err)
	}
	return f, nil
}

// name is the file of a step: its Seq in hex, and its stream.
func (f *steps) name(stream string, seq chain.Seq) string {
	return f.fs.PathJoin(f.dir, fmt.Sprintf("%016x-%s", uint64(seq), url.PathEscape(stream)))
}

// named finds the step of a file; false for what is no step's.
func named(file string) (stream string, seq chain.Seq, ok bool) {
	number, escaped, ok := strings.Cut(file, "-")
	n, err := strconv.ParseUint(number, 16, 64)
	stream, fault := url.PathUnescape(escaped)
	return stream, chain.Seq(n), ok && err == nil && fault == nil
}

// writtenAtOnce is how much of a step is summed and given to the system at once, while it
// is in the processor's cache; syncedAtOnce, after how much the disk is given it, so that it
// does not wait for all of a step.
const (
	writtenAtOnce = 128 << 10
	syncedAtOnce  = 1 << 20
)

// draftName is what the name of a file begins with whose step has no Seq yet.
const draftName = "draft-"

// stepFile is a file of a name of its own while a step is written to it.
type stepFile struct {
	vfs.File
	fs   vfs.FS
	name string
	size int
	sum  *xxhash.Digest
}

// create makes a file by a file system that may wait where there is no space, or not, and
// do with what is written what it likes.
func (f *steps) create(by vfs.FS) (*stepFile, error) {
	name := f.fs.PathJoin(f.dir, draftName+strconv.FormatUint(f.drafts.Add(1), 16))
	file, err := by.Create(name, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, fmt.Errorf("make a step's file: %w", err)
	}
	out := vfs.NewSyncingFile(file, vfs.SyncingFileOptions{BytesPerSync: syncedAtOnce})
	return &stepFile{File: out, fs: f.fs, name: name, sum: xxhash.New()}, nil
}

// add writes more of the step; bytes are the caller's again, and an error is for finish.
func (f *stepFile) add(bytes []byte) error {
	for part := range slices.Chunk(bytes, writtenAtOnce) {
		f.size += len(part)
		f.sum.Write(part)
		if _, err := f.Write(part); err != nil {
			return err
		}
	}
	return nil
}

// finish makes what was written durable, and a draft of it; unless there is an error: then
// the file goes.
func (f *stepFile) finish(err error) (*Draft, error) {
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, fmt.Errorf("write a step's file: %w", errors.Join(err, f.fs.Remove(f.name)))
	}
	return &Draft{file: f.name, size: f.size, sum: f.sum.Sum64()}, nil
}

// adopt gives a draft the name of its step, which is durable then; a file that had it
// was no step's.
func (f *steps) adopt(draft, stream string, seq chain.Seq) error {
	err := f.fs.Rename(draft, f.name(stream, seq))
	if err == nil {
		err = f.folder.Sync()
	}
	if err != nil {
		return fmt.Errorf("name a step's file: %w", err)
	}
	return nil
}

// remove removes files of steps that are trimmed. One that cannot be removed now
// goes at the next start.
func (f *steps) remove(stream string, all []chain.Seq) {
	for _, seq := range all {
		_ = f.fs.Remove(f.name(stream, seq))
	}
}

// place appends what a step's key is to hold: room for the digest, and the step or, if
// it is large, where it lies from now on. size is the step's.
func (j *Journal) place(dst []byte, stream string, seq chain.Seq, step *chain.Step, draft *Draft) (value []byte, size int, err error) {
	dst = append(dst, make([]byte, digestSize)...)
	var head []byte // of the step, where a file holds the rest
	switch {
	case draft == nil:
		value, err = appendStep(dst, step)
		body := value[digestSize:]
		if err != nil || len(body) < j.opts.Large {
			return value, len(body), err
		}
		file, err := j.steps.create(j.steps.fs)
		if err != nil {
			return nil, 0, err
		}
		if draft, err = file.finish(file.add(body)); err != nil {
			return nil, 0, err
		}
		dst = value[:digestSize] // what has grown is used again
	case draft.file == "":
		value = append(appendHead(dst, step), *draft.rest...)
		return value, len(value) - digestSize, nil
	default:
		head = appendHead(nil, step)
	}
	return elsewhere(dst, draft, head), len(head) + draft.size, j.steps.adopt(draft.file, stream, seq)
}

// elsewhere appends what a large step's key holds in place of the step: where it is,
// and its beginning, if the file has only the rest.
func elsewhere(dst []byte, draft *Draft, head []byte) []byte {
	w := encoder{b: append(dst, codecVersion, kindElsewhere)}
	w.uint(uint64(len(head) + draft.size))
	w.uint(draft.sum)
	w.raw(head)
	return w.b
}

// isElsewhere: the step lies in a file.
func isElsewhere(v []byte) bool { return len(v) > 1 && v[1] == kindElsewhere }

// read reads the step of which v says what it is, into m.
func (f *steps) read(stream string, seq chain.Seq, v []byte, m *memory) (body []byte, err error) {
	r := decoder{b: v}
	if err := checkVersion(r.byte()); err != nil {
		return nil, err
	}
	r.byte()
	size, sum := r.uint(), r.uint()
	head := r.raw(r.left())
	if r.failed || size > maxStep || uint64(len(head)) > size {
		return nil, errCodec
	}
	file, err := f.fs.Open(f.name(stream, seq), vfs.SequentialReadsOption)
	if err != nil {
		return nil, fmt.Errorf("read a step's file: %w", err)
	}
	body = take(&m.bytes, int(size))
	rest := body[copy(body, head):]
	_, err = io.ReadFull(file, rest)
	if err = errors.Join(err, file.Close()); err == nil && xxhash.Sum64(rest) != sum {
		err = errors.New("it is not what was written")
	}
	if err != nil {
		return nil, fmt.Errorf("read a step's file: step %d of %s: %w", seq, stream, err)
	}
	return body, nil
}

// maxStep bounds what is believed of a step's size. One block may exceed a step's
// usual size, but not by so much.
const maxStep = 4 << 30

// loadSteps finds each stream's large steps, and removes the files that are none's.
func (j *Journal) loadSteps() error {
	names, err := j.steps.fs.List(j.steps.dir)
	if err != nil {
		return fmt.Errorf("list the large steps: %w", err)
	}
	slices.Sort(names)
	for _, file := range names {
		if strings.HasPrefix(file, draftName) {
			_ = j.steps.fs.Remove(j.steps.fs.PathJoin(j.steps.dir, file))
			continue
		}
		stream, seq, ok := named(file)
		if !ok {
			continue // somebody else's
		}
		has, err := j.hasLarge(stream, seq)
		if err != nil {
			return err
		}
		if s := j.streams[stream]; has && s != nil {
			s.large = append(s.large, seq)
		} else {
			j.steps.remove(stream, []chain.Seq{seq})
		}
	}
	return nil
}

// hasLarge: the step is there, and lies in a file.
func (j *Journal) hasLarge(stream string, seq chain.Seq) (bool, error) {
	v, closer, err := j.db.Get(seqKey(spaceStep, stream, uint64(seq)))
	if errors.Is(err, pebble.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("look for step %d of %s: %w", seq, stream, err)
	}
	defer closer.Close()
	return len(v) > digestSize && isElsewhere(v[digestSize:]), nil
}
