package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/pool"
	"superindex/registry"
)

// selection is what one registry snapshot leads to: whom to watch, where. It never
// changes; another snapshot makes another selection.
type selection struct {
	snapshot *registry.Snapshot
	networks []indexer.Network
	listed   map[string]string // a network's name -> its name in oss-directory
	pools    map[string]*pool.Pool
	feeds    []feed
	listers  registry.Listers
}

// choose makes the selection of a snapshot. A network that goes on keeps its
// endpoints, and what is known of them.
func (d *daemon) choose(snapshot *registry.Snapshot, before *selection) (*selection, error) {
	all, err := networks(&d.config, snapshot, d.log)
	if err != nil {
		return nil, err
	}
	next := &selection{snapshot: snapshot, listed: map[string]string{}, pools: map[string]*pool.Pool{}, listers: snapshot.Listers()}
	for _, one := range all {
		endpoints := before.pool(one.name)
		if endpoints == nil {
			if endpoints, err = one.pool(d.rpc, d.log); err != nil {
				return nil, err
			}
		}
		next.networks = append(next.networks, one.network(snapshot, d.table, endpoints))
		next.listed[one.name], next.pools[one.name] = one.directory(), endpoints
	}
	return next, nil
}

// pool is nil where there is none yet.
func (s *selection) pool(network string) *pool.Pool {
	if s == nil {
		return nil
	}
	return s.pools[network]
}

// owners names the projects that own an address, as of the selection.
func (s *selection) owners(network string, a chain.Address) []string {
	for i := range s.networks {
		if set, ok := s.networks[i].Watch.(interface{ Owners(chain.Address) []string }); ok && s.networks[i].Name == network {
			return set.Owners(a)
		}
	}
	return nil
}

// rowOwners names the projects that list what a feed's row is about; nil where it is
// about none of a kind that projects list.
func (s *selection) rowOwners(feed string, row *chain.Row) []string {
	for _, source := range feedSources() {
		if source.Name != feed || source.Artifact == nil {
			continue
		}
		if artifact, ok := source.Artifact(row); ok {
			return s.listers.Of(artifact)
		}
	}
	return nil
}

// directory is the snapshot as rows, for the networks that run.
func (s *selection) directory() indexer.Directory {
	var running []string
	for _, n := range s.networks {
		running = append(running, s.listed[n.Name])
	}
	return indexer.Directory{ID: s.snapshot.ID() + " " + strings.Join(running, " "), Rows: s.snapshot.Rows(running)}
}

// follow runs the engine on what is selected, and again with each new selection. A
// refresh is thus a stop and a start, which the engine knows anyway: what changed
// while it was down, it notices.
func (d *daemon) follow(ctx context.Context) error {
	for {
		now := d.selected()
		g, round := errgroup.WithContext(ctx)
		round, end := context.WithCancel(round)
		g.Go(func() error { return now.watchEndpoints(round) })
		g.Go(func() error { return indexer.Run(round, d.engine(now)) })
		next := d.refreshed(round)
		end()
		if err := g.Wait(); err != nil || next == nil {
			return err
		}
		d.current.Store(next)
		d.status.Keep(next.networks)
	}
}

// refreshed waits for a snapshot that says something else; nil once ctx ends.
func (d *daemon) refreshed(ctx context.Context) *selection {
	every := time.Duration(d.config.Registry.Refresh)
	if every == 0 {
		<-ctx.Done()
		return nil
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		next, err := d.refresh(ctx)
		if err != nil && ctx.Err() == nil {
			d.log.Warn("the registry cannot be taken over; what was read before goes on", "error", err)
		}
		if next != nil {
			return next
		}
	}
}

// refresh reads the registry again; nil where it says the same.
func (d *daemon) refresh(ctx context.Context) (*selection, error) {
	snapshot, err := loadSnapshot(ctx, d.config)
	if err != nil {
		return nil, err
	}
	now := d.selected()
	if snapshot.ID() == now.snapshot.ID() {
		same := *now // but for when it was read, and whether it could be
		same.snapshot = snapshot
		d.current.Store(&same)
		return nil, nil
	}
	next, err := d.choose(snapshot, now)
	if err != nil {
		return nil, err
	}
	if next.feeds, err = d.makeFeeds(snapshot); err != nil {
		return nil, fmt.Errorf("feeds: %w", err)
	}
	d.log.Info("another registry snapshot", "version", snapshot.Version(), "projects", len(snapshot.Projects),
		"malformed", len(snapshot.Malformed()), "networks", len(next.networks))
	return next, nil
}
