package sinktest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"superindex/chain"
)

// play is one script on its way into one sink.
type play struct {
	*Script
	server Server
	sink   Sink
	held   int // steps that the sink has acknowledged
}

// start opens a sink for a script and asks it for its position, which must be
// the one after held steps. Run closes the sink.
func (w *work) start(ctx context.Context, s *Script, held int) (*play, error) {
	return w.startOn(ctx, w.Server, s, held)
}

func (w *work) startOn(ctx context.Context, server Server, s *Script, held int) (*play, error) {
	p := &play{Script: s, server: server, held: held}
	if err := p.reopen(ctx); err != nil {
		return nil, err
	}
	w.plays = append(w.plays, p)
	err := p.standsAt(ctx, held)
	return p, err
}

// standsAt checks that the sink's position is the one after n steps.
func (p *play) standsAt(ctx context.Context, n int) error {
	got, err := p.locate(ctx)
	if err == nil && got != n {
		err = fmt.Errorf("the sink stands after %d steps instead of %d", got, n)
	}
	return err
}

// reopen replaces the sink by a new one, as a restart of the daemon does.
func (p *play) reopen(ctx context.Context) (err error) {
	if p.sink != nil {
		if err := p.sink.Close(); err != nil {
			return fmt.Errorf("close: %w", err)
		}
	}
	if p.sink, err = p.server.Open(ctx); err != nil {
		return fmt.Errorf("open: %w", err)
	}
	return nil
}

// locate asks the sink for its position and finds the step that it names.
func (p *play) locate(ctx context.Context) (int, error) {
	got, err := p.sink.Position(ctx, p.Stream)
	if err != nil {
		return 0, fmt.Errorf("position: %w", err)
	}
	return p.find(got)
}

// find returns how many steps are held at a position. That may be behind what
// was in flight, but not behind what was acknowledged.
func (p *play) find(got chain.Position) (int, error) {
	if !p.highFits(got) {
		return 0, fmt.Errorf("position %+v: High is none of the steps, or below Seq", got)
	}
	for n := range len(p.steps) + 1 {
		if !stands(got, p.steps[:n]) {
			continue
		}
		if n < p.held {
			return n, fmt.Errorf("the position is after %d steps, but %d were acknowledged", n, p.held)
		}
		p.held = n
		return n, nil
	}
	return 0, fmt.Errorf("position %+v is after none of the %d steps", got, len(p.steps))
}

// highFits reports that a position's highest step is one of the script's, and
// not below the one that is held.
func (p *play) highFits(got chain.Position) bool {
	return got.High == 0 && got.Empty() || got.High >= got.Seq && slices.ContainsFunc(p.steps, func(s chain.Step) bool {
		return s.Seq == got.High && s.Digest == got.HighDigest
	})
}

// stands reports that a position is the one after these steps, whatever is above.
func stands(got chain.Position, steps []chain.Step) bool {
	want := wantPosition(steps)
	want.High, want.HighDigest = got.High, got.HighDigest
	return got == want
}

// locateAgain is locate with patience: after a failure the sink, or its server,
// may take a while to answer again.
func (p *play) locateAgain(ctx context.Context) error {
	for {
		got, err := p.sink.Position(ctx, p.Stream)
		if err == nil {
			_, err = p.find(got)
			return err
		}
		if chain.IsFatal(err) {
			return fmt.Errorf("position: %w", err)
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// write gives the sink the steps from to to, counted from 0, to not included.
func (p *play) write(ctx context.Context, from, to int) error {
	if err := p.sink.Write(ctx, p.steps[from:to]); err != nil {
		return fmt.Errorf("write steps %d to %d: %w", from, to, err)
	}
	p.held = max(p.held, to)
	return nil
}

// relay writes what is not held yet as a relay does: after an error that is not
// fatal it asks for the position and goes on from there.
func (p *play) relay(ctx context.Context) error {
	for p.held < len(p.steps) {
		err := p.write(ctx, p.held, len(p.steps))
		if err == nil {
			break
		}
		if chain.IsFatal(err) || ctx.Err() != nil {
			return err
		}
		if again := p.locateAgain(ctx); again != nil {
			return errors.Join(again, err)
		}
	}
	return p.check(ctx)
}

// finish writes what is not held yet and checks the end.
func (p *play) finish(ctx context.Context) error {
	if p.held < len(p.steps) {
		if err := p.write(ctx, p.held, len(p.steps)); err != nil {
			return err
		}
	}
	return p.check(ctx)
}

// check compares what a user reads, and the position, with the steps held.
func (p *play) check(ctx context.Context) error {
	rows, err := p.server.Events(ctx, p.Stream)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if err := differ(rows, Want(p.steps[:p.held])); err != nil {
		return fmt.Errorf("after %d steps: %w", p.held, err)
	}
	got, err := p.sink.Position(ctx, p.Stream)
	if err != nil {
		return fmt.Errorf("position: %w", err)
	}
	if !stands(got, p.steps[:p.held]) || got.High != got.Seq || got.HighDigest != got.Digest {
		return fmt.Errorf("position after %d steps is %+v instead of %+v", p.held, got, wantPosition(p.steps[:p.held]))
	}
	return nil
}
