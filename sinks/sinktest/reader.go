package sinktest

import (
	"context"
	"fmt"
	"strings"

	"golang.org/x/sync/errgroup"
)

// beside runs write while a reader that never sleeps looks at the rows: at every
// instant they must be of one fork, and none twice.
func (p *play) beside(ctx context.Context, write func(ctx context.Context) error) error {
	g, ctx := errgroup.WithContext(ctx)
	done := make(chan struct{})
	g.Go(func() error {
		defer close(done)
		return write(ctx)
	})
	g.Go(func() error {
		for {
			select {
			case <-done:
				return nil
			default:
			}
			rows, err := p.server.Events(ctx, p.Stream)
			if err != nil {
				continue // the server may be down: that is what the writer is tested with
			}
			if err := p.oneFork(rows); err != nil {
				return fmt.Errorf("a reader amid the writes: %w", err)
			}
		}
	})
	return g.Wait()
}

// oneFork checks that all rows lie on the fork of the highest one.
func (p *play) oneFork(rows []Row) error {
	rows = sorted(rows)
	if len(rows) == 0 {
		return nil
	}
	top := rows[len(rows)-1]
	seen := map[rowKey]bool{}
	for _, r := range rows {
		path, ok := p.forks[r.Hash]
		switch {
		case !ok:
			return fmt.Errorf("row %s is of no block of this script", r)
		case !strings.HasPrefix(p.forks[top.Hash], path):
			return fmt.Errorf("rows %s of %q and %s of %q are of two forks", r, path, top, p.forks[top.Hash])
		case seen[r.key()]:
			return fmt.Errorf("row %s twice", r)
		}
		seen[r.key()] = true
	}
	return nil
}
