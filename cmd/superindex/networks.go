package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"maps"
	"slices"

	"superindex/chain"
	"superindex/decoder"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/registry"
)

// networks are those that the config names, or, where it names none, every
// mainnet of the Superchain for which oss-directory lists an address of its own.
// listed has their names in oss-directory.
func networks(c config, snapshot *registry.Snapshot, table *decoder.Table, metrics *ethrpc.Metrics, log *slog.Logger) (all []indexer.Network, listed map[string]string, err error) {
	known, err := registry.LoadNetworks(c.Registry.NetworksFile, registry.Superchain())
	if err != nil {
		return nil, nil, fmt.Errorf("registry.networks_file: %w", err)
	}
	wanted := maps.Clone(c.Networks)
	if len(wanted) == 0 {
		wanted = map[string]networkConfig{}
		for _, n := range known.Listed(snapshot) {
			wanted[n.Name] = networkConfig{}
		}
	}
	listed = map[string]string{}
	chains := map[uint64]string{}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		n := wanted[name]
		if n.Enabled != nil && !*n.Enabled {
			continue
		}
		net, err := network(name, n, known, snapshot, metrics, log)
		if err != nil {
			return nil, nil, fmt.Errorf("networks.%s: %w", name, err)
		}
		if other, twice := chains[net.ChainID]; twice || name == indexer.Feeds.Name {
			return nil, nil, fmt.Errorf("networks.%s: chain id %d is that of %s already, or the name is taken", name, net.ChainID, other)
		}
		chains[net.ChainID] = name
		net.Decoder = table
		facts, _ := known.Find(name)
		listed[name] = cmp.Or(facts.Directory, name)
		all = append(all, net)
	}
	if len(all) == 0 {
		return nil, nil, fmt.Errorf("networks: none is enabled")
	}
	return all, listed, nil
}

func network(name string, n networkConfig, known registry.Networks, snapshot *registry.Snapshot, metrics *ethrpc.Metrics, log *slog.Logger) (net indexer.Network, err error) {
	facts, ok := known.Find(name)
	switch {
	case !ok && n.ChainID == 0:
		return net, fmt.Errorf("no network of that name is known: give chain_id, or name it in registry.networks_file")
	case ok && n.ChainID != 0 && n.ChainID != facts.ChainID:
		return net, fmt.Errorf("chain_id is %d, this network's is %d", n.ChainID, facts.ChainID)
	}
	if n.Start.Absolute {
		if err := facts.CheckStart(n.Start.Number); err != nil {
			return net, err
		}
	}
	id := cmp.Or(n.ChainID, facts.ChainID)
	endpoints, err := endpoints(name, id, n, facts, metrics, log)
	if err != nil {
		return net, err
	}
	return indexer.Network{
		Stream: chain.Stream{Name: name, ChainID: id}, Source: endpoints,
		Watch: snapshot.Watch(cmp.Or(facts.Directory, name)), Start: n.Start.Start,
	}, nil
}

// newDecoder is the built-in table.
func newDecoder() (*decoder.Table, error) {
	sources, err := decoder.Builtin()
	if err != nil {
		return nil, fmt.Errorf("the built-in event table: %w", err)
	}
	return decoder.New(sources), nil
}
