package sinktest

import (
	"context"
	"math/rand/v2"
)

func newRand(seed uint64) *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) }

// randomScript is a history of about n steps: blocks, forks, flips back, heads
// that become final, fills and observations.
func randomScript(r *rand.Rand, name string, n int) *Script {
	s := NewScript(name)
	before := ""
	for len(s.steps) < n {
		path := s.Path()
		switch k := r.IntN(20); {
		case k < 9:
			s.Go(path + letters(r, 1+r.IntN(4)))
		case k < 13:
			s.Go(path[:s.final+r.IntN(len(path)-s.final+1)] + letters(r, r.IntN(4)))
			before = path
		case k < 15:
			flip(s, before)
		case k < 17:
			s.Final(s.final + r.IntN(len(path)-s.final+1))
		case k < 19 && s.final > 0:
			from := 1 + r.IntN(s.final)
			fill := []func(from, to int) *Script{s.Late, s.Repair}[r.IntN(2)]
			fill(from, min(s.final, from+r.IntN(5)))
		case k == 19:
			s.Observe(r.IntN(3))
		}
	}
	return s
}

// flip goes back to a fork that was left, where finality still allows it.
func flip(s *Script, before string) {
	if len(before) >= s.final && before[:s.final] == s.path[:s.final] {
		s.Go(before)
	}
}

// letters are n blocks of few different kinds, so that forks often meet again.
func letters(r *rand.Rand, n int) string {
	const kinds = "abc.abc.abcA"
	b := make([]byte, n)
	for i := range b {
		b[i] = kinds[r.IntN(len(kinds))]
	}
	return string(b)
}

// trouble is what happens between two writes.
type trouble func(ctx context.Context, p *play, r *rand.Rand) error

func noTrouble(context.Context, *play, *rand.Rand) error { return nil }

// newClient now and then replaces the client.
func newClient(ctx context.Context, p *play, r *rand.Rand) error {
	if r.IntN(8) > 0 {
		return nil
	}
	if err := p.reopen(ctx); err != nil {
		return err
	}
	_, err := p.locate(ctx)
	return err
}

// deliver writes all steps in random groups, each from somewhere at or before
// the first step that is not held, and some of them nothing but repetitions.
func deliver(ctx context.Context, p *play, r *rand.Rand, between trouble) error {
	for p.held < len(p.steps) {
		if err := between(ctx, p, r); err != nil {
			return err
		}
		from, most := p.held, len(p.steps)
		if r.IntN(3) == 0 {
			from = r.IntN(p.held + 1)
			most -= r.IntN(2) * (most - max(p.held, from+1))
		}
		if err := p.write(ctx, from, min(most, from+1+r.IntN(8))); err != nil {
			return err
		}
	}
	return nil
}

// repetition: every run of steps that is held, again after each step: the rows
// and the position stay as they are.
func repetition(ctx context.Context, w *work) error {
	s := NewScript("repetition").Go("abc").Go("abx").Final(1).Late(1, 1).Go("abc").Repair(1, 1)
	p, err := w.start(ctx, s, 0)
	if err != nil {
		return err
	}
	for n := range s.steps {
		for from := n; from >= 0; from-- {
			if err := p.write(ctx, from, n+1); err != nil {
				return err
			}
			if err := p.write(ctx, from/2, from/2+1); err != nil {
				return err
			}
			if err := p.check(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// randomHistory: repeated from any earlier point and in other groups, by clients
// that come and go, beside a reader that never sleeps.
func randomHistory(ctx context.Context, w *work) error {
	p, err := w.start(ctx, randomScript(w.rand, "random", 150), 0)
	if err != nil {
		return err
	}
	if err := p.beside(ctx, func(ctx context.Context) error { return deliver(ctx, p, w.rand, newClient) }); err != nil {
		return err
	}
	return p.finish(ctx)
}
