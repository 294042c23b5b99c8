package poller

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/klauspost/compress/zstd"
)

// Payload is an answer as it came, kept so that a new definition needs no new poll.
type Payload struct {
	What string // what was asked for, as the feed names it: "downloads/left-pad/2026-11-01/2026-11-08"
	Body []byte
}

// Kept is a payload as it was kept.
type Kept struct {
	Feed, What string
	Hash       [sha256.Size]byte // of Body
	Fetched    time.Time         // when this very answer first came
	Body       []byte
}

// Payloads keeps answers, compressed, by feed, what was asked for, and hash. The
// same answer is kept once; the oldest go where all together are more than mostKept.
type Payloads struct {
	db   *pebble.DB
	pack *zstd.Encoder
	open *zstd.Decoder
	most int64 // bytes that are kept

	mu   sync.Mutex // held by who writes
	kept int64      // bytes, as ages has them
}

const (
	mostKept    = 4 << 30   // bytes of all feeds' answers together, as they are stored
	maxPayload  = 256 << 20 // the largest body that is read back, in bytes; a gate lets in far less
	payloadPart = 4 << 20   // of it in one value: a larger one is cut, so that the storage never moves more at once
)

// ages begins the keys of how old answers are: the second in which one was kept, since
// 1970, big-endian, and its key follow. The value is its size, big-endian. No feed's
// name begins so.
const ages = "\x00"

// OpenPayloads opens the folder, or makes it; fs is nil for the disk.
func OpenPayloads(dir string, fs vfs.FS) (*Payloads, error) {
	pack, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1))
	if err != nil {
		return nil, fmt.Errorf("payloads: %w", err)
	}
	unpack, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxPayload))
	if err != nil {
		return nil, fmt.Errorf("payloads: %w", err)
	}
	db, err := pebble.Open(dir, &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatNewest, Logger: silent{}, CacheSize: 1 << 20, MemTableSize: 4 << 20})
	if err != nil {
		unpack.Close()
		return nil, fmt.Errorf("open the payloads in %s%s: %w", dir, whose(err), err)
	}
	p := &Payloads{db: db, pack: pack, open: unpack, most: mostKept}
	err = p.oldest(func(_ []byte, size int64) bool {
		p.kept += size
		return true
	})
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

// whose says of an error of the lock what it means.
func whose(err error) string {
	if errors.Is(err, syscall.EAGAIN) || strings.Contains(err.Error(), "lock held") {
		return ", which another superindex holds: stop that one first"
	}
	return ""
}

// oldest calls f with the key in ages and the size of each answer, the oldest first,
// while it says that it wants more.
func (p *Payloads) oldest(f func(age []byte, size int64) bool) error {
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: []byte(ages), UpperBound: []byte("\x01")})
	if err != nil {
		return fmt.Errorf("read the ages of the answers: %w", err)
	}
	for ok := it.First(); ok && f(it.Key(), int64(binary.BigEndian.Uint64(it.Value()))); {
		ok = it.Next()
	}
	return errors.Join(it.Error(), it.Close())
}

// silent drops Pebble's chatter; its errors come back from the calls.
type silent struct{}

func (silent) Infof(string, ...any)  {}
func (silent) Errorf(string, ...any) {}
func (silent) Fatalf(format string, args ...any) {
	panic(fmt.Sprintf("the payloads' storage failed: "+format, args...))
}

// Close waits for the storage. No call may be under way.
func (p *Payloads) Close() error {
	p.open.Close()
	if err := p.db.Close(); err != nil {
		return fmt.Errorf("close the payloads: %w", err)
	}
	return nil
}

