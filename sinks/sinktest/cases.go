package sinktest

import (
	"context"
	"fmt"

	"golang.org/x/sync/errgroup"
)

func cases() []oneCase {
	return []oneCase{
		{"Order", order},
		{"RevertFirst", revertFirst},
		{"FlipBack", flipBack},
		{"RewindBelowFinal", rewindBelowFinal},
		{"FillBesideApplies", fillBesideApplies},
		{"Observations", observations},
		{"Repetition", repetition},
		{"RandomHistory", randomHistory},
		{"TwoStreams", twoStreams},
		{"CancelAmidWrite", cancelAmidWrite},
		{"RestartAmidWrite", restartAmidWrite},
		{"TwoClients", twoClients},
		{"TwoOwners", twoOwners},
		{"Added", added},
		{"Swapped", swapped},
		{"Purged", purged},
		{"Restored", restored},
	}
}

// order: step by step, each is seen at once, and the position follows; a new
// client stands where the last one stood.
func order(ctx context.Context, w *work) error {
	s := NewScript("order").Each("ab.d").Final(1).Each("abxyz").Final(3).Each("abxyq")
	p, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	for n := range s.Steps() {
		if err := p.write(ctx, n, n+1); err != nil {
			return err
		}
		if err := p.check(ctx); err != nil {
			return err
		}
		if err := p.reopen(ctx); err != nil {
			return err
		}
		if err := p.standsAt(ctx, n+1); err != nil {
			return err
		}
	}
	return nil
}

// revertFirst: a Revert on an empty sink is a step like any other, below and
// above what it knows.
func revertFirst(ctx context.Context, w *work) error {
	s := NewScript("revert-first").Begin("abc").Go("abcd")
	p, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	return each(ctx, p)
}

// flipBack: A -> B -> A faster than any deduplication window, in one write and
// in several.
func flipBack(ctx context.Context, w *work) error {
	s := NewScript("flip-back").Go("abcd").Go("abxy").Go("abcd").Go("abxy").Go("abcde")
	p, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	if err := each(ctx, p); err != nil {
		return err
	}
	s.Go("ab").Go("abcd").Go("a").Go("abcd").Go("").Go("abcd")
	return p.finish(ctx)
}

// rewindBelowFinal: the operator's order takes finality down with the chain, and
// leaves it where it stays above.
func rewindBelowFinal(ctx context.Context, w *work) error {
	s := NewScript("rewind").Go("abcd").Final(3).Rewind("a").Go("axyz").Final(2).Rewind("axy").Go("axyd").Rewind("").Go("ab")
	p, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	return each(ctx, p)
}

// fillBesideApplies: a late address is added, a range is repaired, and the head
// goes on and back between them.
func fillBesideApplies(ctx context.Context, w *work) error {
	s := NewScript("fill").Go("aabcde").Final(3).Late(1, 3).Go("aabcdxy").Repair(1, 2).Go("aabcz").Final(4).
		Late(4, 4).Repair(2, 4).Late(1, 4).Go("aabczAA").Final(6).Repair(5, 6).Repair(1, 6)
	p, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	if err := each(ctx, p); err != nil {
		return err
	}
	other, err := w.start(ctx, NewScript("fill-at-once").Go("abcd").Final(4).Late(1, 4).Repair(1, 3).Go("abcdef"), 0)
	if err != nil {
		return err
	}
	return other.finish(ctx)
}

// observations: steps without events move the position.
func observations(ctx context.Context, w *work) error {
	s := NewScript("observations").Go("ab").Observe(3).Observe(0).Go("ax").Observe(1)
	p, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	return each(ctx, p)
}

func each(ctx context.Context, p *play) error {
	for n := p.held; n < len(p.steps); n++ {
		if err := p.write(ctx, n, n+1); err != nil {
			return err
		}
		if err := p.check(ctx); err != nil {
			return err
		}
	}
	return nil
}

// twoStreams: one sink, two networks at once, neither sees the other.
func twoStreams(ctx context.Context, w *work) error {
	one := randomScript(w.rand, "two-streams-one", 40)
	two := randomScript(w.rand, "two-streams-two", 40)
	p, err := w.start(ctx, one, 0)
	if err != nil {
		return err
	}
	q := &play{Script: two, server: w, sink: p.sink}
	g, gctx := errgroup.WithContext(ctx)
	for _, p := range []*play{p, q} {
		seed := w.rand.Uint64()
		g.Go(func() error {
			if _, err := p.locate(gctx); err != nil {
				return err
			}
			return p.beside(gctx, func(ctx context.Context) error { return deliver(ctx, p, newRand(seed), noTrouble) })
		})
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, p := range []*play{p, q} {
		if err := p.finish(ctx); err != nil {
			return fmt.Errorf("%s: %w", p.Stream, err)
		}
	}
	return nil
}

// twoClients: two daemons on one journal. The one that lost the race is
// refused, or harmless, and goes on once it asked for its position.
func twoClients(ctx context.Context, w *work) error {
	s := NewScript("two-clients").Each("abcd").Go("abxy").Go("abcdef")
	a, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	if err := a.write(ctx, 0, 2); err != nil {
		return err
	}
	b, err := w.start(ctx, s, 2)
	if err != nil {
		return err
	}
	if err := b.write(ctx, 2, 5); err != nil {
		return err
	}
	err = a.write(ctx, 2, 4)
	if _, free := w.Server.(Unfenced); err == nil && !free {
		return fmt.Errorf("the first client's write was not refused")
	}
	a.held = b.held
	if err := a.standsAt(ctx, 5); err != nil {
		return err
	}
	return a.finish(ctx)
}

// twoOwners: another journal took over; the old one's next step is refused, and
// its sink says whose the rows are now.
func twoOwners(ctx context.Context, w *work) error {
	if u, ok := w.Server.(Unfenced); ok {
		return skipped(u.Unfenced())
	}
	s := NewScript("two-owners").Each("abcd").Final(1)
	old, err := w.start(ctx, s.clone(), 0)
	if err != nil {
		return err
	}
	if err := old.finish(ctx); err != nil {
		return err
	}
	next, err := w.start(ctx, s.Begin("ab").Go("abxy"), len(old.steps))
	if err != nil {
		return err
	}
	if err := next.finish(ctx); err != nil {
		return err
	}
	stray := old.Go("abcdef").steps
	if err := old.sink.Write(ctx, stray[len(stray)-1:]); err == nil {
		return fmt.Errorf("a step of the journal that lost the stream was not refused")
	}
	if err := next.check(ctx); err != nil {
		return err
	}
	old.Script, old.held = s, len(s.steps)
	if err := old.standsAt(ctx, len(s.steps)); err != nil {
		return fmt.Errorf("the old owner: %w", err)
	}
	return next.standsAt(ctx, len(s.steps))
}
