package report

import (
	"fmt"
	"strings"
)

// Benchstat is the run as `go test -bench` would print it: one operation is one log.
func Benchstat(r *Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "goos: linux\ngoarch: amd64\npkg: superindex\ncpu: %s\n", r.Machine.CPU)
	for i := range r.Results {
		if one := &r.Results[i]; one.Fault == "" && one.Logs > 0 {
			b.WriteString(one.benchstat(r.Machine.Cores) + "\n")
		}
	}
	return b.String()
}

func (r *Result) benchstat(cores int) string {
	line := fmt.Sprintf("Benchmark%s-%d %d %.1f ns/op %.0f logs/s", name(r.Scenario), cores, r.Logs, float64(r.Took)/float64(r.Logs), r.Rate)
	for _, u := range []struct {
		who string
		*Usage
	}{{"daemon", r.Daemon}, {"clickhouse", r.Engine}} {
		if u.Usage != nil {
			line += fmt.Sprintf(" %.3f %s-CPU-s/Mlog %d %s-peak-B", u.PerMillion(r.Logs), u.who, u.Peak, u.who)
		}
	}
	for _, l := range r.Latency {
		unit := strings.ReplaceAll(l.What, " ", "-")
		line += fmt.Sprintf(" %d ns-p50/%s %d ns-p99/%s", l.P50, unit, l.P99, unit)
	}
	return line
}

// name is a scenario's in the form that Go gives benchmarks: backfill-both is
// BackfillBoth.
func name(scenario string) (out string) {
	for part := range strings.SplitSeq(scenario, "-") {
		out += strings.ToUpper(part[:1]) + part[1:]
	}
	return out
}
