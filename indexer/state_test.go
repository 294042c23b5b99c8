package indexer

import (
	"testing"
	"time"

	"superindex/chain"
)

func TestMoves(t *testing.T) {
	now := time.Unix(1e9, 0)
	for name, c := range map[string]struct {
		change func(*NetworkStatus)
		want   bool
	}{
		"at the head":                  {func(*NetworkStatus) {}, true},
		"a sink stands still":          {func(n *NetworkStatus) { n.Stalled = []string{"clickhouse"} }, true},
		"a sink fails":                 {func(n *NetworkStatus) { n.Faults = map[string]string{"clickhouse": "down"} }, true},
		"far behind, and reads":        {func(n *NetworkStatus) { n.HeadSeen, n.Behind = now.Add(-time.Hour), 1000 }, true},
		"far behind, and stands still": {func(n *NetworkStatus) { n.Behind, n.Stalled = 1000, []string{"wait_rpc"} }, false},
		"the journal stands still":     {func(n *NetworkStatus) { n.Stalled = []string{"clickhouse", "journal"} }, false},
		"no step yet":                  {func(n *NetworkStatus) { n.Stalled = []string{"begin"} }, false},
		"the writer fails":             {func(n *NetworkStatus) { n.Faults = map[string]string{"writer": "down"} }, false},
		"an old sight of the head":     {func(n *NetworkStatus) { n.HeadSeen = now.Add(-time.Minute) }, false},
		"no sight of the head":         {func(n *NetworkStatus) { n.HeadSeen = time.Time{} }, false},
		"a feed":                       {func(n *NetworkStatus) { n.ChainID = 0 }, false},
	} {
		n := NetworkStatus{ChainID: 10, HeadSeen: now.Add(-time.Second), Seq: 1, Latest: chain.BlockRef{Number: 9}, Indexed: chain.BlockRef{Number: 9}}
		c.change(&n)
		if got := n.Moves(now); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
