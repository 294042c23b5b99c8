package sinktest

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"superindex/chain"
)

// large is a history whose steps are too large to be written in a moment: up to
// 4,000 events each, and forks between them.
func large(name string) *Script {
	s := NewScript(name)
	for n := 1; n <= 6; n++ {
		s.Go(strings.Repeat("ab", n) + "xAA").Go(strings.Repeat("ab", n) + strings.Repeat("B", n))
	}
	return s.Final(8).Late(1, 8).Repair(1, 8).Go(s.path + "c")
}

// cancelAmidWrite: writes that are cut at any moment. What was in flight is
// there or not; what was acknowledged is there; nothing is there twice.
func cancelAmidWrite(ctx context.Context, w *work) error {
	p, err := w.start(ctx, large("cancel"), 0)
	if err != nil {
		return err
	}
	err = p.beside(ctx, func(ctx context.Context) error {
		for range 25 {
			if err := p.cut(ctx, time.Duration(w.rand.IntN(12_000))*time.Microsecond); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return p.relay(ctx)
}

// cut writes the rest until the time is over, and asks for the position.
func (p *play) cut(ctx context.Context, after time.Duration) error {
	short, cancel := context.WithTimeout(ctx, after)
	defer cancel()
	if p.held == len(p.steps) {
		return nil
	}
	if err := p.write(short, p.held, len(p.steps)); err == nil || chain.IsFatal(err) {
		return err
	}
	if err := p.locateAgain(ctx); err != nil {
		return err
	}
	return p.checkHigh(ctx)
}

// checkHigh checks that rows that are not as of the position are not hidden: its
// High is above its Seq then. What is in flight may take effect meanwhile.
func (p *play) checkHigh(ctx context.Context) error {
	before, err := p.sink.Position(ctx, p.Stream)
	if err != nil {
		return p.locateAgain(ctx)
	}
	rows, err := p.server.Events(ctx, p.Stream)
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	after, err := p.sink.Position(ctx, p.Stream)
	if err != nil || before != after {
		return p.locateAgain(ctx)
	}
	n, err := p.find(after)
	if err != nil || after.High > after.Seq {
		return err
	}
	if err := differ(rows, Want(p.steps[:n])); err != nil {
		return fmt.Errorf("nothing is above step %d, says High, but after %d steps: %w", after.Seq, n, err)
	}
	return nil
}

// restartAmidWrite: the server is killed amid a write and started again, under
// the same client and under a new one.
func restartAmidWrite(ctx context.Context, w *work) error {
	p, err := w.start(ctx, large("restart"), 0)
	if err != nil {
		return err
	}
	return p.beside(ctx, func(ctx context.Context) error {
		for round := range 4 {
			if err := p.killAmid(ctx, time.Duration(w.rand.IntN(25_000))*time.Microsecond); err != nil {
				return err
			}
			if round%2 == 1 {
				if err := p.reopen(ctx); err != nil {
					return err
				}
			}
			if err := p.locateAgain(ctx); err != nil {
				return err
			}
		}
		return p.relay(ctx)
	})
}

// killAmid writes the rest, kills the server meanwhile, and starts it again.
func (p *play) killAmid(ctx context.Context, after time.Duration) error {
	var g errgroup.Group
	g.Go(func() error {
		if p.held == len(p.steps) {
			return nil
		}
		if err := p.write(ctx, p.held, len(p.steps)); chain.IsFatal(err) {
			return fmt.Errorf("a server that went away is no fatal error: %w", err)
		}
		return nil
	})
	g.Go(func() error {
		time.Sleep(after)
		if err := p.server.Kill(); err != nil {
			return fmt.Errorf("kill: %w", err)
		}
		return p.server.Start(ctx)
	})
	return g.Wait()
}

// added: a second sink is given everything from the first step on while the
// first goes on.
func added(ctx context.Context, w *work) error {
	s := randomScript(w.rand, "added", 30)
	one, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	if err := one.write(ctx, 0, 20); err != nil {
		return err
	}
	two, err := w.startOn(ctx, w.another(), s, 0)
	if err != nil {
		return err
	}
	if err := two.finish(ctx); err != nil {
		return err
	}
	return one.finish(ctx)
}

// swapped: the server holds another journal's history, which the new journal
// knows nothing of; it takes over from a block that both have.
func swapped(ctx context.Context, w *work) error {
	s := NewScript("swapped").Each("abcdef").Final(2).Late(1, 2)
	old, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	if err := old.finish(ctx); err != nil {
		return err
	}
	p, err := w.start(ctx, s.Begin("ab").Go("abxyz").Final(3), old.held)
	if err != nil {
		return err
	}
	return each(ctx, p)
}

// purged: nothing is left; the position says so, and the same steps fill the
// sink again, if not at the first try then soon.
func purged(ctx context.Context, w *work) error {
	s := randomScript(w.rand, "purged", 30)
	p, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	if err := p.finish(ctx); err != nil {
		return err
	}
	if err := w.Purge(ctx, s.Stream); err != nil {
		return fmt.Errorf("purge: %w", err)
	}
	if p, err = w.start(ctx, s, 0); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	return p.relay(ctx)
}

// restored: the server goes back to an earlier state; the position says which,
// and the steps after it make it whole.
func restored(ctx context.Context, w *work) error {
	server, ok := w.Server.(Restorer)
	if !ok {
		return skipped("this server cannot go back to an earlier state")
	}
	s := randomScript(w.rand, "restored", 40)
	p, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	if err := p.write(ctx, 0, 15); err != nil {
		return err
	}
	if err := server.Backup(ctx); err != nil {
		return fmt.Errorf("backup: %w", err)
	}
	if p, err = w.start(ctx, s, 15); err != nil {
		return err
	}
	if err := p.finish(ctx); err != nil {
		return err
	}
	if err := server.Restore(ctx); err != nil {
		return fmt.Errorf("restore: %w", err)
	}
	if p, err = w.start(ctx, s, 15); err != nil {
		return err
	}
	return p.finish(ctx)
}
