package poller

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
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
// same answer is kept once.
type Payloads struct {
	db   *pebble.DB
	pack *zstd.Encoder
	open *zstd.Decoder
}

// maxPayload is the largest body that is read back, in bytes.
const maxPayload = 256 << 20

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
		return nil, fmt.Errorf("open the payloads in %s: %w", dir, err)
	}
	return &Payloads{db, pack, unpack}, nil
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
	b := p.db.NewBatch()
	defer b.Close()
	for _, payload := range payloads {
		sum := sha256.Sum256(payload.Body)
		key := append([]byte(feed+"\x00"+payload.What+"\x00"), sum[:]...)
		_, closer, err := p.db.Get(key)
		if err == nil {
			err = closer.Close()
		} else if errors.Is(err, pebble.ErrNotFound) {
			err = b.Set(key, p.pack.EncodeAll(payload.Body, binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))), nil)
		}
		if err != nil {
			return fmt.Errorf("keep an answer of %s: %w", feed, err)
		}
	}
	if err := b.Commit(pebble.Sync); err != nil {
		return fmt.Errorf("keep an answer of %s: %w", feed, err)
	}
	return nil
}

// Each calls f with every payload of the feed, by what was asked for.
func (p *Payloads) Each(feed string, f func(Kept) error) error {
	it, err := p.db.NewIter(&pebble.IterOptions{LowerBound: []byte(feed + "\x00"), UpperBound: []byte(feed + "\x01")})
	if err != nil {
		return fmt.Errorf("read the answers of %s: %w", feed, err)
	}
	for ok := it.First(); ok && err == nil; ok = it.Next() {
		var kept Kept
		if kept, err = p.read(feed, it.Key(), it.Value()); err == nil {
			err = f(kept)
		}
	}
	return errors.Join(err, it.Close())
}

func (p *Payloads) read(feed string, key, value []byte) (k Kept, err error) {
	rest := key[len(feed)+1:]
	if len(rest) < sha256.Size+1 || len(value) < 8 {
		return k, fmt.Errorf("read an answer of %s: not in the form that it is kept in", feed)
	}
	k = Kept{Feed: feed, What: string(rest[:len(rest)-sha256.Size-1]), Hash: [sha256.Size]byte(rest[len(rest)-sha256.Size:])}
	k.Fetched = time.Unix(int64(binary.BigEndian.Uint64(value)), 0).UTC()
	if k.Body, err = p.open.DecodeAll(value[8:], nil); err != nil {
		return k, fmt.Errorf("read the answer %s of %s: %w", k.What, feed, err)
	}
	return k, nil
}
