package indexer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"superindex/chain"
)

// slow is a sink that takes its time.
type slow struct {
	*memory
	takes time.Duration
}

func (s slow) Write(ctx context.Context, steps []chain.Step) error {
	time.Sleep(s.takes)
	return s.memory.Write(ctx, steps)
}

// The clock is the bubble's: only what waits takes time.
func TestStages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := slow{&memory{held: map[string]chain.Position{}}, 3 * time.Second}
		e := testEngine(t, sink, testNetwork("net", 1, &still{height: 50}))
		e.Status.Stages("net").Add(WaitRPC, time.Second)
		var writes uint64
		runFor(t, e, time.Minute, func(all map[string]NetworkStatus) { writes = all["net"].Sinks[0].Writes })
		got := scraped(t, NewCollector(e.Status, e.Journal))
		for name, want := range map[string]float64{
			"superindex_stage_seconds_total net wait_rpc": 1,
			"superindex_stage_seconds_total net parse":    0,
			"superindex_stage_seconds_total net decode":   0,
			"superindex_stage_seconds_total net journal":  0,
			"superindex_stage_seconds_total net sink":     3 * float64(writes),
		} {
			if have, ok := got[name]; !ok || have != want {
				t.Errorf("%s is %v, want %v", name, have, want)
			}
		}
		if writes == 0 {
			t.Error("nothing was written")
		}
	})
}

// scraped is what a collector shows: "name label ..." -> value, the labels' values by
// the labels' names; of a histogram it is the count.
func scraped(t *testing.T, c prometheus.Collector) map[string]float64 {
	t.Helper()
	reg := prometheus.NewRegistry()
	reg.MustRegister(c)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]float64{}
	for _, f := range families {
		for _, m := range f.Metric {
			key := f.GetName()
			for _, l := range m.Label {
				key += " " + l.GetValue()
			}
			all[key] = m.GetCounter().GetValue() + m.GetGauge().GetValue() + float64(m.GetHistogram().GetSampleCount())
		}
	}
	return all
}
