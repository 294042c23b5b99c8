package jetstream

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

// Sink publishes steps. Its errors are temporary unless chain.IsFatal.
type Sink struct {
	options Options
	conn    *nats.Conn
	js      jetstream.JetStream
	log     *slog.Logger
	denied  atomic.Pointer[error] // what the server forbade since the last call that failed

	mu     sync.Mutex
	states map[chain.Stream]*state
}

// state is what the sink remembers of one stream between two calls.
type state struct {
	mu     sync.Mutex
	known  bool // fence, last and limit are what the server said, and nothing failed since
	looked bool // the stream's limits were compared with the configured ones
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
	s := &Sink{options: o, log: o.Log, states: map[chain.Stream]*state{}}
	if err := s.connect(ctx); err != nil {
		return nil, fmt.Errorf("jetstream: connect: %w", err)
	}
	js, err := jetstream.New(s.conn, jetstream.WithDefaultTimeout(o.AckWait))
	if err != nil {
		s.conn.Close()
		return nil, fmt.Errorf("jetstream: %w", err)
	}
	s.js = js
	return s, nil
}

func (s *Sink) connect(ctx context.Context) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	wait := s.options.AckWait
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline))
	}
	options := []nats.Option{
		nats.Name("superindex"), nats.Timeout(wait), nats.FlusherTimeout(s.options.AckWait),
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1), // what cannot be sent fails at once: the steps come again
		nats.ErrorHandler(s.hear),
	}
	if s.options.Credentials != "" {
		options = append(options, nats.UserCredentials(s.options.Credentials))
	}
	s.conn, err = nats.Connect(s.options.URL, options...)
	if errors.Is(err, nats.ErrAuthorization) {
		return chain.Fatal(err, "give the sink's NATS URL a user and a password, or a credentials file, that the server knows")
	}
	return err
}

// hear is told what the server says to no request in particular: a publish that
// is not allowed gets no answer.
func (s *Sink) hear(_ *nats.Conn, _ *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		s.denied.Store(&err)
	}
}

// Name is what configuration, status and metrics call this sink.
func (s *Sink) Name() string { return "nats" }

// Close ends the connection. What was acknowledged is held; a Write that is under
// way fails.
func (s *Sink) Close() error {
	s.conn.Close()
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
	of := steps[0].Stream
	st := s.state(of)
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.known {
		return fmt.Errorf("jetstream: write to %s: its position is not known: ask for it first", of)
	}
	st.known = false
	if err := s.write(ctx, of, st, steps); err != nil {
		return fmt.Errorf("jetstream: write to %s: %w", of, s.explain(err))
	}
	st.known = true
	return nil
}
