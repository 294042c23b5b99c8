package devchain

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"time"
)

// Pace says how busy the chain is.
type Pace struct {
	Block    time.Duration // between blocks
	Acts     int           // a block, on average
	Reorg    time.Duration // between reorgs; 0: none
	MaxDepth uint64        // of a reorg
	Log      *slog.Logger
}

// Check names the first field that is wrong.
func (p Pace) Check() error {
	switch {
	case p.Block <= 0:
		return errors.New("devchain: Block must be positive")
	case p.Acts < 0:
		return errors.New("devchain: Acts is negative")
	case p.Reorg < 0:
		return errors.New("devchain: Reorg is negative")
	case p.Reorg > 0 && p.MaxDepth < 2:
		return errors.New("devchain: MaxDepth is below 2")
	case p.Log == nil:
		return errors.New("devchain: Log is missing")
	}
	return nil
}

// Run lets users act, blocks be mined and reorgs happen until ctx ends, which is
// no error. One reorg in five removes blocks and the next blocks replace them.
func (c *Chain) Run(ctx context.Context, r *rand.Rand, p Pace) error {
	if err := p.Check(); err != nil {
		return err
	}
	block := time.NewTicker(p.Block)
	defer block.Stop()
	var reorg <-chan time.Time
	if p.Reorg > 0 {
		t := time.NewTicker(p.Reorg)
		defer t.Stop()
		reorg = t.C
	}
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case <-block.C:
			err = c.step(ctx, r, p)
		case <-reorg:
			err = c.upset(ctx, r, p)
		}
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// step is one block.
func (c *Chain) step(ctx context.Context, r *rand.Rand, p Pace) error {
	if err := c.Act(ctx, r, r.IntN(2*p.Acts+1)); err != nil {
		return err
	}
	return c.Mine(ctx, 1)
}

// upset is one reorg or rollback, of at least two blocks: a follower may not have
// seen the last one yet.
func (c *Chain) upset(ctx context.Context, r *rand.Rand, p Pace) (err error) {
	depth, what := 2+r.Uint64N(p.MaxDepth-1), "blocks replaced"
	if r.IntN(5) == 0 {
		what = "blocks removed"
		depth, err = c.Rollback(ctx, depth)
	} else {
		depth, err = c.Reorg(ctx, r, depth)
	}
	if err != nil {
		return err
	}
	// Anvil's clock stays behind by what it took back.
	if err := c.child.RPC.CallContext(ctx, nil, "evm_setTime", time.Now().Unix()); err != nil {
		return fmt.Errorf("set the clock: %w", err)
	}
	p.Log.Info("the dev chain changed its past", "what", what, "depth", depth)
	return nil
}
