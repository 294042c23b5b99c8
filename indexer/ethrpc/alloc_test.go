package ethrpc

import (
	"bytes"
	"testing"

	"superindex/indexer"
)

// Reading allocates for an answer, not for its logs.
func TestAllocations(t *testing.T) {
	answer, _ := benchAnswer()
	for name, set := range map[string]indexer.Watched{"all": everything{}, "percent": listed{}} {
		buf := make([]byte, 0, window)
		got := testing.AllocsPerRun(3, func() {
			s := newScan(benchRange, set)
			_, calls := headerCalls(ends(benchRange))
			c := &cursor{buf: buf, from: bytes.NewReader(answer), size: len(answer)}
			if err := decode(c, append(calls, &call{read: s.read})); err != nil || s.all != benchBlocks*benchLogs {
				t.Fatal(s.all, err)
			}
		})
		t.Logf("%s watched: %v allocations for %d logs", name, got, benchBlocks*benchLogs)
		if got > benchBlocks*benchLogs/100 {
			t.Errorf("%s watched: %v allocations for %d logs", name, got, benchBlocks*benchLogs)
		}
	}
}
