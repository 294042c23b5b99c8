package main

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"superindex/indexer"
	"superindex/internal/devchain"
)

// demoPlan is the demo's networks: an OP Stack chain makes a block every second or
// two; a reorg every quarter of a minute is a bad day.
var demoPlan = [...]demoPace{
	{name: "busy", chainID: 901, block: time.Second, acts: 6, reorg: 15 * time.Second},
	{name: "calm", chainID: 902, block: 2 * time.Second, acts: 2, reorg: 25 * time.Second},
	{name: "quiet", chainID: 903, block: 2 * time.Second, acts: 1, reorg: 40 * time.Second},
}

// demoDepth is how many blocks a reorg takes back at most.
const demoDepth = 6

// demoPace is what a chain of the demo does.
type demoPace struct {
	name    string
	chainID uint64
	block   time.Duration
	acts    int // a block
	reorg   time.Duration
}

// demoChain is one of the demo's chains.
type demoChain struct {
	demoPace
	*devchain.Chain
}

type demoChains []demoChain

// startChains starts them side by side, all or none.
func startChains(ctx context.Context, plan []demoPace) (demoChains, error) {
	all := make(demoChains, len(plan))
	var g errgroup.Group
	for i, p := range plan {
		g.Go(func() (err error) {
			all[i].demoPace = p
			all[i].Chain, err = devchain.Start(ctx, devchain.Options{ChainID: p.chainID})
			return err
		})
	}
	if err := g.Wait(); err != nil {
		all.Close()
		return nil, err
	}
	return all, nil
}

// Close stops the chains that were started.
func (all demoChains) Close() {
	for _, c := range all {
		if c.Chain != nil {
			c.Chain.Close()
		}
	}
}

// config is the chain as a network of the config.
func (c demoChain) config() networkConfig {
	return networkConfig{
		ChainID: c.ChainID(), RPC: []endpoint{{"anvil", c.URL()}}, Start: start{indexer.Start{Number: 1, Absolute: true}},
	}
}

// live lets users act, blocks be made and reorgs happen until ctx ends.
func (c demoChain) live(ctx context.Context, log *slog.Logger) error {
	pace := devchain.Pace{Block: c.block, Acts: c.acts, Reorg: c.reorg, MaxDepth: demoDepth, Log: log.With("network", c.name)}
	err := c.Run(ctx, rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), c.chainID)), pace)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}
