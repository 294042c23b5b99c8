package main

import (
	"context"
	"fmt"
	"io"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"
	"golang.org/x/sync/errgroup"

	"superindex/indexer"
	"superindex/registry"
)

// counts is the registry in figures.
type counts struct {
	Version  string         `json:"registry_commit"`
	Projects int            `json:"projects"`
	Accounts int            `json:"accounts"`
	Watched  map[string]int `json:"watched"` // addresses, by network
	Note     string         `json:"note,omitempty"`
}

func count(snapshot *registry.Snapshot, all []chosen) *counts {
	c := &counts{Version: snapshot.Version(), Projects: len(snapshot.Projects), Watched: map[string]int{}, Note: snapshot.Note}
	for _, p := range snapshot.Projects {
		c.Accounts += len(p.Accounts)
	}
	for _, n := range all {
		c.Watched[n.name] = snapshot.Watch(n.directory()).Len()
	}
	return c
}

// String is a line.
func (c *counts) String() string {
	watched := 0
	for _, n := range c.Watched {
		watched += n
	}
	text := fmt.Sprintf("%s: projects %s, addresses to watch %s, networks %d",
		c.Version, humanize.Comma(int64(c.Projects)), humanize.Comma(int64(watched)), len(c.Watched))
	if c.Note != "" {
		text += "; " + c.Note
	}
	return text
}

// plan is what would be done for a network, and what it would cost.
type plan struct {
	Network       string  `json:"network"`
	From          uint64  `json:"from_block"`
	To            uint64  `json:"to_block"`
	Blocks        uint64  `json:"blocks"`
	Watched       int     `json:"watched_addresses"`
	LogsPerBlock  float64 `json:"logs_per_block"`
	Events        uint64  `json:"events"`
	BlocksAtOnce  uint64  `json:"blocks_a_request"`
	Requests      uint64  `json:"requests"`
	Calls         uint64  `json:"calls"`
	Seconds       float64 `json:"seconds"`
	LiveRequests  uint64  `json:"live_requests_an_hour"`
	LiveCalls     uint64  `json:"live_calls_an_hour"`
	SecondsABlock float64 `json:"seconds_a_block"`
	Fault         string  `json:"fault,omitempty"`
}

// plans asks every network for samples, all at once.
func (e *examination) plans(ctx context.Context) []plan {
	all := make([]plan, len(e.networks))
	var g errgroup.Group
	for i, n := range e.networks {
		g.Go(func() error {
			all[i] = e.plan(ctx, n)
			return nil
		})
	}
	_ = g.Wait() // none fails: a fault is a line
	return all
}

func (e *examination) plan(ctx context.Context, c chosen) plan {
	p := plan{Network: c.name}
	endpoints, err := c.pool(nil, e.log)
	if err == nil {
		net := c.network(e.snapshot, nil, endpoints)
		p.Watched = e.snapshot.Watch(c.directory()).Len()
		var cost indexer.Estimate
		if cost, err = net.Estimate(ctx, indexer.Pace{}); err == nil {
			p.take(cost, c.MaxRPS*float64(len(c.rpc)))
		}
	}
	if err != nil {
		p.Fault = err.Error()
	}
	return p
}

// take takes an estimate over; no faster than so many calls a second, where that is
// not zero.
func (p *plan) take(e indexer.Estimate, most float64) {
	p.From, p.To, p.Blocks = e.Start, e.Heads.Latest.Number, e.Blocks
	p.LogsPerBlock, p.Events = e.Logs, uint64(e.Events*float64(e.Blocks))
	p.BlocksAtOnce, p.Requests, p.Calls = e.Span, e.Requests, e.Calls
	p.Seconds, p.SecondsABlock = e.Time.Seconds(), e.BlockTime.Seconds()
	if most > 0 {
		p.Seconds = max(p.Seconds, float64(p.Calls)/most)
	}
	p.LiveRequests, p.LiveCalls = e.LiveRequests, e.LiveCalls
}

// live is an hour's count as text; how often blocks come may not be known.
func (p *plan) live(count uint64) string {
	if p.SecondsABlock == 0 {
		return "unknown"
	}
	return humanize.Comma(int64(count))
}

// printPlan is one table.
func (e *examination) printPlan(w io.Writer) error {
	if len(e.Plan) == 0 {
		return nil
	}
	fmt.Fprintln(w, "\nwhat `superindex run` would ask for: the way to the latest block, and then every hour. Sampled, at the endpoints' own speed:")
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "network\tfrom\tto\tblocks\taddresses\tlogs a block\tevents\tblocks a request\trequests\tcalls\ttime\trequests/h\tcalls/h\t")
	for _, p := range e.Plan {
		if p.Fault != "" {
			continue
		}
		n := func(v uint64) string { return humanize.Comma(int64(v)) }
		fmt.Fprintf(t, "%s\t%d\t%d\t%s\t%s\t%.1f\t%s\t%s\t%s\t%s\t%v\t%s\t%s\t\n", p.Network, p.From, p.To, n(p.Blocks), n(uint64(p.Watched)),
			p.LogsPerBlock, n(p.Events), n(p.BlocksAtOnce), n(p.Requests), n(p.Calls),
			max(time.Second, time.Duration(p.Seconds*float64(time.Second)).Round(time.Second)), p.live(p.LiveRequests), p.live(p.LiveCalls))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, p := range e.Plan {
		if p.Fault != "" {
			fmt.Fprintf(w, "RED  %s: %s\n", p.Network, p.Fault)
		}
	}
	return nil
}
