package harness

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"superindex/benchmarks/report"
)

// slice is how long one CPU profile is, in seconds. Go's profiler gives nothing
// before a profile's end, so a scenario has several: pprof reads them together.
const slice = 2

// profile takes CPU profiles until stop is called, and then one of the heap.
func (b *bench) profile(ctx context.Context, d *daemon, name string) (stop func()) {
	if b.Profiles == "" {
		return func() {}
	}
	b.forget(name)
	work, cancel := context.WithCancel(ctx)
	var g sync.WaitGroup
	g.Go(func() {
		for i := 0; work.Err() == nil; i++ {
			b.keep(work, d, fmt.Sprintf("/debug/pprof/profile?seconds=%d", slice), fmt.Sprintf("%s-cpu-%02d.pprof", name, i))
		}
	})
	return func() {
		b.keep(ctx, d, "/debug/pprof/heap", name+"-heap.pprof")
		cancel()
		g.Wait()
	}
}

// forget removes a scenario's profiles of earlier runs: there may have been more of them.
func (b *bench) forget(name string) {
	old, _ := filepath.Glob(filepath.Join(b.Profiles, name+"-*.pprof")) // none, where the folder's own name is a pattern
	for _, file := range old {
		if err := os.Remove(file); err != nil {
			b.say("  an old profile stays: %v", err)
		}
	}
}

// keep writes a page of the daemon's into the folder of profiles. One that cannot
// be had is left out: it is no result.
func (b *bench) keep(ctx context.Context, d *daemon, page, name string) {
	text, err := d.Get(ctx, page)
	if err == nil {
		err = os.WriteFile(filepath.Join(b.Profiles, name), text, 0o600)
	}
	if err != nil && ctx.Err() == nil {
		b.say("  no %s: %v", name, err)
		<-ctx.Done()
	}
}

// stages are where the daemon's time went, over all networks.
func (d *daemon) stages(ctx context.Context) (all []report.Figure, err error) {
	text, err := d.Get(ctx, "/metrics")
	if err != nil {
		return nil, err
	}
	spent := map[string]float64{}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "} ")
		if seconds, err := strconv.ParseFloat(value, 64); err == nil && strings.HasPrefix(name, "superindex_stage_seconds_total{") {
			_, stage, _ := strings.Cut(name, `stage="`)
			spent[strings.TrimSuffix(stage, `"`)] += seconds
		}
	}
	for _, stage := range []string{"wait_rpc", "parse", "decode", "journal", "sink"} {
		all = append(all, report.Figure{Name: stage, Value: spent[stage], Unit: "s"})
	}
	return all, nil
}
