package decoder

import (
	"encoding/json"
	"testing"

	"superindex/chain"
)

// TestShare says how many of the real logs the built-in table decodes.
func TestShare(t *testing.T) {
	table := builtinTable(t)
	for _, name := range allLogs {
		var stats Stats
		var kinds [3]int
		var buf []byte
		loose := 0
		logs := realLogs(t, name)
		for _, l := range logs {
			e := chain.Event{Log: l}
			var why Reason
			buf, why = table.Decode(&e, buf[:0])
			stats[why]++
			kinds[e.Decoding]++
			if why == Fits && !json.Valid(e.Args) {
				t.Errorf("args of %s are no JSON: %s", e.Signature, e.Args)
			}
		}
		t.Logf("%-50s %6d logs, %.2f %% decoded, %d ambiguous, %d loose, %v", name, len(logs), 100*float64(stats[Fits])/float64(len(logs)), kinds[chain.Ambiguous], loose, stats)
	}
}
