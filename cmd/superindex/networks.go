package main

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"

	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/indexer/pool"
	"superindex/registry"
)

// networks are those that the config names, or, where it names none, every
// mainnet of the Superchain for which oss-directory lists an address of its own
// and that can be reached without a key.
func networks(c *config, snapshot *registry.Snapshot, log *slog.Logger) ([]chosen, error) {
	known, err := c.known()
	if err != nil {
		return nil, fmt.Errorf("registry.networks_file: %w", err)
	}
	f := &faults{}
	if len(c.Networks) > 0 {
		return c.choose(f, c.Networks, known), f.err()
	}
	var all []chosen
	for _, n := range known.Listed(snapshot) {
		one := c.choose(f, map[string]networkConfig{n.Name: {}}, known)
		if err := f.err(); err != nil {
			log.Warn("a network is left out", "network", n.Name, "error", err)
			*f = faults{}
		}
		all = append(all, one...)
	}
	if len(all) == 0 {
		return nil, errors.New("networks: none is named, and oss-directory lists an address of none")
	}
	return all, nil
}

// network is what the engine is to follow.
func (c chosen) network(snapshot *registry.Snapshot, table *decoder.Table, endpoints *pool.Pool) indexer.Network {
	return indexer.Network{
		Stream: chain.Stream{Name: c.name, ChainID: c.chainID}, Source: c.assume(endpoints), Witness: endpoints,
		Decoder: table, Watch: snapshot.Watch(c.directory()), Start: c.start(), Receipts: c.Mode == "receipts",
	}
}

// usualWindow is the sequencing window of a chain that nothing is known of, in
// blocks: the OP Stack's 3,600 blocks of L1, 12 s each, in blocks of 2 s.
const usualWindow = 21_600

// assume takes the finalized block from the sequencing window, or from so many blocks
// ago, where the config says so or the node has no tags.
func (c chosen) assume(s indexer.Source) indexer.Source {
	return &indexer.Assume{
		Source: s, Always: c.Finality != finality{},
		Blocks: cmp.Or(c.Finality.blocks, c.facts.WindowBlocks(), usualWindow),
	}
}

// start is the config's; a time is not looked for in blocks of another format.
func (c chosen) start() indexer.Start {
	s := c.Start.Start
	if !s.At.IsZero() {
		s.Number = c.facts.FirstBlock
	}
	return s
}

// newDecoder is the built-in table.
func newDecoder() (*decoder.Table, error) {
	sources, err := decoder.Builtin()
	if err != nil {
		return nil, fmt.Errorf("the built-in event table: %w", err)
	}
	return decoder.New(sources), nil
}
