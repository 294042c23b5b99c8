package jetstream_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	js "github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	"superindex/internal/embedded/nats/natstest"
	"superindex/sinks/jetstream"
	"superindex/sinks/sinktest"
)

// What is acknowledged to the journal is on disk, and so is what a position says:
// the disk is synced after the last message was acknowledged, and after the last
// message was read.
func TestSyncComesLast(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	s := sinktest.NewScript("sync").Go("abc").Go("abcAA").Go("abcAAb")
	o := options(server.FullURL())
	var held []int // how many messages there were at each sync
	var broken error
	o.Sync = func(name string) error {
		stream, err := j.Stream(t.Context(), name)
		if err != nil {
			return err
		}
		held = append(held, int(stream.CachedInfo().State.Msgs))
		return broken
	}
	sink := open(t, o)
	write(t, sink, s.Steps()[:3])
	if all := 1 + 7 + 801; len(held) != 3 || held[0] != 0 || held[1] != 1 || held[2] != all {
		t.Fatalf("synced with %d messages, want none, the first and %d", held, all)
	}

	broken = errors.New("the disk is gone")
	if err := sink.Write(t.Context(), s.Steps()[3:]); !errors.Is(err, broken) || chain.IsFatal(err) {
		t.Errorf("a write that is not on disk: %v", err)
	}
	if err := sink.Write(t.Context(), s.Steps()[3:]); err == nil {
		t.Error("write after one that failed, with no position between")
	}
	if p, err := sink.Position(t.Context(), s.Stream); !errors.Is(err, broken) {
		t.Errorf("a position that is not on disk: %+v, %v", p, err)
	}
	if err := sink.Write(t.Context(), s.Steps()[3:]); err == nil {
		t.Error("write after a position that failed")
	}
	broken = nil
	if p := write(t, sink, s.Steps()); p.Seq != s.Steps()[3].Seq {
		t.Errorf("position %+v: the messages were there", p)
	}
}

// Nothing is published that the server's disk has no room for: a stream that could not
// write once takes no more. What was taken is given back, whatever becomes of a Write.
func TestNoRoom(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	s := sinktest.NewScript("room").Go("abc").Go("abcAA").Go("abcAAb")
	o := options(server.FullURL())
	var taken, left int64
	full := errors.New("no space")
	o.Room = func(bytes int64) (func(), error) {
		if taken+bytes > left {
			return nil, full
		}
		taken += bytes
		return func() { taken -= bytes }, nil
	}
	held := func() uint64 {
		stream, err := j.Stream(t.Context(), "SUPERINDEX_ROOM")
		if err != nil {
			t.Fatal(err)
		}
		return stream.CachedInfo().State.Msgs
	}
	sink := open(t, o)
	for left = 0; ; left += 1 << 20 {
		if _, err := sink.Position(t.Context(), s.Stream); err != nil {
			t.Fatal(err)
		}
		err := sink.Write(t.Context(), s.Steps()[:3])
		if taken != 0 {
			t.Fatalf("%d bytes were not given back", taken)
		}
		if err == nil {
			break
		}
		if !errors.Is(err, full) || chain.IsFatal(err) {
			t.Fatal(err)
		}
		if left == 0 && held() != 0 {
			t.Fatalf("%d messages without room", held())
		}
	}
	if all := uint64(1 + 7 + 801); held() != all || left == 0 {
		t.Errorf("%d messages, want %d, with room for %d bytes", held(), all, left)
	}
}

