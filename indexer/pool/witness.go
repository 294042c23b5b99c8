package pool

import (
	"context"
	"time"

	"superindex/chain"
)

// Confirm implements indexer.Witness. The leader says again which chain it serves;
// then the others are asked for the block. One of them that still has it, and whose
// head is not behind, leads from now on: a chain that keeps what it had is believed
// rather than one that takes it back.
func (p *Pool) Confirm(ctx context.Context, gone chain.BlockRef) (bool, error) {
	lead := p.leader()
	if err := lead.verify(ctx); err != nil || len(p.all) == 1 {
		return err == nil, err
	}
	for _, m := range p.candidates(time.Now()) {
		if m == lead {
			continue
		}
		switch p.word(ctx, lead, m, gone) {
		case agrees:
			return true, nil
		case denies:
			p.follow(m, "that one has lost block "+gone.String())
			return false, nil
		}
	}
	return false, ctx.Err()
}

// What an endpoint says of a block that another has lost.
const (
	silent = iota // nothing: it fails, or is itself behind
	agrees        // it has lost it, too
	denies        // it has it, and its head is not behind
)

// nearHead is how far below another's head one's own may be for one's word to count.
const nearHead = 5

func (p *Pool) word(ctx context.Context, lead, m *member, gone chain.BlockRef) int {
	h, err := m.readHeads(ctx)
	if err != nil {
		return silent
	}
	ref, ok, err := m.hashAt(ctx, gone.Number)
	led, _ := lead.shown()
	switch {
	case err != nil, !ok:
		return silent
	case ref != gone:
		return agrees
	case h.Latest.Number+nearHead < led.Latest.Number:
		return silent
	}
	return denies
}
