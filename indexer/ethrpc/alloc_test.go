package ethrpc

import (
	"bytes"
	"testing"

	"superindex/indexer"
)

// Reading allocates for an answer, not for its logs.
func TestAllocations(t *testing.T) {
	const blocks, logs = 20, 20 * benchLogs
	within := indexer.Range{From: benchRange.From, To: benchRange.From + blocks - 1}
	answer, _ := benchAnswer(blocks)
	for name, set := range map[string]indexer.Watched{"all": everything{}, "percent": listed{}} {
		buf := make([]byte, 0, window)
		got := testing.AllocsPerRun(3, func() {
			s := newScan(within, set, nil)
			_, calls := headerCalls(ends(within))
			c := &cursor{buf: buf, from: bytes.NewReader(answer), size: len(answer)}
			if err := decode(c, append(calls, &call{read: s.read})); err != nil || s.all != logs {
				t.Fatal(s.all, err)
			}
		})
		t.Logf("%s watched: %v allocations for %d logs", name, got, logs)
		if got > logs/20 {
			t.Errorf("%s watched: %v allocations for %d logs", name, got, logs)
		}
	}
}
