package ethrpc

import (
	"bytes"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"

	"superindex/chain"
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
		s := newScan(within, everything{}, nil)
		headers, calls := headerCalls(ends(within))
		calls = append(calls, &call{method: "eth_getLogs", read: s.read})
		if decode(&cursor{from: strings.NewReader(string(answer))}, calls) != nil || headers[0] == nil || headers[1] == nil {
			return
		}
		if headers[0].Number.n != 2 || headers[1].Number.n != 6 || s.match(headers, false) != nil {
			return
		}
		got := s.merge(headers)
		for i, l := range got.Events {
			if l.Block.Number < 2 || l.Block.Number > 6 || i > 0 && (l.Block.Number < got.Events[i-1].Block.Number ||
				l.Block == got.Events[i-1].Block && l.Index <= got.Events[i-1].Index) {
				t.Fatalf("log %d: %v", i, got.Events)
			}
		}
	})
}

// Our scanner and encoding/json read the same logs, or both refuse, however the
// answer arrives.
func FuzzScan(f *testing.F) {
	n := straight(8)
	n.times = true
	good := n.answer("eth_getLogs", []any{map[string]any{"fromBlock": "0x1", "toBlock": "0x7"}})
	for _, seed := range []string{
		good, good[:len(good)-2], "[]", "[ ]", "[{}]", "[null]",
		strings.NewReplacer("\n", "", "\t", "").Replace(good), strings.ToUpper(good),
		strings.ReplaceAll(good, `"0x`, `"\u0030x`), strings.Replace(good, `"data"`, `"d\u0061ta"`, 1),
		strings.Replace(good, `"removed":false`, `"removed":null,"a\"":[1.5e+3,-0,{"b":[[]],"c":"\ud83d"}]`, 1),
		strings.ReplaceAll(good, `"topics":[`, `"topics":["`+hash(9).String()+`",`), strings.Replace(good, `"0x1"`, "1", 1),
		strings.Replace(good, `"0x1"`, `"0x00000000000000001"`, 1), strings.Replace(good, `"0x1"`, `"0x10000000000000000"`, 1),
		strings.Replace(good, `"0x1"`, `01`, 1), strings.Replace(good, `"removed"`, "\"re\x01moved\"", 1),
		strings.Replace(good, `"removed":false,`, ``, 1), strings.Replace(good, `"data":"0x`, `"data":"0x","data":"0x`, 2),
	} {
		f.Add([]byte(seed))
	}
	for _, member := range []string{"address", "topics", "data", "blockNumber", "transactionHash", "transactionIndex", "blockHash", "logIndex"} {
		f.Add([]byte(strings.Replace(good, `"`+member+`":`, `"other":`, 1)))
		f.Add([]byte(strings.Replace(good, `"`+member+`":`, `"`+member+`":null,"other":`, 1)))
		f.Add([]byte(strings.Replace(good, `,"data":`, `,"`+member+`":null,"data":`, 1)))
	}
	within := indexer.Range{From: 1, To: 7}
	f.Fuzz(func(t *testing.T, answer []byte) {
		if len(answer) == 0 || answer[0] != '[' || deep(answer) {
			return
		}
		want, wrong := reference(answer)
		for name, from := range map[string]io.Reader{
			"whole": bytes.NewReader(answer), "in halves": iotest.HalfReader(bytes.NewReader(answer)),
			"byte by byte": iotest.OneByteReader(bytes.NewReader(answer)),
		} {
			s := newScan(within, everything{}, nil)
			window := 500 + 7*len(answer)%4500 // ends within some log, of one that is like others
			err := s.read(&cursor{from: from, buf: make([]byte, 0, window)})
			if wrong == nil {
				wrong = placed(want, within)
			}
			if (err == nil) != (wrong == nil) {
				t.Fatalf("%s: %v, encoding/json: %v", name, err, wrong)
			}
			for i := range s.events {
				s.events[i].Time = 0 // of its block: not of the log alone
			}
			if err == nil && !reflect.DeepEqual(s.events, want) {
				t.Fatalf("%s:\n%v, encoding/json:\n%v", name, s.events, want)
			}
		}
	})
}

// deep reports whether more is nested than we take.
func deep(answer []byte) bool {
	return bytes.Count(answer, []byte("["))+bytes.Count(answer, []byte("{")) > maxDepth
}

// placed is the scan's own judgement of logs that could be read.
func placed(events []chain.Event, within indexer.Range) error {
	s := &scan{within: within}
	for _, e := range events {
		l := log{BlockNumber: quantity{e.Block.Number, true}, BlockHash: e.Block.Hash, Index: quantity{uint64(e.Index), true}}
		if err := s.place(&l); err != nil {
			return err
		}
	}
	return nil
}
