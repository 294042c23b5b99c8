package ethrpc

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"superindex/indexer"
)

// An answer with 10,000 logs of 100 blocks, parsed with none and with all of them
// watched.
func BenchmarkDecode(b *testing.B) {
	n := straight(101)
	for i := range n.blocks {
		n.blocks[i].logs = 100
	}
	logs := n.answer("eth_getLogs", []any{map[string]any{"fromBlock": "0x1", "toBlock": "0x64"}})
	logs = strings.NewReplacer("\n", "", "\t", "", `"topics":[`, `"topics":["`+hash(1).String()+`","`+hash(2).String()+`",`).Replace(logs)
	answer := []byte(`[{"id":1,"result":` + n.header("0x1") + `},{"id":2,"result":` + n.header("0x64") + `},{"id":3,"result":` + logs + `}]`)
	within := indexer.Range{From: 1, To: 100}
	for name, watch := range map[string]indexer.Watched{"none": watched{}, "all": everything{}} {
		b.Run("watched="+name, func(b *testing.B) {
			b.SetBytes(int64(len(answer)))
			b.ReportAllocs()
			for b.Loop() {
				s := &scan{within: within, watched: watch}
				_, calls := headerCalls(ends(within))
				if err := decode(bytes.NewReader(answer), append(calls, &call{read: s.read})); err != nil || s.all != 10_000 {
					b.Fatal(strconv.Itoa(s.all), err)
				}
			}
			b.ReportMetric(float64(b.N)*10_000/b.Elapsed().Seconds(), "logs/s")
		})
	}
}
