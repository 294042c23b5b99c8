package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"

	"golang.org/x/sync/errgroup"

	"superindex/indexer/ethrpc"
	"superindex/indexer/pool"
	"superindex/registry"
)

// endpoints are a network's endpoints, as one source.
func endpoints(network string, id uint64, n networkConfig, facts registry.Network, metrics *ethrpc.Metrics, log *slog.Logger) (*pool.Pool, error) {
	listed, err := rpc(n, facts)
	if err != nil {
		return nil, err
	}
	o := pool.Options{Network: network, Log: log}
	for _, at := range listed {
		gate := pool.NewGate(0)
		client, err := ethrpc.New(ethrpc.Options{Network: network, Name: at.Name, URL: at.URL, ChainID: id, Metrics: metrics, Gate: gate})
		if err != nil {
			return nil, err
		}
		o.Members = append(o.Members, pool.Member{Name: at.Name, Endpoint: client, Gate: gate})
	}
	return pool.New(o)
}

// rpc are the endpoints of the config, or else the public ones of the table.
func rpc(n networkConfig, facts registry.Network) (all []endpoint, err error) {
	for _, e := range n.RPC {
		url, err := registry.ExpandURL(e.URL, os.LookupEnv)
		if err != nil {
			return nil, err
		}
		all = append(all, endpoint{e.Name, url})
	}
	if len(all) > 0 {
		return all, nil
	}
	urls, err := facts.Endpoints(os.LookupEnv)
	if err == nil && len(urls) == 0 {
		err = fmt.Errorf("rpc: no endpoint is given, and none is known")
	}
	for i, url := range urls {
		name := "public"
		if i > 0 {
			name = fmt.Sprintf("public-%d", i+1)
		}
		all = append(all, endpoint{name, url})
	}
	return all, err
}

// pools are the endpoints of each network that runs.
func (d *daemon) pools() map[string]*pool.Pool {
	all := map[string]*pool.Pool{}
	for _, n := range d.networks {
		if p, ok := n.Source.(*pool.Pool); ok {
			all[n.Name] = p
		}
	}
	return all
}

// watchEndpoints looks after the endpoints that are not in use, until ctx ends.
func (d *daemon) watchEndpoints(ctx context.Context) error {
	var g errgroup.Group
	for _, p := range d.pools() {
		g.Go(func() error { return p.Run(ctx) })
	}
	return g.Wait()
}
