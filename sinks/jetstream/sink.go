package jetstream

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

// Sink publishes steps. Its errors are temporary unless chain.IsFatal.
type Sink struct {
	options Options
	link    *link
	js      jetstream.JetStream
	log     *slog.Logger

	mu     sync.Mutex
	states map[chain.Stream]*state
}

// state is what the sink remembers of one stream between two calls.
type state struct {
	mu     sync.Mutex
	known  bool // fence, last and limit are what the server said, and nothing failed since
	looked bool // the stream's limits were compared with the configured ones
	whole  bool // no message is missing before last: what this process sends is lost with it or not at all
	fence  uint64
	last   mark // of the last message, or of the last one put; zero for none
	limit  int  // bytes of headers and body
}

// Open connects to the server. The connection comes back by itself after the
// server went away; Close ends it.
func Open(ctx context.Context, o Options) (*Sink, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	if o.AckWait == 0 {
		o.AckWait = defaultAckWait
	}
	l, err := connect(ctx, o)
	if err != nil {
		return nil, fmt.Errorf("jetstream: %w", err)
	}
	js, err := jetstream.New(l.Conn, jetstream.WithDefaultTimeout(o.AckWait))
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("jetstream: %w", err)
	}
	return &Sink{options: o, link: l, js: js, log: o.Log, states: map[chain.Stream]*state{}}, nil
}

// Name is what configuration, status and metrics call this sink.
func (s *Sink) Name() string { return "nats" }

// Close ends the connection. What was acknowledged is held; a Write that is under
// way fails.
func (s *Sink) Close() error {
	s.link.Close()
	return nil
}

func (s *Sink) state(of chain.Stream) *state {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.states[of]
	if st == nil {
		st = &state{}
		s.states[of] = st
	}
	return st
}

// Write publishes the messages of steps of one stream, in order, that the stream
// does not hold yet. After an error some of them may be held, and Position must be
// asked before the next Write.
func (s *Sink) Write(ctx context.Context, steps []chain.Step) error {
	if len(steps) == 0 {
		return nil
	}
	given := steps
	next := func(context.Context) (now []chain.Step, _ error) {
		now, given = given, nil
		return now, nil
	}
	return s.Load(ctx, steps[0].Stream, next, func(chain.Seq) error { return nil })
}

// Load implements indexer.Bulk: it is a Write that goes on while next gives steps. What
// the server has acknowledged is synced beside the publishing of what follows, and only
// then held is told; the end of the stream is asked for once, not for each Write.
func (s *Sink) Load(ctx context.Context, of chain.Stream, next func(context.Context) ([]chain.Step, error), held func(chain.Seq) error) error {
	st := s.state(of)
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.known {
		return fmt.Errorf("jetstream: write to %s: its position is not known: ask for it first", of)
	}
	st.known = false
	if err := s.load(ctx, of, st, next, held); err != nil {
		return fmt.Errorf("jetstream: write to stream %s: %w", StreamName(of), s.explain(of, err))
	}
	st.known = true
	return nil
}
