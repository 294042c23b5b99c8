package ethrpc

import (
	"strings"
	"testing"

	"superindex/indexer"
)

// No answer makes the parser panic, and what it takes keeps what Fetch promises:
// logs ascend, lie in the range, and belong to one of the blocks.
func FuzzDecode(f *testing.F) {
	n := straight(8)
	n.times = true
	good := `[{"id":1,"result":` + n.header("0x2") + `},{"id":2,"result":` + n.header("0x6") +
		`},{"id":3,"result":` + n.answer("eth_getLogs", []any{map[string]any{"fromBlock": "0x2", "toBlock": "0x6"}}) + `}]`
	for _, seed := range []string{
		good, good[:200], `{"error":{"code":-1,"message":"no"}}`, `[{"id":null,"error":"no"}]`, "[]", "null", "<html>",
		strings.Replace(good, `"id":3,`, "", 1), `[{"result":null,"id":3}]`,
	} {
		f.Add([]byte(seed))
	}
	within := indexer.Range{From: 2, To: 6}
	f.Fuzz(func(t *testing.T, answer []byte) {
		s := &scan{within: within, watched: everything{}}
		headers, calls := headerCalls(ends(within))
		calls = append(calls, &call{method: "eth_getLogs", read: s.read})
		if decode(&cursor{from: strings.NewReader(string(answer))}, calls) != nil || headers[0] == nil || headers[1] == nil {
			return
		}
		if headers[0].Number.n != 2 || headers[1].Number.n != 6 || s.match(headers, false) != nil {
			return
		}
		got := s.merge(headers)
		for i, l := range got.Logs {
			if l.Block.Number < 2 || l.Block.Number > 6 || i > 0 && (l.Block.Number < got.Logs[i-1].Block.Number ||
				l.Block == got.Logs[i-1].Block && l.Index <= got.Logs[i-1].Index) {
				t.Fatalf("log %d: %v", i, got.Logs)
			}
		}
	})
}
