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

// OneByOne gives one step at a call, then none.
func OneByOne(steps []chain.Step) (next func(context.Context) ([]chain.Step, error)) {
	return func(context.Context) ([]chain.Step, error) {
		if len(steps) == 0 {
			return nil, nil
		}
		one := steps[:1]
		steps = steps[1:]
		return one, nil
	}
}
