package jetstream

import (
	"context"

	"superindex/chain"
)

// loading is a Load under way. It belongs to one goroutine.
type loading struct {
	*writer
	sync func() error
	tell func(chain.Seq) error

	ends  []end    // of what was given and is not known to be on disk, the oldest first
	under *syncing // way; nil: no sync is
}

// end is the last step of what was given at once, and the stream's sequence behind it.
type end struct {
	step  chain.Seq
	fence uint64
}

// syncing is a sync that puts the stream on the disk, up to a sequence at least.
type syncing struct {
	fence uint64
	done  chan error
}

func (s *Sink) load(ctx context.Context, of chain.Stream, st *state, next func(context.Context) ([]chain.Step, error), held func(chain.Seq) error) error {
	l := &loading{writer: s.newWriter(of, st), sync: func() error { return s.durable(of) }, tell: held}
	ctx, cancel := context.WithCancel(ctx)
	defer l.leave()
	defer cancel()
	for {
		steps, err := next(ctx)
		if err != nil {
			return err
		}
		if len(steps) == 0 {
			return l.finish(ctx)
		}
		if err := l.all(ctx, steps); err != nil {
			return err
		}
		l.ends = append(l.ends, end{steps[len(steps)-1].Seq, l.train.fence})
		if err := l.turn(); err != nil {
			return err
		}
	}
}

// turn waits for the sync under way, and begins one of what the server has acknowledged
// meanwhile: so what next gave twice is not on disk at most, and what the train has taken
// no answer for.
func (l *loading) turn() error {
	if err := l.wait(); err != nil || len(l.ends) == 0 || l.ends[0].fence > l.acked {
		return err
	}
	s := &syncing{l.acked, make(chan error, 1)}
	go func() { s.done <- l.sync() }()
	l.under = s
	return nil
}

// wait waits for the sync under way.
func (l *loading) wait() error {
	s := l.under
	if s == nil {
		return nil
	}
	l.under = nil
	if err := <-s.done; err != nil {
		return err
	}
	return l.durable(s.fence)
}

// durable tells which steps are on disk, now that the stream is up to a sequence.
func (l *loading) durable(fence uint64) error {
	if l.synced != "" {
		l.onDisk(fence)
	}
	last := chain.Seq(0)
	for len(l.ends) > 0 && l.ends[0].fence <= fence {
		last, l.ends = l.ends[0].step, l.ends[1:]
	}
	if last == 0 {
		return nil
	}
	return l.tell(last)
}

// finish waits until all that was given is on disk.
func (l *loading) finish(ctx context.Context) error {
	if err := l.flush(ctx); err != nil {
		return err
	}
	if err := l.wait(); err != nil {
		return err
	}
	if len(l.ends) > 0 {
		if err := l.sync(); err != nil {
			return err
		}
		if err := l.durable(l.train.fence); err != nil {
			return err
		}
	}
	l.state.fence = l.train.fence
	return nil
}

// leave waits for all that is under way, whatever comes of it.
func (l *loading) leave() {
	if l.under != nil {
		<-l.under.done
	}
	l.writer.leave()
}
