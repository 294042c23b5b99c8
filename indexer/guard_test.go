package indexer

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"superindex/chain"
)

// chained is a chain that makes a block every so often; while it hangs, no call for
// blocks comes back.
type chained struct {
	still
	every time.Duration
	began time.Time
	calm  time.Duration // how long it does not hang
	hangs chan struct{} // closed: nothing hangs; nil as well
}

func (c *chained) Heads(ctx context.Context) (Heads, error) {
	c.height = 100 + uint64(time.Since(c.began)/c.every)
	h, err := c.still.Heads(ctx)
	h.Time = uint64(c.began.Add(time.Duration(c.height-100) * c.every).Unix())
	return h, err
}

func (c *chained) Fetch(ctx context.Context, r Range, want Want) (Fetched, error) {
	if c.hangs != nil && time.Since(c.began) >= c.calm {
		select {
		case <-c.hangs:
		case <-ctx.Done():
			return Fetched{}, ctx.Err()
		}
	}
	return c.still.Fetch(ctx, r, want)
}

// watched runs the engine and returns what is stalled after so long.
func watched(t *testing.T, e Engine, d time.Duration) (stalled []string, state State) {
	t.Helper()
	runFor(t, e, d, func(map[string]NetworkStatus) {
		n := e.Status.Report(e.Journal)[0]
		stalled, state = n.Stalled, n.State
		for stage, want := range map[string]float64{"wait_rpc": 0, "memory": 0, "journal": 0, "begin": 0} {
			if slices.Contains(stalled, stage) {
				want = 1
			}
			if got := scraped(t, NewCollector(e.Status, e.Journal))["superindex_stalled "+stage+" net"]; got != want {
				t.Errorf("superindex_stalled of %s is %v, want %v", stage, got, want)
			}
		}
	})
	return stalled, state
}

func TestStalled(t *testing.T) {
	type scene struct {
		source  *chained
		sink    *memory
		stuck   time.Duration // a write takes so long
		quota   uint64
		after   time.Duration
		stalled []string
		state   State
	}
	for name, set := range map[string]func(*scene){
		"all is well": func(s *scene) { s.after, s.state = 10*time.Minute, Synced },
		"the node hangs": func(s *scene) {
			s.source.hangs, s.after, s.stalled = make(chan struct{}), 70*time.Second, []string{"wait_rpc"}
		},
		"not yet": func(s *scene) { s.source.hangs, s.after, s.state = make(chan struct{}), 50*time.Second, CatchingUp },
		"a slow chain": func(s *scene) {
			s.source.every, s.source.calm, s.source.hangs = 12*time.Second, 2*time.Minute, make(chan struct{})
			s.after, s.state = 220*time.Second, HeadStale
		},
		"and its end": func(s *scene) {
			s.source.every, s.source.calm, s.source.hangs = 12*time.Second, 2*time.Minute, make(chan struct{})
			s.after, s.stalled = 5*time.Minute, []string{"wait_rpc"}
		},
		"the node fails": func(s *scene) {
			s.source.err, s.after, s.stalled = errors.New("away"), 70*time.Second, []string{"begin"}
		},
		"a sink hangs": func(s *scene) { s.stuck, s.after, s.stalled = time.Hour, 70*time.Second, []string{"memory"} },
		"journal is full": func(s *scene) {
			s.stuck, s.quota, s.after, s.stalled = time.Hour, 1<<10, 70*time.Second, []string{"journal", "memory"}
		},
		"a sink is slow": func(s *scene) { s.stuck, s.after, s.state = 50*time.Second, 10*time.Minute, SinksBehind },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := scene{source: &chained{every: 2 * time.Second, began: time.Now()}, sink: &memory{held: map[string]chain.Position{}}, quota: 1 << 30, state: Red}
				set(&s)
				e := testEngineOf(t, s.quota, slow{s.sink, s.stuck}, testNetwork("net", 1, s.source))
				if stalled, state := watched(t, e, s.after); !slices.Equal(stalled, s.stalled) || state != s.state {
					t.Errorf("stalled %v and %s, want %v and %s", stalled, state, s.stalled, s.state)
				}
			})
		})
	}
}

// What moves again is no longer stalled.
func TestNoLongerStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &chained{every: 2 * time.Second, began: time.Now(), hangs: make(chan struct{})}
		e := testEngine(t, &memory{held: map[string]chain.Position{}}, testNetwork("net", 1, source))
		time.AfterFunc(2*time.Minute, func() { close(source.hangs) })
		if stalled, state := watched(t, e, 3*time.Minute); len(stalled) > 0 || state != Synced {
			t.Errorf("stalled %v, %s", stalled, state)
		}
	})
}

