package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/chain"
)

// Sink writes to one database of one ClickHouse.
type Sink struct {
	conn     clickhouse.Conn
	user     string
	database string
	timeout  time.Duration
	sync     func(within time.Duration) error
	runBytes int // see removable
	loadRows int // see load
	lines    *lines
	inserts  sync.Pool // of inserts, which are large
	turns    *turns

	mu      sync.Mutex
	streams map[chain.Stream]*stream
}

// stream is what a Sink remembers of a stream: who wrote last, as far as it
// knows. Another daemon on the same stream is noticed by it.
type stream struct {
	mu    sync.Mutex                     // one call at a time
	known bool                           // Position was asked since the last doubt
	held  chain.Position                 // what it said, or what was written since; without High
	doubt atomic.Pointer[chain.Position] // what a failed Write may have left behind, now or later
}

// errUnasked is what Write returns before Position was asked, or asked again
// after a failure.
var errUnasked = errors.New("clickhouse: write: the position was not asked for")

// Open connects to the warehouse, makes the database where it is missing and
// brings its tables up to date.
func Open(ctx context.Context, o Options) (*Sink, error) {
	server, err := o.server()
	if err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	s := &Sink{
		user:     server.Auth.Username,
		database: server.Auth.Database,
		timeout:  o.Timeout,
		sync:     o.Sync,
		runBytes: defaultRunBytes,
		loadRows: defaultLoadRows,
		lines:    newLines(server),
		inserts:  sync.Pool{New: newInserts},
		streams:  map[chain.Stream]*stream{},
	}
	s.turns = newTurns(s.writeTurn, s.commit, s.keep, s.pace)
	if s.timeout == 0 {
		s.timeout = defaultTimeout
	}
	if s.sync == nil {
		s.sync = func(time.Duration) error { return nil }
	}
	if err := s.createDatabase(ctx, *server); err != nil {
		return nil, err
	}
	if s.conn, err = clickhouse.Open(server); err != nil {
		return nil, fmt.Errorf("clickhouse: %w", err)
	}
	if err := s.migrate(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Name is the sink's name in status, metrics and configuration.
func (s *Sink) Name() string { return "clickhouse" }

// Close frees the connections. No call may be under way.
func (s *Sink) Close() error { return errors.Join(s.lines.close(), s.conn.Close()) }

// Position reads what the warehouse holds of a stream. The next Write expects to
// find just that. What an earlier Write leaves behind while this reads may be in
// High and not yet in Seq, never the other way about.
func (s *Sink) Position(ctx context.Context, of chain.Stream) (chain.Position, error) {
	st := s.stream(of)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.known = false
	stored, err := s.readState(ctx, of)
	if err != nil {
		return chain.Position{}, err
	}
	p, err := s.withHigh(ctx, of, stored.Position)
	if err != nil {
		return chain.Position{}, err
	}
	if err := s.durable(0); err != nil { // an earlier Write may have been cut before it was
		return chain.Position{}, err
	}
	st.known, st.held = true, stored.Position
	return p, nil
}

// Write holds the steps: their rows, then, once these are on the disk, the position
// that they lead to. After an error any part of them may be there, and Position is to
// be asked again. Steps that are held already do no harm.
func (s *Sink) Write(ctx context.Context, steps []chain.Step) error {
	if len(steps) == 0 {
		return nil
	}
	of := steps[0].Stream
	st := s.stream(of)
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.known {
		return errUnasked
	}
	st.known = false
	e := &entry{of: of, st: st, held: st.held, steps: steps}
	write := s.turns.do
	if !shares(steps) {
		write = s.writeAlone
	}
	if err := write(ctx, e); err != nil {
		return err
	}
	st.known, st.held = true, e.next.Position
	return nil
}

// writeAlone writes the entry's rows by statements of their own; only its position may
// share one.
func (s *Sink) writeAlone(ctx context.Context, e *entry) error {
	stored, err := s.readOwn(ctx, e.of, e.st)
	if err != nil {
		return err
	}
	steps := e.steps
	if lowered := stored.lowered(steps); lowered != stored {
		if err := s.settle(ctx, e.of, e.st, stored, lowered); err != nil {
			return err
		}
		stored = lowered
	}
	if err := s.writeRows(ctx, steps); err != nil {
		return err
	}
	e.next = stored.after(steps)
	return s.settle(ctx, e.of, e.st, stored, e.next)
}

// settle writes the state that the rows before it lead to, once these are on the disk.
func (s *Sink) settle(ctx context.Context, of chain.Stream, st *stream, stored, next state) error {
	return s.turns.do(ctx, &entry{of: of, st: st, next: next, moves: next != stored})
}

// readOwn reads the state, and refuses one that somebody else wrote.
func (s *Sink) readOwn(ctx context.Context, of chain.Stream, st *stream) (state, error) {
	stored, err := s.readState(ctx, of)
	if err != nil {
		return state{}, err
	}
	return stored, st.fence(of, st.held, stored.Position)
}

// durable returns once what was written would outlive a loss of power; it may wait so
// long for others who want that.
func (s *Sink) durable(within time.Duration) error {
	if err := s.sync(within); err != nil {
		return fmt.Errorf("clickhouse: %w", err)
	}
	return nil
}

// fence refuses to write after somebody else. A position that a failed Write of
// our own left behind is ours, however late it arrived.
func (st *stream) fence(of chain.Stream, held, stored chain.Position) error {
	if stored == held {
		return nil
	}
	if doubt := st.doubt.Load(); doubt != nil && stored == *doubt {
		return nil
	}
	return chain.Fatal(
		fmt.Errorf("clickhouse: write %s: another daemon wrote to it: it stands at step %d of journal %s, not at step %d of journal %s",
			of, stored.Seq, stored.Journal, held.Seq, held.Journal),
		"stop the other daemon; or take the stream over: "+chain.Adopt(of.Name))
}

func (s *Sink) stream(of chain.Stream) *stream {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.streams[of] == nil {
		s.streams[of] = new(stream)
	}
	return s.streams[of]
}
