package jetstream

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go"

	"superindex/chain"
)

var errDisconnected = errors.New("the connection to the NATS server was lost")

// link is the connection and what it says unasked.
type link struct {
	*nats.Conn
	wait   time.Duration         // for an answer
	denied atomic.Pointer[error] // what the server forbade since it was last asked

	mu      sync.Mutex
	turn    int
	waiting map[int]context.CancelCauseFunc // for answers, by turn
}

// connect returns a link that comes back by itself whenever it is lost.
func connect(ctx context.Context, o Options) (*link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := &link{wait: o.AckWait, waiting: map[int]context.CancelCauseFunc{}}
	dial := min(o.AckWait, 4*time.Second) // it does not end with ctx, and a stop may take 5 s
	if deadline, ok := ctx.Deadline(); ok {
		dial = min(dial, time.Until(deadline))
	}
	options := []nats.Option{
		nats.Name("superindex"), nats.Timeout(dial), nats.FlusherTimeout(o.AckWait),
		nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond), nats.IgnoreAuthErrorAbort(),
		nats.ReconnectBufSize(-1), // what cannot be sent fails at once: the steps come again
		nats.ErrorHandler(l.hear), nats.DisconnectErrHandler(l.lose),
	}
	if o.Credentials != "" {
		options = append(options, nats.UserCredentials(o.Credentials))
	}
	conn, err := nats.Connect(o.URL, options...)
	if errors.Is(err, nats.ErrAuthorization) {
		err = chain.Fatal(err, "give the sink's NATS URL a user and a password, or a credentials file, that the server knows")
	}
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	l.Conn = conn
	return l, nil
}

// hear takes what the server says to no request in particular: a publish that is
// not allowed gets no answer.
func (l *link) hear(_ *nats.Conn, _ *nats.Subscription, err error) {
	if errors.Is(err, nats.ErrPermissionViolation) {
		l.denied.Store(&err)
	}
}

// lose ends the requests under way: nobody will answer them.
func (l *link) lose(*nats.Conn, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, cancel := range l.waiting {
		cancel(errDisconnected)
	}
}

// answering is ctx for as long as an answer may take, and not longer than the
// connection lasts. done must be called.
func (l *link) answering(ctx context.Context) (_ context.Context, done func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	ctx, stop := context.WithTimeout(ctx, l.wait)
	l.mu.Lock()
	defer l.mu.Unlock()
	l.turn++
	turn := l.turn
	l.waiting[turn] = cancel
	return ctx, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.waiting, turn)
		stop()
		cancel(nil)
	}
}

// request publishes m and waits for the answer.
func (l *link) request(ctx context.Context, m *nats.Msg) (*nats.Msg, error) {
	ctx, done := l.answering(ctx)
	defer done()
	reply, err := l.RequestMsgWithContext(ctx, m)
	return reply, because(ctx, err)
}

// because is err, or where ctx ended the reason for that.
func because(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || chain.IsFatal(err) {
		return err
	}
	return context.Cause(ctx)
}