// Where Sync writes what was acknowledged, the server need not write each message. A
// stream that is there already stays as it is, and takes messages.
func TestSyncedStreamIsWrittenAtOnce(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	o := options(server.FullURL())
	for _, c := range []struct {
		sync func(string) error
		want js.PersistModeType
		name string
	}{
		{server.Sync, js.AsyncPersistMode, "new"},
		{nil, js.DefaultPersistMode, "old"},
		{server.Sync, js.DefaultPersistMode, "old"},
	} {
		s := sinktest.NewScript(c.name).Go("abc")
		o.Sync = c.sync
		sink := open(t, o)
		write(t, sink, s.Steps())
		if p, err := sink.Position(t.Context(), s.Stream); err != nil || p.Seq != s.Steps()[1].Seq {
			t.Errorf("%s: position %+v, %v", c.name, p, err)
		}
		if got := config(t, j, s).PersistMode; got != c.want {
			t.Errorf("%s: %v instead of %v", c.name, got, c.want)
		}
	}
	o.Sync = nil
	_, err := open(t, o).Position(t.Context(), sinktest.NewScript("new").Stream)
	if !chain.IsFatal(err) || !strings.Contains(err.Error(), "persist_mode") {
		t.Errorf("a stream that nobody writes: %v", err)
	}
}

// Each message says up to where the stream was on disk before it was sent.
func TestMessagesSayWhatIsOnDisk(t *testing.T) {
	server := start(t)
	s := sinktest.NewScript("synced").Go("abc").Go("abcb")
	o := options(server.FullURL())
	o.Sync = server.Sync
	sink := open(t, o)
	write(t, sink, s.Steps()[:2])
	write(t, sink, s.Steps()[2:])
	for i, m := range messages(t, user(t, server.FullURL()), jetstream.StreamName(s.Stream)) {
		want := "0"
		if i >= 8 {
			want = "8"
		}
		if got := m.header.Get("Superindex-Synced"); got != want {
			t.Errorf("message %d: %q instead of %q", i+1, got, want)
		}
	}
}

// A loss of power took messages from the middle of the last write. Those after them
// are removed, the position is before them, and all come again.
func TestHoleIsMended(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	o := options(server.FullURL())
	o.Sync = server.Sync
	s := sinktest.NewScript("hole").Go("abc").Go("abcb").Go("abcbb").Go("abcbbb")
	steps := s.Steps()
	messagesOf := func(steps ...chain.Step) (n uint64) {
		for _, step := range steps {
			n++
			if step.Apply != nil {
				n += uint64(len(step.Apply.Events))
			}
		}
		return n
	}
	sink := open(t, o)
	write(t, sink, steps[:2])
	write(t, sink, steps[2:])
	stream, err := j.Stream(t.Context(), jetstream.StreamName(s.Stream))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.DeleteMsg(t.Context(), messagesOf(steps[:3]...)+2); err != nil {
		t.Fatal(err)
	}
	p, err := sink.Position(t.Context(), s.Stream)
	if err != nil || p.Seq != steps[4].Seq {
		t.Fatalf("position %+v, %v: power is not lost while the process lives", p, err)
	}
	sink = open(t, o)
	if p := rewrite(t, sink, steps[3:]); p.Seq != steps[2].Seq || p.High != steps[3].Seq {
		t.Errorf("position %+v, want step %d and something of %d", p, steps[2].Seq, steps[3].Seq)
	}
	if p := write(t, open(t, o), steps); p.Seq != steps[4].Seq {
		t.Errorf("position %+v", p)
	}
	if n := len(fetch(t, stream)); n != int(messagesOf(steps...)) {
		t.Errorf("%d messages", n)
	}
}

// The removal of an old message, which was on disk, is the operator's.
func TestOldHoleStays(t *testing.T) {
	server := start(t)
	o := options(server.FullURL())
	o.Sync = server.Sync
	s := sinktest.NewScript("old-hole").Go("abc").Go("abcb")
	sink := open(t, o)
	write(t, sink, s.Steps()[:2])
	write(t, sink, s.Steps()[2:])
	stream, err := user(t, server.FullURL()).Stream(t.Context(), jetstream.StreamName(s.Stream))
	if err != nil {
		t.Fatal(err)
	}
	if err := stream.DeleteMsg(t.Context(), 8); err != nil {
		t.Fatal(err)
	}
	if p := write(t, open(t, o), s.Steps()); p.Seq != s.Steps()[2].Seq {
		t.Errorf("position %+v", p)
	}
}

