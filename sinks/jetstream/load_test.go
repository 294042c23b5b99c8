package jetstream_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	js "github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
	embedded "superindex/internal/embedded/nats"
	"superindex/sinks/jetstream"
	"superindex/sinks/sinktest"
)

// loads is a sink of which every operation in a Load can fail, and that must not say too
// early what is held.
type loads struct {
	*testing.T
	server *embedded.Server
	js     js.JetStream
	sink   *jetstream.Sink
	steps  []chain.Step // but for the first each asks the server several times

	slow func(began uint64) // what a sync waits for; nil for nothing

	mu     sync.Mutex
	fails  int       // which operation from now on fails; below 0 none
	synced uint64    // so many messages were there when the last sync began that has ended
	last   chain.Seq // what is held
}

var errOnce = errors.New("it fails once")

func newLoads(t *testing.T, server *embedded.Server, name string) *loads {
	l := &loads{T: t, server: server, js: user(t, server.FullURL()), fails: -1}
	s := sinktest.NewScript(name)
	for path := "a"; len(path) < 6; path += "A" {
		s.Go(path)
	}
	l.steps = slices.Clone(s.Steps())
	for i := 2; i < len(l.steps); i++ {
		b := *l.steps[i].Apply
		b.Events = slices.Clone(b.Events[:250])
		for j := range b.Events {
			b.Events[j].Data = make([]byte, 4<<10) // twice as much as text
		}
		l.steps[i].Apply = &b
	}
	o := options(server.FullURL())
	o.Sync, o.Room = l.sync, l.room
	l.sink = open(t, o)
	return l
}

// operation counts one.
func (l *loads) operation() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails--; l.fails == -1 {
		return errOnce
	}
	return nil
}

// there is how many messages the stream has.
func (l *loads) there() uint64 {
	stream, err := l.js.Stream(l.Context(), jetstream.StreamName(l.steps[0].Stream))
	if err != nil {
		l.Error(err)
		return 0
	}
	return stream.CachedInfo().State.Msgs
}

func (l *loads) sync(stream string) error {
	began := l.there()
	if l.slow != nil {
		l.slow(began)
	}
	if err := errors.Join(l.operation(), l.server.Sync(stream)); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.synced = began
	return nil
}

func (l *loads) room(bytes int64) (func(), error) {
	if err := l.operation(); err != nil {
		return nil, err
	}
	return l.server.Room(bytes)
}

func (l *loads) held(last chain.Seq) error {
	l.mu.Lock()
	need := messagesUpTo(l.steps, last)
	if l.synced < need {
		l.Errorf("step %d is said to be held with %d messages on disk, it needs %d", last, l.synced, need)
	}
	l.mu.Unlock()
	if err := l.operation(); err != nil {
		return err
	}
	l.last = last
	return nil
}

func messagesUpTo(steps []chain.Step, last chain.Seq) (n uint64) {
	for i := range steps {
		if steps[i].Seq > last {
			break
		}
		if n++; steps[i].Apply != nil {
			n += uint64(len(steps[i].Apply.Events))
		}
	}
	return n
}

// load gives the sink a step at a time.
func (l *loads) load(steps []chain.Step) error {
	one := sinktest.OneByOne(steps)
	return l.sink.Load(l.Context(), l.steps[0].Stream, func(ctx context.Context) ([]chain.Step, error) {
		if err := l.operation(); err != nil {
			return nil, err
		}
		return one(ctx)
	}, l.held)
}

// goOn asks for the position and loads what follows; again where a message that was on its
// way takes effect meanwhile.
func (l *loads) goOn() (err error) {
	for range 1000 {
		var p chain.Position
		if p, err = l.sink.Position(l.Context(), l.steps[0].Stream); err == nil {
			if p.Seq < l.last {
				return fmt.Errorf("position %+v, and %d was held", p, l.last)
			}
			at := slices.IndexFunc(l.steps, func(s chain.Step) bool { return s.Seq == p.Seq })
			if err = l.load(l.steps[at+1:]); err == nil {
				return nil
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// Whatever fails in a Load, it ends with that, says no step to be held that is not on
// disk, and leaves what the next Load continues.
func TestEveryOperationOfALoadFailsOnce(t *testing.T) {
	server := start(t)
	n, failed := 0, true
	for ; failed; n++ {
		l := newLoads(t, server, fmt.Sprint("fails-", n))
		write(t, l.sink, l.steps[:1])
		if _, err := l.sink.Position(t.Context(), l.steps[0].Stream); err != nil {
			t.Fatal(err)
		}
		l.fails = n
		err := l.load(l.steps[1:])
		if failed = l.fails < 0; failed {
			if !errors.Is(err, errOnce) || chain.IsFatal(err) {
				t.Fatalf("operation %d: %v", n, err)
			}
			if err := l.load(l.steps[1:]); err == nil {
				t.Errorf("operation %d: a load with no position between", n)
			}
			err = l.goOn()
		}
		if all := messagesUpTo(l.steps, 1<<62); err != nil || l.there() != all {
			t.Fatalf("operation %d: %v; %d messages, want %d", n, err, l.there(), all)
		}
	}
	if n < 15 { // syncs, rooms, steps and what is held
		t.Errorf("%d operations in a load", n)
	}
}

// A sync does not hold up what follows. A step is given once the sync under way, if there
// is one, knows what was there before it.
func TestALoadPublishesBesideASync(t *testing.T) {
	l := newLoads(t, start(t), "beside")
	write(t, l.sink, l.steps[:1])
	all, beside, counted := messagesUpTo(l.steps, 1<<62), 0, make(chan struct{}, len(l.steps))
	l.slow = func(began uint64) {
		counted <- struct{}{}
		for deadline := time.Now().Add(10 * time.Second); began < all && time.Now().Before(deadline); time.Sleep(time.Millisecond) {
			if l.there() > began {
				beside++
				return
			}
		}
	}
	one := sinktest.OneByOne(l.steps[1:])
	err := l.sink.Load(t.Context(), l.steps[0].Stream, func(ctx context.Context) ([]chain.Step, error) {
		select {
		case <-counted:
		case <-time.After(time.Second): // none is under way
		}
		return one(ctx)
	}, l.held)
	if err != nil {
		t.Fatal(err)
	}
	if beside == 0 || l.last != l.steps[len(l.steps)-1].Seq || l.synced != all {
		t.Errorf("%d syncs beside the publishing; held up to %d, with %d messages on disk", beside, l.last, l.synced)
	}
}
