package world

import (
	"context"
	"errors"
	"slices"

	"superindex/chain"
	"superindex/indexer"
)

// Loading is a sink that takes history by loads as well: an indexer.Bulk. As the real
// ones do, it makes one write of what several calls of next gave, takes more before a
// write has taken effect, and looks at steps as late as it may.
type Loading struct {
	indexer.Sink
	calls int // of next, that a write takes in
	ahead int // writes that are put off while it takes more
}

// Load implements indexer.Bulk.
func (s Loading) Load(ctx context.Context, _ chain.Stream, next func(context.Context) ([]chain.Step, error), held func(chain.Seq) error) error {
	var writes [][]chain.Step // that were put off
	var taken, given []chain.Step
	for n := 1; ; n++ {
		steps, err := next(ctx)
		if err != nil { // what was put off may yet take effect, and nobody is told
			return errors.Join(err, s.settle(ctx, &writes, 0, func(chain.Seq) error { return nil }))
		}
		taken = append(taken, copied(given)...) // before next is called once more
		given = steps
		over := len(steps) == 0
		if len(taken) > 0 && (over || n%s.calls == 0) {
			writes, taken = append(writes, taken), nil
		}
		if over {
			return s.settle(ctx, &writes, 0, held)
		}
		if err := s.settle(ctx, &writes, s.ahead, held); err != nil {
			return err
		}
	}
}

// settle writes, the oldest first, until no more than so many are put off.
func (s Loading) settle(ctx context.Context, writes *[][]chain.Step, most int, held func(chain.Seq) error) error {
	for len(*writes) > most {
		steps := (*writes)[0]
		*writes = (*writes)[1:]
		if err := s.Write(ctx, steps); err != nil {
			return err
		}
		if err := held(steps[len(steps)-1].Seq); err != nil {
			return err
		}
	}
	return nil
}

// copied are Applies whose events lie in memory of their own.
func copied(steps []chain.Step) []chain.Step {
	steps = slices.Clone(steps)
	for i := range steps {
		b := *steps[i].Apply
		b.Events = slices.Clone(b.Events)
		for j := range b.Events {
			b.Events[j] = b.Events[j].Clone()
		}
		steps[i].Apply = &b
	}
	return steps
}
