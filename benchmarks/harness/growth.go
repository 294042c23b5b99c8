package harness

import (
	"context"
	"fmt"
	"slices"

	"superindex/benchmarks/report"
)

// growth backfills ever more logs, and logs of ever more contracts: the time for
// one should stay what it is. The registry, whose rows grow with the contracts and not
// with the logs, is in the warehouse before the first log is read.
func growth(ctx context.Context, b *bench) (results []report.Result, err error) {
	sizes := pick(b, []uint64{100_000, 1_000_000, 10_000_000}, []uint64{10_000, 40_000})
	for _, logs := range sizes {
		o := b.full()
		o.Blocks = logs / uint64(o.Logs)
		r := b.backfill(ctx, load{name: fmt.Sprintf("growth-logs-%d", logs), node: o, clickhouse: true, listed: true}, nil)
		results = append(results, r)
	}
	flat(results)
	marginal(results)
	return append(results, b.thereAndBack(ctx, pick(b, []int{100, 10_000, 100_000}, []int{100, 1000}))...), nil
}

// thereAndBack measures each number of contracts several times, every other time in
// falling order, and compares within a lap: that the machine is slower at the end than at
// the beginning would else pass for what contracts cost.
func (b *bench) thereAndBack(ctx context.Context, contracts []int) []report.Result {
	laps := make([][]report.Result, len(contracts)) // of each number
	for lap := range pick(b, 3, 1) {
		all := make([]report.Result, len(contracts))
		for i := range contracts {
			if lap%2 == 1 {
				i = len(contracts) - 1 - i
			}
			o := b.full()
			o.Addresses = contracts[i]
			all[i] = b.backfill(ctx, load{name: fmt.Sprintf("growth-addresses-%d", o.Addresses), node: o, clickhouse: true, listed: true}, nil)
		}
		flat(all)
		for i, r := range all {
			laps[i] = append(laps[i], r)
		}
	}
	results := make([]report.Result, len(contracts))
	for i := range contracts {
		results[i] = report.Middle(laps[i])
	}
	return results
}

// flat compares the last with the first: its time for a log, in CPU seconds and by
// the clock, and its memory.
func flat(all []report.Result) {
	first, last := &all[0], &all[len(all)-1]
	if first.Fault != "" || last.Fault != "" {
		return
	}
	last.Ratios = append(last.Ratios,
		report.Ratio{What: "time for a log / that of the smallest", Value: first.Rate / last.Rate, Want: 1.15, Most: true},
		report.Ratio{What: "daemon's CPU for a log / that of the smallest", Value: last.Daemon.PerMillion(last.Logs) / first.Daemon.PerMillion(first.Logs)},
		report.Ratio{What: "daemon's memory / that of the smallest", Value: float64(last.Daemon.Peak) / float64(first.Daemon.Peak)})
}

// marginal compares what one log more took between the last two sizes with what it
// took between the first two, where the daemon's beginning does not count: ClickHouse's
// merging, which ten times the logs have more of, shows in it.
func marginal(all []report.Result) {
	if len(all) < 3 || slices.ContainsFunc(all, func(r report.Result) bool { return r.Fault != "" }) {
		return
	}
	more := func(a, b *report.Result) float64 { return (b.Took - a.Took).Seconds() / float64(b.Logs-a.Logs) }
	last := len(all) - 1
	all[last].Ratios = append(all[last].Ratios, report.Ratio{
		What:  "time for a log more, between the largest sizes / between the smallest",
		Value: more(&all[last-1], &all[last]) / more(&all[0], &all[1]),
	})
}
