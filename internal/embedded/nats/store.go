package nats

import (
	"errors"
	"fmt"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/nats-io/nats-server/v2/server"

	"superindex/chain"
)

// The server is a library, but what it keeps of a stream it hides: no option bounds it,
// and no call writes to the files what it has not written yet. These two of its
// functions lead there; tests fail where another version has none.

//go:linkname lookupStream github.com/nats-io/nats-server/v2/server.(*Account).lookupStream
func lookupStream(of *server.Account, name string) (unsafe.Pointer, error)

//go:linkname storeOf github.com/nats-io/nats-server/v2/server.(*stream).Store
func storeOf(stream unsafe.Pointer) server.StreamStore

// flush writes to a stream's files what the server acknowledged of it, up to the message
// last, and bounds what it keeps of it in memory from then on.
func flush(s *server.Server, stream string) (last uint64, err error) {
	found, err := lookupStream(s.GlobalAccount(), stream)
	if err != nil {
		return 0, err
	}
	store := storeOf(found)
	var state server.StreamState
	store.FastState(&state)
	if err := bound(store, state.Bytes); err != nil {
		return 0, err
	}
	if err := store.FlushAllPending(); err != nil {
		return 0, chain.Fatal(fmt.Errorf("the server could not write: %w", err), "free space on its disk, or see in the system's log what the disk could not do, then restart the daemon")
	}
	return state.LastSeq, nil
}

// The server keeps a stream's last block of messages in memory, and each that was read
// for so long after that. Of its own accord a block is 8 MiB, for 10 s: 300 to 400 MiB
// for the networks of the Superchain. What a block takes while it is not in memory is
// about 1 kB, so that a large stream has larger ones.
const (
	blockLeast = 1 << 20
	blockMost  = 8 << 20
	blockShare = 1024 // of these a stream consists, from 1 GiB on
	blockKept  = 3 * time.Second
	indexKept  = 5 * time.Second // of a block's subjects: a network's next message comes sooner
)

var errUnknownStore = errors.New("this version of the server has another store")

// bound says how large the next blocks become of a stream that holds so many bytes, and
// how long they are kept in memory.
func bound(store server.StreamStore, held uint64) error {
	pointer := reflect.ValueOf(store)
	if pointer.Kind() != reflect.Pointer || pointer.Elem().Kind() != reflect.Struct {
		return errUnknownStore
	}
	mu, config := pointer.Elem().FieldByName("mu"), pointer.Elem().FieldByName("fcfg")
	if !is[sync.RWMutex](mu) || !is[server.FileStoreConfig](config) {
		return errUnknownStore
	}
	lock, c := (*sync.RWMutex)(mu.Addr().UnsafePointer()), (*server.FileStoreConfig)(config.Addr().UnsafePointer())
	lock.Lock()
	defer lock.Unlock()
	c.BlockSize = blockBytes(held)
	c.CacheExpire, c.SubjectStateExpire = blockKept, indexKept
	return nil
}

// blockBytes is how large the next block of a stream becomes that holds so many bytes.
func blockBytes(held uint64) uint64 { return min(max(held/blockShare, blockLeast), blockMost) }

func is[T any](v reflect.Value) bool { return v.IsValid() && v.Type() == reflect.TypeFor[T]() }
