package main

import (
	"context"
	"math"
	"time"

	"superindex/indexer"
)

// How often progress is shown: on a terminal drawn, elsewhere logged.
const (
	progressDrawn  = time.Second
	progressLogged = 10 * time.Second
)

// progress shows how every stream comes on until ctx ends.
func (d *daemon) progress(ctx context.Context) error {
	drawn := d.screen != nil && d.screen.terminal
	every := progressLogged
	if drawn {
		every = progressDrawn
		defer d.screen.leave()
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if !drawn {
			d.logProgress()
			continue
		}
		if err := d.screen.showStatus(d.report()); err != nil { // the terminal is gone; the daemon is not
			d.log.Warn("progress is logged from now on", "error", err)
			drawn = false
			tick.Reset(progressLogged)
		}
	}
}

// logProgress writes one line a network.
func (d *daemon) logProgress() {
	for _, n := range d.status.Report(d.journal) {
		if n.ChainID != 0 {
			d.log.Info("progress", progressOf(&n)...)
		}
	}
}

func progressOf(n *indexer.NetworkReport) []any {
	line := []any{
		"network", n.Network, "state", n.State, "indexed", n.Indexed.Number, "latest", n.Latest.Number, "finalized", n.Final.Number,
		"blocks", n.Blocks, "events", n.Events, "blocks_per_second", cents(n.BlocksPerSecond), "events_per_second", cents(n.EventsPerSecond),
		"behind", n.Behind, "reorgs", n.Reorgs, "faults", len(n.Faults),
	}
	if n.Left != nil && *n.Left > 0 {
		line = append(line, "left", time.Duration(*n.Left*float64(time.Second)).Round(time.Second))
	}
	if n.Bottleneck != "" {
		line = append(line, "waits_for", n.Bottleneck)
	}
	return line
}

// cents is a number to two places.
func cents(v float64) float64 { return math.Round(100*v) / 100 }
