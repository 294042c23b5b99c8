package indexer

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"superindex/chain"
)

// even is a ruler with as many logs in every block, a tenth of them watched, whose
// node gives so many blocks at once and takes a second for it.
type even struct {
	ruler
	logs int
	most uint64
}

func (e *even) Next(r Range, want Want) Range {
	if want.Dense {
		return Range{r.From, min(r.To, r.From+99)}
	}
	return Range{r.From, min(r.To, r.From+e.most-1)}
}

func (e *even) Fetch(_ context.Context, r Range, _ Want) (f Fetched, err error) {
	time.Sleep(time.Second)
	f.Blocks = []chain.Block{{BlockRef: tick(r.From), Time: 1000 + r.From}, {BlockRef: tick(r.To), Time: 1000 + r.To}}
	f.All = e.logs * int(r.Len())
	f.Events = make([]chain.Event, f.All/10)
	return f, nil
}

func TestEstimate(t *testing.T) {
	const latest, final = 1_000_000, 990_000
	for name, c := range map[string]struct {
		logs                    int
		most                    uint64
		start                   Start
		receipts                bool
		requests, calls, blocks uint64
	}{
		"an empty chain":   {0, 10_000, Start{Number: 1, Absolute: true}, false, 99 + 100, 99*4 + 10_000 + 100, 1_000_000},
		"100 logs a block": {100, 80, Start{Number: 1, Absolute: true}, false, 12_375 + 100, 12_375*4 + 10_000 + 100, 1_000_000},
		"from today":       {10, 800, Start{}, false, 100, 10_000 + 100, 10_000},
		"with receipts":    {10, 800, Start{}, true, 100, 2*10_000 + 100, 10_000},
	} {
		synctest.Test(t, func(t *testing.T) {
			source := &even{ruler{heads: Heads{Latest: tick(latest), Final: tick(final)}}, c.logs, c.most}
			net := Network{Source: source, Start: c.start, Receipts: c.receipts}
			e, err := net.Estimate(t.Context(), Pace{})
			if err != nil {
				t.Fatal(err)
			}
			live := uint64(3*4800 + 2*3600)
			if c.receipts {
				live += 3600
			}
			if e.Span != c.most || e.Requests != c.requests || e.Calls != c.calls || e.Blocks != c.blocks || e.Time != time.Duration(c.requests)*time.Second/8 {
				t.Errorf("%s: %+v", name, e)
			}
			if e.Logs != float64(c.logs) || e.Events != float64(c.logs)/10 || e.BlockTime != time.Second || e.LiveRequests != 3600+4800 || e.LiveCalls != live {
				t.Errorf("%s, a block: %+v", name, e)
			}
		})
	}
}

// A chain that has hardly begun has nothing to sample.
func TestEstimateOfAYoungChain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for latest := range uint64(3) {
			source := &even{ruler{heads: Heads{Latest: tick(latest), Final: tick(0)}}, 1, 10}
			net := Network{Source: source, Start: Start{Number: 1, Absolute: true}}
			if e, err := net.Estimate(t.Context(), Pace{}); err != nil || e.Blocks != latest {
				t.Errorf("at %d: %+v, %v", latest, e, err)
			}
		}
	})
}