// A stream that keeps few messages of a subject has holes of its own.
func TestHolesOfALimitStay(t *testing.T) {
	server := start(t)
	j := user(t, server.FullURL())
	s := sinktest.NewScript("limited").Go("abc").Go("abcA")
	if _, err := j.CreateStream(t.Context(), js.StreamConfig{
		Name: jetstream.StreamName(s.Stream), Subjects: []string{"superindex.evm.limited.>"}, MaxMsgsPerSubject: 1,
	}); err != nil {
		t.Fatal(err)
	}
	o := options(server.FullURL())
	o.Sync = server.Sync
	write(t, open(t, o), s.Steps())
	if p := write(t, open(t, o), s.Steps()); p.Seq != s.Steps()[2].Seq {
		t.Errorf("position %+v", p)
	}
}

// rewrite asks for the position, which it returns, and writes until it is done: for a
// tenth of a second the server takes no message that it had once and that was removed.
func rewrite(t *testing.T, s *jetstream.Sink, steps []chain.Step) chain.Position {
	t.Helper()
	p, err := s.Position(t.Context(), steps[0].Stream)
	for range 1000 {
		if err != nil {
			t.Fatal(err)
		}
		if err = s.Write(t.Context(), steps); err == nil {
			return p
		}
		time.Sleep(50 * time.Millisecond)
		_, err = s.Position(t.Context(), steps[0].Stream)
	}
	t.Fatal("the steps cannot be written")
	return p
}

// fetch reads the sequences that a stream holds.
func fetch(t *testing.T, stream js.Stream) (out []uint64) {
	t.Helper()
	info, err := stream.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for n := info.State.FirstSeq; n <= info.State.LastSeq; n++ {
		switch _, err := stream.GetMsg(t.Context(), n); {
		case err == nil:
			out = append(out, n)
		case !errors.Is(err, js.ErrMsgNotFound):
			t.Fatal(err)
		}
	}
	return out
}

// A power cut amid a large write: the disk has the second block of messages, but
// not the end of the first; the server's index is older or newer than both.
func TestPowerCutBetweenTwoBlocks(t *testing.T) {
	for _, index := range []string{"without an index", "with the index of all"} {
		t.Run(index, func(t *testing.T) {
			server := &server{Child: natstest.New(t)}
			s := sinktest.NewScript("power").Go("abc").Go("abcA").Go("abcAb")
			steps := slices.Clone(s.Steps())
			steps[2].Apply = large(steps[2].Apply)
			o := server.options()
			o.Sync = func(string) error { return nil }
			sink := open(t, o)
			write(t, sink, steps[:2])
			write(t, sink, steps[2:])
			msgs := filepath.Join(server.Dir, "nats", "jetstream", "$G", "streams", jetstream.StreamName(s.Stream), "msgs")
			if index != "without an index" {
				if err := server.Stop(); err != nil { // it writes one
					t.Fatal(err)
				}
			} else if err := errors.Join(server.Kill(), os.RemoveAll(filepath.Join(msgs, "index.db"))); err != nil {
				t.Fatal(err)
			}
			cutShort(t, filepath.Join(msgs, "1.blk"), filepath.Join(msgs, "2.blk"))
			if err := server.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			sink = open(t, o)
			if p := rewrite(t, sink, steps); p.Seq < steps[1].Seq || p.Seq >= steps[2].Seq {
				t.Fatalf("position %+v: the large step is not whole, those before it are", p)
			}
			rows, err := server.Events(t.Context(), s.Stream)
			if want := sinktest.Want(steps); err != nil || len(rows) != len(want) {
				t.Errorf("%d rows instead of %d, %v", len(rows), len(want), err)
			}
		})
	}
}

// large has data enough for more than the 8 MiB of a block of messages.
func large(b *chain.Batch) *chain.Batch {
	out := *b
	out.Events = slices.Clone(b.Events)
	for i := range out.Events {
		out.Events[i].Data = make([]byte, 12<<10) // twice as much as text
	}
	return &out
}

// cutShort takes the last tenth of the first file; the second must be there.
func cutShort(t *testing.T, first, second string) {
	t.Helper()
	info, err := os.Stat(first)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(second); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(first, info.Size()*9/10); err != nil {
		t.Fatal(err)
	}
}
