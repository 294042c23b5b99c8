package jetstream

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"

	"superindex/chain"
)

var errDisconnected = errors.New("the connection to the NATS server was lost")

// link is the connection and what it says unasked.
type link struct {
	*nats.Conn
	wait time.Duration // for an answer

	mu      sync.Mutex
	denied  map[string]error // what the server forbade, and nobody was told yet, by what it is about
	turn    int
	waiting map[int]context.CancelCauseFunc // for answers, by turn
}

// connect returns a link that comes back by itself whenever it is lost.
func connect(ctx context.Context, o Options) (*link, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	l := &link{wait: o.AckWait, denied: map[string]error{}, waiting: map[int]context.CancelCauseFunc{}}
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
	if o.Local != nil {
		options = append(options, nats.InProcessServer(o.Local))
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
	if !errors.Is(err, nats.ErrPermissionViolation) {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.denied[about(err)] = err
}

// about is what a refusal concerns: the name of a JetStream stream, the beginning
// of its subjects, or "" for what concerns all.
func about(err error) string {
	_, subject, _ := strings.Cut(err.Error(), `"`)
	subject, _, _ = strings.Cut(subject, `"`)
	parts := strings.Split(subject, ".")
	named := slices.IndexFunc(parts, func(p string) bool { return strings.HasPrefix(p, "SUPERINDEX_") })
	switch {
	case named >= 0: // of a request such as $JS.API.STREAM.CREATE.SUPERINDEX_X
		return parts[named]
	case parts[0] == "superindex" && len(parts) > 3 && parts[1] == "evm":
		return strings.Join(parts[:3], ".") + "."
	case parts[0] == "superindex":
		return "superindex.feed."
	}
	return ""
}

// refusal is what the server forbade of that stream, or of all, since it was asked
// for last.
func (l *link) refusal(of chain.Stream) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, what := range []string{StreamName(of), subjectPrefix(of), ""} {
		if err := l.denied[what]; err != nil {
			delete(l.denied, what)
			return err
		}
	}
	return nil
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

// within calls do with as long as an answer may take.
func (l *link) within(ctx context.Context, do func(context.Context) error) error {
	ctx, done := l.answering(ctx)
	defer done()
	return because(ctx, do(ctx))
}

// ask publishes m. What it returns waits for the answer, and must be called.
func (l *link) ask(ctx context.Context, m *nats.Msg) (answer func() (*nats.Msg, error), err error) {
	m.Reply = l.NewInbox()
	replies := make(chan *nats.Msg, 1)
	inbox, err := l.ChanSubscribe(m.Reply, replies)
	if err != nil {
		return nil, err
	}
	ctx, done := l.answering(ctx)
	if err := l.PublishMsg(m); err != nil {
		done()
		return nil, errors.Join(err, inbox.Unsubscribe())
	}
	return func() (*nats.Msg, error) {
		defer done()
		defer inbox.Unsubscribe() //nolint:errcheck // the connection may be gone, and the inbox with it
		select {
		case reply := <-replies:
			return answered(reply)
		case <-ctx.Done():
		}
		select { // the answer may have been there in time, and nobody asked for it until now
		case reply := <-replies:
			return answered(reply)
		default:
			return nil, context.Cause(ctx)
		}
	}, nil
}

func answered(reply *nats.Msg) (*nats.Msg, error) {
	if len(reply.Data) == 0 {
		return nil, nats.ErrNoResponders // it says so in a header
	}
	return reply, nil
}

// because is err, or where ctx ended the reason for that.
func because(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil || chain.IsFatal(err) {
		return err
	}
	return context.Cause(ctx)
}
