package sinktest

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"

	"superindex/chain"
)

// Sink is what the suite tests: indexer.Sink and a way to close it.
type Sink interface {
	Name() string
	Position(ctx context.Context, stream chain.Stream) (chain.Position, error)
	Write(ctx context.Context, steps []chain.Step) error
	Close() error
}

// Server is a real server that sinks of one kind write to. It starts empty and
// is stopped by the cleanup of the test that made it.
type Server interface {
	// Open connects a new sink, as a daemon does after its own restart.
	Open(ctx context.Context) (Sink, error)

	// Events is what a user reads now: the view, or the folded stream, in any
	// order. It is called beside writers, and while the server is down.
	Events(ctx context.Context, stream chain.Stream) ([]Row, error)

	// Purge removes all that the server holds of the stream, as an operator
	// would. Sinks that are open meanwhile are not told.
	Purge(ctx context.Context, stream chain.Stream) error

	Process
}

// Process is the server's own.
type Process interface {
	// Kill ends the server as `kill -9` does. Start starts it again on the same
	// folder and the same address and returns once it answers.
	Kill() error
	Start(ctx context.Context) error
}

// Restorer is a Server that can go back to an earlier state of its own.
type Restorer interface {
	Backup(ctx context.Context) error  // keep the present state, with the server up before and after
	Restore(ctx context.Context) error // return to what Backup kept; open sinks may break
}

// Unfenced is a Server whose sinks do not refuse a second writer. The suite
// skips the case of two owners and prints the reason.
type Unfenced interface{ Unfenced() string }

// Row is one event as a user reads it, without what depends on when it was
// written. (Hash, Index) is its key within a stream.
type Row struct {
	Block   uint64
	Hash    chain.Hash
	Index   uint32
	Time    uint64 // seconds since 1970
	Address chain.Address
	Event   string
	Args    string // canonical JSON; "" or "{}" for none
}

// Run runs every case, each on a server of its own that start starts.
func Run(t *testing.T, start func(t *testing.T) Server) {
	seed := seedFromEnv(t)
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
			defer cancel()
			w := &work{Server: start(t), another: func() Server { return start(t) }, rand: rand.New(rand.NewPCG(seed, 0))}
			err := c.run(ctx, w)
			if closed := w.close(); err == nil {
				err = closed
			}
			var skip skipped
			switch {
			case errors.As(err, &skip):
				t.Skip(skip)
			case err != nil:
				t.Fatalf("%v\nto repeat: SINKTEST_SEED=%d go test -run '%s'", err, seed, t.Name())
			}
		})
	}
}

// work is what a case works with.
type work struct {
	Server
	another func() Server // one more empty server
	rand    *rand.Rand
	plays   []*play
}

func (w *work) close() error {
	var errs []error
	for _, p := range w.plays {
		errs = append(errs, p.sink.Close())
	}
	return errors.Join(errs...)
}

type oneCase struct {
	name string
	run  func(ctx context.Context, w *work) error
}

// skipped is why a case does not apply.
type skipped string

func (s skipped) Error() string { return string(s) }

func seedFromEnv(t *testing.T) uint64 {
	text := os.Getenv("SINKTEST_SEED")
	if text == "" {
		return rand.Uint64()
	}
	seed, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("SINKTEST_SEED: %v", err)
	}
	return seed
}
