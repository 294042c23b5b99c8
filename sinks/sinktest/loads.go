package sinktest

import (
	"context"
	"fmt"
	"slices"

	"superindex/chain"
)

// Loader is a sink that is given steps while it writes: indexer.Bulk.
type Loader interface {
	Load(ctx context.Context, stream chain.Stream, next func(context.Context) ([]chain.Step, error), held func(chain.Seq) error) error
}

// BulkSink is a Sink that is a Loader as well.
type BulkSink interface {
	Sink
	Loader
}

// ByLoads is the sink, but what can be loaded it writes by a Load, a step at a time.
func ByLoads(s BulkSink) Sink { return byLoads{s} }

type byLoads struct{ BulkSink }

func (s byLoads) Write(ctx context.Context, steps []chain.Step) error {
	for len(steps) > 0 {
		n := slices.IndexFunc(steps, func(s chain.Step) bool { return s.Apply == nil })
		switch {
		case n == 0:
			if err := s.BulkSink.Write(ctx, steps[:1]); err != nil {
				return err
			}
			n = 1
		default:
			if n < 0 {
				n = len(steps)
			}
			if err := Load(ctx, s, steps[:n]...); err != nil {
				return err
			}
		}
		steps = steps[n:]
	}
	return nil
}

// Load gives a sink one step after the other, and checks that it says in the end that
// all of them are held.
func Load(ctx context.Context, s Loader, steps ...chain.Step) error {
	var last chain.Seq
	held := func(seq chain.Seq) error {
		if seq <= last {
			return fmt.Errorf("step %d is held after %d", seq, last)
		}
		last = seq
		return nil
	}
	err := s.Load(ctx, steps[0].Stream, OneByOne(steps), held)
	if want := steps[len(steps)-1].Seq; err == nil && last != want {
		err = fmt.Errorf("held up to step %d, want %d", last, want)
	}
	return err
}

// OneByOne gives one step at a call, then none. As the daemon does, it puts others where
// a step lay once there were two calls more.
func OneByOne(steps []chain.Step) (next func(context.Context) ([]chain.Step, error)) {
	var before, last []chain.Step
	return func(context.Context) ([]chain.Step, error) {
		spoil(before)
		before, last = last, nil
		if len(steps) > 0 {
			last, steps = []chain.Step{lent(steps[0])}, steps[1:]
		}
		return last, nil
	}
}

// lent is an Apply whose events lie in memory of their own.
func lent(s chain.Step) chain.Step {
	b := *s.Apply
	b.Events = slices.Clone(b.Events)
	for i := range b.Events {
		b.Events[i] = b.Events[i].Clone()
	}
	s.Apply = &b
	return s
}

// spoil puts other events in the place of the steps'.
func spoil(steps []chain.Step) {
	for i := range steps {
		events := steps[i].Apply.Events
		for j := range events {
			clear(events[j].Topics)
			clear(events[j].Data)
			clear(events[j].Args)
			events[j] = chain.Event{} // no clear of all: a test for races would not see that
		}
	}
}