// put keeps the answers that are not kept yet; nil Payloads keep none.
func (p *Payloads) put(feed string, at time.Time, payloads []Payload) error {
	if p == nil || len(payloads) == 0 {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	b := p.db.NewIndexedBatch()
	defer b.Close()
	kept := p.kept
	for i := range payloads {
		size, err := p.add(b, feed, at, &payloads[i])
		if err != nil {
			return fmt.Errorf("keep an answer of %s: %w", feed, err)
		}
		kept += size
	}
	kept, err := p.drop(b, kept)
	if err == nil {
		err = b.Commit(pebble.Sync)
	}
	if err != nil {
		return fmt.Errorf("keep an answer of %s: %w", feed, err)
	}
	p.kept = kept
	return nil
}

// add puts an answer's parts into the batch: the first has the key of the answer, each
// further one its number behind it. size is what they take; 0 of one that is there.
func (p *Payloads) add(b *pebble.Batch, feed string, at time.Time, payload *Payload) (size int64, err error) {
	sum := sha256.Sum256(payload.Body)
	key := append([]byte(feed+"\x00"+payload.What+"\x00"), sum[:]...)
	switch _, closer, err := b.Get(key); {
	case err == nil:
		return 0, closer.Close()
	case !errors.Is(err, pebble.ErrNotFound):
		return 0, err
	}
	when := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))
	for n, left := uint32(0), payload.Body; err == nil && (n == 0 || len(left) > 0); n++ {
		part := left[:min(payloadPart, len(left))]
		left = left[len(part):]
		name, value := key, slices.Clone(when)
		if n > 0 {
			name, value = binary.BigEndian.AppendUint32(slices.Clip(key), n), nil
		}
		value = p.pack.EncodeAll(part, value)
		size += int64(len(name) + len(value))
		err = b.Set(name, value, nil)
	}
	if err != nil {
		return 0, err
	}
	return size, b.Set(slices.Concat([]byte(ages), when, key), binary.BigEndian.AppendUint64(nil, uint64(size)), nil)
}

// drop puts into the batch that the oldest answers go, where more are kept than there
// is room for, and says how much is left.
func (p *Payloads) drop(b *pebble.Batch, kept int64) (left int64, err error) {
	if kept <= p.most {
		return kept, nil
	}
	read := p.oldest(func(age []byte, size int64) bool {
		key := age[len(ages)+8:]
		err = errors.Join(b.DeleteRange(key, append(slices.Clone(key), "\xff\xff\xff\xff\xff"...), nil), b.Delete(age, nil))
		kept -= size
		return err == nil && kept > p.most
	})
	return kept, errors.Join(read, err)
}

// Each calls f with every payload of the feed, by what was asked for.
func (p *Payloads) Each(feed string, f func(Kept) error) error {
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: []byte(feed + "\x00"), UpperBound: []byte(feed + "\x01")})
	if err != nil {
		return fmt.Errorf("read the answers of %s: %w", feed, err)
	}
	for ok := it.First(); ok && err == nil; {
		var kept Kept
		if kept, err = p.read(feed, it); err == nil {
			err, ok = f(kept), it.Valid()
		}
	}
	return errors.Join(err, it.Error(), it.Close())
}

// read reads the answer at which the iterator stands, and moves it behind its parts.
func (p *Payloads) read(feed string, it *pebble.Iterator) (k Kept, err error) {
	key, value := slices.Clone(it.Key()), it.Value()
	what, sum, ok := bytes.Cut(key[len(feed)+1:], []byte{0})
	if !ok || len(sum) != sha256.Size || len(value) < 8 {
		return k, fmt.Errorf("read an answer of %s: not in the form that it is kept in", feed)
	}
	k = Kept{Feed: feed, What: string(what), Hash: [sha256.Size]byte(sum)}
	k.Fetched = time.Unix(int64(binary.BigEndian.Uint64(value)), 0).UTC()
	k.Body, err = p.open.DecodeAll(value[8:], nil)
	for err == nil && it.Next() && bytes.HasPrefix(it.Key(), key) {
		k.Body, err = p.open.DecodeAll(it.Value(), k.Body)
	}
	if err != nil {
		return k, fmt.Errorf("read the answer %s of %s: %w", k.What, feed, err)
	}
	return k, nil
}
