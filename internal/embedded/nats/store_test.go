package nats

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/nats-io/nats.go/jetstream"
)

// The server, left alone, writes a stream with a large limit in blocks of 8 MiB. This
// fails where another version of it cannot be told otherwise.
func TestBlocksAreBounded(t *testing.T) {
	s := start(t, Options{Dir: t.TempDir()})
	js := streamOf(t, s, jetstream.StreamConfig{MaxBytes: 10e9})
	for range 40 {
		if _, err := js.Publish(t.Context(), "superindex.a", make([]byte, 100<<10)); err != nil {
			t.Fatal(err)
		}
	}
	blocks, err := filepath.Glob(filepath.Join(s.files.folder("S"), "msgs", "*.blk"))
	if err != nil || len(blocks) < 4 {
		t.Errorf("4 MiB are in %d blocks, %v", len(blocks), err)
	}
	for _, path := range blocks {
		if info, err := os.Stat(path); err != nil || info.Size() > blockLeast {
			t.Errorf("%s: %v, %v", path, info, err)
		}
	}
}

func TestLargeStreamsHaveLargeBlocks(t *testing.T) {
	for held, want := range map[uint64]uint64{0: 1 << 20, 1 << 30: 1 << 20, 3 << 30: 3 << 20, 1 << 40: 8 << 20} {
		if got := blockBytes(held); got != want {
			t.Errorf("a stream of %d bytes: blocks of %d instead of %d", held, got, want)
		}
	}
}

// What the server acknowledged and did not write yet is in the files after a Sync.
func TestSyncWritesWhatIsAcknowledged(t *testing.T) {
	s := start(t, Options{Dir: t.TempDir()})
	js := streamOf(t, s, jetstream.StreamConfig{PersistMode: jetstream.AsyncPersistMode})
	for i := range 100 {
		body := bytes.Repeat([]byte{'a' + byte(i%26)}, i+1)
		if _, err := js.Publish(t.Context(), "superindex.a", body); err != nil {
			t.Fatal(err)
		}
		if err := s.Sync("S"); err != nil {
			t.Fatal(err)
		}
		block, err := os.ReadFile(blockPath(filepath.Join(s.files.folder("S"), "msgs"), 1))
		if err != nil || !bytes.Contains(block, body) {
			t.Fatalf("message %d is not in the block of %d bytes, %v", i, len(block), err)
		}
	}
}

// streamOf makes the stream S and syncs it, as the sink does before it writes.
func streamOf(t *testing.T, s *Server, c jetstream.StreamConfig) jetstream.JetStream {
	t.Helper()
	_, js := connect(t, s, s.Users().Full, s.Users().FullPassword)
	c.Name, c.Subjects = "S", []string{"superindex.>"}
	if _, err := js.CreateStream(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	if err := s.Sync("S"); err != nil {
		t.Fatal(err)
	}
	return js
}
