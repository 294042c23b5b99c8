package main

import (
	"context"
	"fmt"
	"log/slog"

	"golang.org/x/sync/errgroup"

	"superindex/indexer/ethrpc"
	"superindex/indexer/pool"
)

// pool is a network's endpoints, as one source.
func (c chosen) pool(metrics *ethrpc.Metrics, log *slog.Logger) (*pool.Pool, error) {
	o := pool.Options{Network: c.name, Log: log}
	for _, at := range c.rpc {
		gate := pool.NewGate(c.MaxRPS)
		client, err := ethrpc.New(ethrpc.Options{Network: c.name, Name: at.Name, URL: at.URL, ChainID: c.chainID, Metrics: metrics, Gate: gate})
		if err != nil {
			return nil, fmt.Errorf("networks.%s: %w", c.name, err)
		}
		o.Members = append(o.Members, pool.Member{Name: at.Name, Endpoint: client, Gate: gate})
	}
	return pool.New(o)
}

// watchEndpoints looks after the endpoints that are not in use, until ctx ends.
func (s *selection) watchEndpoints(ctx context.Context) error {
	var g errgroup.Group
	for _, p := range s.pools {
		g.Go(func() error { return p.Run(ctx) })
	}
	return g.Wait()
}
