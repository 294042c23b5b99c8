package report

import (
	"cmp"
	"slices"
)

// Middle is one result of several laps of the same: the lap of the middle rate, with the
// middle of all laps for each ratio. A ratio then compares what was measured one right
// behind the other, and a machine that becomes faster or slower between two laps does not
// change it. A lap that failed is the result.
func Middle(laps []Result) Result {
	if failed := slices.IndexFunc(laps, func(r Result) bool { return r.Fault != "" || r.Proof != nil && !r.Proof.Holds() }); failed >= 0 {
		return laps[failed]
	}
	sorted := slices.SortedStableFunc(slices.Values(laps), func(a, b Result) int { return cmp.Compare(a.Rate, b.Rate) })
	middle := sorted[len(sorted)/2]
	middle.Ratios = slices.Clone(middle.Ratios)
	for i := range middle.Ratios {
		middle.Ratios[i].over(laps)
	}
	return middle
}

// over makes it that of all laps, of which one that lacks it (a limit could not be
// measured) does not count.
func (r *Ratio) over(laps []Result) {
	for _, lap := range laps {
		for _, x := range lap.Ratios {
			if x.What == r.What {
				r.Laps = append(r.Laps, x.Value)
			}
		}
	}
	sorted := slices.Sorted(slices.Values(r.Laps))
	r.Value = sorted[len(sorted)/2]
}
