package indexer

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/cenkalti/backoff/v5"
	"golang.org/x/sync/errgroup"

	"superindex/chain"
	"superindex/reorg"
)

// Engine is what Run needs.
type Engine struct {
	Journal  *reorg.Journal
	Sinks    []Sink
	Networks []Network
	Registry Directory // its rows go to the stream Feeds
	Pollers  []Poller  // their rows too
	Pace     Pace
	Status   *Status
	Log      *slog.Logger

	bulk []chan struct{} // of each sink's relays
}

// Run follows every network into every sink until ctx ends, and returns once all
// that it started has ended. A fault stays where it arises: it is retried, and
// shown in the status, and the other networks and sinks go on.
func Run(ctx context.Context, e Engine) error {
	for range e.Sinks {
		e.bulk = append(e.bulk, make(chan struct{}, 1))
	}
	var g errgroup.Group
	for _, net := range e.Networks {
		g.Go(func() error { return e.follow(ctx, net) })
	}
	g.Go(func() error { return e.followFeeds(ctx) })
	g.Go(func() error { return e.guard(ctx) })
	return g.Wait()
}

// follow runs one network: its beginning, then its writer, its filler and a relay
// for every sink, side by side.
func (e Engine) follow(ctx context.Context, net Network) error {
	var w *Writer
	e.keep(ctx, net.Stream, "writer", func(ctx context.Context) (more bool, err error) {
		if err := Begin(ctx, net, e.Journal, e.Sinks); err != nil {
			return false, err
		}
		w, err = NewWriter(net, e.Journal, e.Pace, e.Status)
		return false, err
	})
	if w == nil {
		return nil // it was told to stop before it could begin
	}
	fill := NewFiller(net, e.Journal, e.Status)
	fill.room = w.room
	poll := e.Pace.withDefaults().Poll
	var g errgroup.Group
	g.Go(func() error { e.keep(ctx, net.Stream, "writer", paced(w.Rest, w.Advance)); return nil })
	g.Go(func() error { e.keep(ctx, net.Stream, "fill", paced(resting(poll), fill.Advance)); return nil })
	e.relay(ctx, &g, net.Stream)
	return g.Wait()
}

// relay runs a stream's relays, one a sink.
func (e Engine) relay(ctx context.Context, g *errgroup.Group, stream chain.Stream) {
	for i, sink := range e.Sinks {
		r := NewRelay(stream, sink, e.Journal, 0, e.Status)
		r.bulk = e.bulk[i]
		g.Go(func() error {
			e.keep(ctx, stream, sink.Name(), func(ctx context.Context) (bool, error) { return true, r.Advance(ctx) })
			return nil
		})
	}
}

// resting waits where a move had nothing to do.
func resting(poll time.Duration) func(bool) time.Duration {
	return func(moved bool) time.Duration {
		if moved {
			return 0
		}
		return poll
	}
}

// paced waits after each move that did not fail.
func paced(rest func(moved bool) time.Duration, advance func(context.Context) (bool, error)) func(context.Context) (bool, error) {
	return func(ctx context.Context) (bool, error) {
		moved, err := advance(ctx)
		if err == nil {
			wait(ctx, rest(moved))
		}
		return true, err
	}
}

// A part that failed waits between these, doubling, with jitter; one whose fault
// only an operator can mend is tried again at the longest, to see whether he has.
const (
	retryFirst = 100 * time.Millisecond
	retryMost  = 30 * time.Second
)

// keep makes move after move until one says that no more are needed or ctx ends.
func (e Engine) keep(ctx context.Context, stream chain.Stream, part string, move func(context.Context) (more bool, err error)) {
	retry := &backoff.ExponentialBackOff{InitialInterval: retryFirst, MaxInterval: retryMost, Multiplier: 2, RandomizationFactor: 0.5}
	watch := e.Status.network(stream)
	failed := false
	for ctx.Err() == nil {
		more, err := move(ctx)
		if err == nil {
			if failed {
				e.Log.Info("goes on", "stream", stream.Name, "part", part)
			}
			failed = false
			retry.Reset()
			if watch.fault(part, nil); !more {
				return
			}
			continue
		}
		if ctx.Err() != nil {
			return
		}
		pause := retry.NextBackOff()
		if chain.IsFatal(err) {
			pause = retryMost
		}
		watch.fault(part, err)
		e.Log.Warn("fault", "stream", stream.Name, "part", part, "error", err, "again_in", pause.Round(time.Millisecond))
		failed = true
		wait(ctx, max(pause, asked(err)))
	}
}

// Patient is an error that says how long its cause wants to be left alone.
type Patient interface{ RetryAfter() time.Duration }

func asked(err error) time.Duration {
	var p Patient
	if errors.As(err, &p) {
		return p.RetryAfter()
	}
	return 0
}

func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
