package pool

import (
	"testing"
	"time"

	"superindex/indexer"
	"superindex/indexer/ethrpc"
)

// verdictError is an error with this verdict, as a client makes them.
func verdictError(v ethrpc.Verdict) error { return &ethrpc.Error{Verdict: v} }

// limits are what a range is refused for.
type limits struct {
	blocks, logs int  // of a request, of an answer; 0: any number
	says         bool // it says how many
}

func (p limits) answer(n uint64, perBlock int) (f indexer.Fetched, err error) {
	v := ethrpc.Verdict{}
	switch all := int(n) * perBlock; {
	case p.blocks > 0 && int(n) > p.blocks:
		v.Kind = ethrpc.TooManyBlocks
		if p.says {
			v.Blocks = uint64(p.blocks)
		}
	case p.logs > 0 && all > p.logs:
		v.Kind = ethrpc.TooMuch
		if p.says {
			v.Logs = p.logs
		}
	default:
		return indexer.Fetched{All: all, Bytes: 300 * all}, nil
	}
	return f, verdictError(v)
}

// A span comes close to what a provider takes, with few refusals, whether it says
// what that is or not.
func TestSpanFindsTheLimit(t *testing.T) {
	for name, c := range map[string]struct {
		limits
		perBlock    int
		best        uint64
		refusals    int
		least, most float64 // of best, on average after the search
	}{
		"blocks, said":        {limits{blocks: 2000, says: true}, 1, 2000, 1, 1, 1},
		"blocks, not said":    {limits{blocks: 2000}, 1, 2000, 8, 0.95, 1},
		"ten blocks":          {limits{blocks: 10, says: true}, 1, 10, 1, 1, 1},
		"ten, not said":       {limits{blocks: 10}, 1, 10, 8, 0.9, 1},
		"logs, said":          {limits{logs: 10_000, says: true}, 10, 1000, 2, 0.97, 0.99},
		"logs, not said":      {limits{logs: 10_000}, 10, 1000, 12, 0.75, 1},
		"blocks, then logs":   {limits{blocks: 2000, logs: 10_000, says: true}, 10, 1000, 3, 0.97, 0.99},
		"no limit, few logs":  {limits{}, 0, 10_000, 0, 1, 1},
		"no limit, many logs": {limits{}, 1000, answerLogs / 1000, 0, 0.9, 0.99},
	} {
		s, now := newSpan(10_000, 100), time.Unix(1e9, 0)
		s.now = func() time.Time { return now }
		refusals, sum := 0, 0.0
		for i := range 300 {
			n := s.len(false)
			f, err := c.answer(n, c.perBlock)
			if s.learn(n, false, f, err); err != nil {
				refusals++
			} else if i >= 100 {
				sum += float64(n) / float64(c.best) / 200
			}
			now = now.Add(100 * time.Millisecond)
		}
		if refusals > c.refusals || sum < c.least-1e-9 || sum > c.most+1e-9 {
			t.Errorf("%s: refused %d times, at %.2f of the best on average", name, refusals, sum)
		}
	}
}

// A limit that was lifted is noticed, and looking for that costs next to nothing.
func TestALiftedLimitIsNoticed(t *testing.T) {
	s, now := newSpan(10_000, 100), time.Unix(1e9, 0)
	s.now = func() time.Time { return now }
	of, refusals := limits{blocks: 500, says: true}, 0
	for i := range 3 * 24 * 60 {
		if i == 2*24*60 {
			of.blocks = 5000
		}
		n := s.len(false)
		f, err := of.answer(n, 1)
		if s.learn(n, false, f, err); err != nil {
			refusals++
		}
		now = now.Add(time.Minute)
	}
	if s.len(false) != 5000 || refusals > 12 {
		t.Errorf("%d blocks after a day with a limit of 5,000; refused %d times", s.len(false), refusals)
	}
}

func TestCut(t *testing.T) {
	r := indexer.Range{From: 1000, To: 1999}
	for name, c := range map[string]struct {
		v    ethrpc.Verdict
		want uint64
	}{
		"a suggestion":                 {ethrpc.Verdict{Kind: ethrpc.TooMuch, Works: indexer.Range{From: 1000, To: 1100}}, 1100},
		"one that is what was asked":   {ethrpc.Verdict{Kind: ethrpc.TooMuch, Works: r}, 1499},
		"one that begins elsewhere":    {ethrpc.Verdict{Kind: ethrpc.TooMuch, Works: indexer.Range{From: 0, To: 1100}}, 1499},
		"one that ends before it":      {ethrpc.Verdict{Kind: ethrpc.TooMuch, Works: indexer.Range{From: 1000, To: 900}}, 1499},
		"a number of blocks":           {ethrpc.Verdict{Kind: ethrpc.TooManyBlocks, Blocks: 400}, 1333},
		"a number above what was said": {ethrpc.Verdict{Kind: ethrpc.TooManyBlocks, Blocks: 4000}, 1499},
		"nothing":                      {ethrpc.Verdict{Kind: ethrpc.TooMuch}, 1499},
	} {
		if got := cut(r, verdictError(c.v)); got != c.want {
			t.Errorf("%s: the first part ends with %d, want %d", name, got, c.want)
		}
	}
}