func TestJudge(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ref := func(n uint64) chain.BlockRef { return chain.BlockRef{Number: n} }
	synced := func() NetworkReport {
		return NetworkReport{NetworkStatus: NetworkStatus{
			ChainID: 10, Latest: ref(100), Indexed: ref(99), LatestTime: now.Add(-2 * time.Second), HeadSeen: now.Add(-time.Second),
			Seq: 7, Sinks: []SinkStatus{{Name: "a", Seq: 7}},
		}}
	}
	for want, change := range map[State]func(*NetworkReport){
		Synced:      func(*NetworkReport) {},
		Red:         func(n *NetworkReport) { n.Faults = map[string]string{"fill": "away"} },
		Starting:    func(n *NetworkReport) { n.HeadSeen = time.Time{} },
		CatchingUp:  func(n *NetworkReport) { n.Indexed = ref(96) },
		HeadStale:   func(n *NetworkReport) { n.LatestTime = now.Add(-time.Minute) },
		SinksBehind: func(n *NetworkReport) { n.Sinks[0].Lag = 1 },
		Filling:     func(n *NetworkReport) { n.Owed = 1 },
	} {
		n := synced()
		change(&n)
		n.behind()
		if got := n.judge(now); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	for name, change := range map[string]func(*NetworkReport){
		"the node went back":     func(n *NetworkReport) { n.Latest = ref(90) },
		"the node says nothing":  func(n *NetworkReport) { n.HeadSeen = now.Add(-16 * time.Second) },
		"the head has no time":   func(n *NetworkReport) { n.LatestTime = time.Time{} },
		"a sink was never heard": func(n *NetworkReport) { n.Sinks[0] = SinkStatus{Name: "a", Lag: 7} },
		"nothing moves":          func(n *NetworkReport) { n.Stalled = []string{"a"} },
		"it has no step":         func(n *NetworkReport) { n.Seq = 0 },
	} {
		n := synced()
		change(&n)
		n.behind()
		if got := n.judge(now); got == Synced {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestProgress(t *testing.T) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	ref := func(n uint64) chain.BlockRef { return chain.BlockRef{Number: n} }
	// In ten seconds 1,000 blocks and 500 events, of a chain that made 5: 3,900 are left.
	two := func() (first, last sample) {
		first = sample{at, NetworkStatus{Latest: ref(5_000), Indexed: ref(100), Seq: 10, Sinks: []SinkStatus{{Name: "a", Seq: 10}}}}
		last = sample{at.Add(10 * time.Second), NetworkStatus{
			Latest: ref(5_005), Indexed: ref(1_100), Blocks: 1_000, Events: 500, Seq: 110, Sinks: []SinkStatus{{Name: "a", Seq: 110, Seconds: 3}},
		}}
		last.spent = [stages]time.Duration{WaitRPC: 30 * time.Second, Parse: 2 * time.Second, Decode: time.Second, ToJournal: 4 * time.Second}
		return first, last
	}
	for name, c := range map[string]struct {
		change     func(*sample)
		full       bool
		bottleneck string
		left       float64 // below 0: unknown
	}{
		"a slow node":     {func(*sample) {}, false, "wait_rpc", 3905 / 99.5},
		"much to parse":   {func(s *sample) { s.spent[Parse] = time.Minute }, false, "parse", 3905 / 99.5},
		"a slow disk":     {func(s *sample) { s.spent[ToJournal] = 6 * time.Second }, false, "journal", 3905 / 99.5},
		"a slow sink":     {func(s *sample) { s.Sinks[0] = SinkStatus{Name: "a", Seq: 20, Lag: 90, Seconds: 9} }, false, "a", 90},
		"a sink away":     {func(s *sample) { s.Sinks[0] = SinkStatus{Name: "a", Seq: 10, Lag: 100} }, true, "a", -1},
		"a sink comes":    {func(s *sample) { s.Indexed = ref(5_004); s.Sinks[0] = SinkStatus{Name: "a", Seq: 20, Lag: 90} }, false, "a", 90},
		"at the head":     {func(s *sample) { s.Indexed = ref(5_004) }, false, "", 0},
		"nothing is done": {func(s *sample) { s.Blocks = 0 }, false, "wait_rpc", -1},
	} {
		first, last := two()
		c.change(&last)
		p := progress(first, last, c.full)
		left := -1.0
		if p.Left != nil {
			left = *p.Left
		}
		if p.Bottleneck != c.bottleneck || left != c.left || p.EventsPerSecond != 50 {
			t.Errorf("%s: %+v, left %v; want %s, %v", name, p, left, c.bottleneck, c.left)
		}
	}
}
