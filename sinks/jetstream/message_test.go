package jetstream

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"superindex/chain"
)

var (
	testStream = chain.Stream{Name: "optimism", ChainID: 10}
	testBlock  = chain.BlockRef{Number: 7, Hash: chain.Hash{0xb7}}
	testEvent  = chain.Event{
		Log: chain.Log{
			Block: testBlock, Time: 1_700_000_000, TxHash: chain.Hash{0x71}, TxIndex: 2, Index: 5,
			Address: chain.Address{0xad}, Topics: []chain.Hash{{0x70}, {0x71}}, Data: []byte{0xda, 0x7a},
		},
		Decoding: chain.Decoded, Name: "Transfer", Signature: "Transfer(address,address,uint256)", Args: []byte(`{"value":"1"}`),
	}
	zeros = strings.Repeat("0", 62)
)

func all(e *encoder, s chain.Step) (out []message) {
	first, end := e.indexes(&s)
	for i := first; i < end; i++ {
		var m message
		e.message(&m, &s, i, false)
		out = append(out, m)
	}
	return out
}

func TestMessagesOfEachStep(t *testing.T) {
	raw := testEvent
	raw.Decoding, raw.Name, raw.Signature, raw.Args, raw.Topics = chain.Raw, "", "", nil, nil
	last, hash := chain.BlockRef{Number: 9, Hash: chain.Hash{0xb9}}, func(b string) string { return `"0x` + b + zeros + `"` }
	address := `"0xad` + zeros[:38] + `"`
	event := `{"network":"optimism","chain_id":10,"seq":3,"block_number":7,"block_hash":` + hash("b7") +
		`,"block_time":"2023-11-14T22:13:20Z","tx_hash":` + hash("71") + `,"tx_index":2,"log_index":5,"address":` + address
	for _, c := range []struct {
		name    string
		step    chain.Step
		history bool
		want    []string // kind, index, subject, body
	}{
		{
			"apply",
			chain.Step{Apply: &chain.Batch{
				Last: last, Safe: testBlock, Watch: chain.WatchID{1}, Events: []chain.Event{testEvent, raw},
			}},
			true,
			[]string{
				`apply 0 superindex.evm.optimism.event.` + strings.Trim(address, `"`) + `.0x70` + zeros + ` ` + event +
					`,"event":"Transfer","signature":"Transfer(address,address,uint256)","decoding":"decoded","topics":[` + hash("70") + `,` + hash("71") +
					`],"finality":"safe","projects":["a","b\"c"],"args":{"value":"1"},"data":"0xda7a"}`,
				`apply 1 superindex.evm.optimism.event.` + strings.Trim(address, `"`) + `.anonymous ` + event +
					`,"event":"","signature":"","decoding":"raw","topics":[],"finality":"safe","projects":["a","b\"c"],"args":{},"data":"0xda7a"}`,
				`apply 2 superindex.evm.optimism.finality {"network":"optimism","chain_id":10,"seq":3,"head":{"number":9,"hash":` + hash("b9") +
					`},"safe":{"number":7,"hash":` + hash("b7") + `},"finalized":null,"basis":"tags","watch":"0100000000000000"} end`,
			},
		},
		{
			"revert",
			chain.Step{Revert: &chain.Revert{To: testBlock, From: last, Time: 1_700_000_000}},
			true,
			[]string{`revert 0 superindex.evm.optimism.revert {"network":"optimism","chain_id":10,"seq":3,"to":{"number":7,"hash":` + hash("b7") +
				`},"from":{"number":9,"hash":` + hash("b9") + `},"depth":2,"cause":"reorg","time":"2023-11-14T22:13:20Z"} end`},
		},
		{
			"fill without history",
			chain.Step{Fill: &chain.Fill{
				From: 2, To: testBlock, Addresses: []chain.Address{testEvent.Address}, Events: []chain.Event{testEvent},
			}},
			false,
			[]string{`fill 1 superindex.evm.optimism.refill {"network":"optimism","chain_id":10,"seq":3,"from":{"number":2},"to":{"number":7,"hash":` +
				hash("b7") + `},"rows":1,"published":false,"addresses":[` + address + `]} end`},
		},
		{
			"rows",
			chain.Step{Rows: &chain.Rows{Feed: "coverage", Rows: []chain.Row{{Kind: "lo gs.>", ID: "1", Body: []byte(`{"a":1}`)}}}},
			true,
			[]string{`rows 0 superindex.evm.optimism.rows.lo_gs__ {"a":1} end`},
		},
		{
			"rows of an owner, of nobody and of nothing",
			chain.Step{Rows: &chain.Rows{Feed: "npm", Rows: []chain.Row{
				{Kind: "downloads", ID: "1", Body: []byte(`{"a":1}`)}, {Kind: "downloads", ID: "2", Body: []byte("{ }\n")}, {Kind: "downloads", ID: "3", Body: []byte(`{"a":1}`)},
			}}},
			true,
			[]string{
				`rows 0 superindex.evm.optimism.rows.downloads {"a":1,"projects":["a","b\"c"]}`,
				`rows 1 superindex.evm.optimism.rows.downloads {"projects":[]}`,
				`rows 2 superindex.evm.optimism.rows.downloads {"a":1} end`,
			},
		},
		{"no rows", chain.Step{Rows: &chain.Rows{}}, true, []string{`rows 0 superindex.evm.optimism.rows.none {} end`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			owners := []string{"a", `b"c`}
			e := &encoder{
				testStream, subjectPrefix(testStream), c.history, func(string, chain.Address) []string { return owners },
				func(feed string, row *chain.Row) []string {
					return map[string][]string{"npm1": owners, "npm2": {}}[feed+row.ID]
				},
			}
			c.step.Stream, c.step.Seq = testStream, 3
			var got []string
			for _, m := range all(e, c.step) {
				if !json.Valid(m.body) {
					t.Errorf("not JSON: %s", m.body)
				}
				text := fmt.Sprintf("%s %d %s %s", m.kind, m.index, m.subject, m.body)
				if m.end {
					text += " end"
				}
				got = append(got, text)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}

func TestRefillNamesEveryAddressOnce(t *testing.T) {
	f := &chain.Fill{To: testBlock, Addresses: make([]chain.Address, 2*refillAddresses+1), Events: []chain.Event{testEvent}}
	for i := range f.Addresses {
		f.Addresses[i] = chain.Address{byte(i), byte(i >> 8)}
	}
	e := &encoder{stream: testStream, prefix: subjectPrefix(testStream), history: true}
	var named []chain.Address
	messages := all(e, chain.Step{Stream: testStream, Fill: f})
	for i, m := range messages {
		if m.end != (i == 3) || m.index != i {
			t.Errorf("message %d has index %d and end %v", i, m.index, m.end)
		}
		if i > 0 {
			var body struct{ Addresses []chain.Address }
			if err := json.Unmarshal(m.body, &body); err != nil {
				t.Fatal(err)
			}
			named = append(named, body.Addresses...)
		}
	}
	if !slices.Equal(named, f.Addresses) {
		t.Errorf("%d messages name %d addresses", len(messages), len(named))
	}
}

func TestNames(t *testing.T) {
	for _, c := range []struct {
		stream       chain.Stream
		name, prefix string
	}{
		{testStream, "SUPERINDEX_OPTIMISM", "superindex.evm.optimism."},
		{chain.Stream{Name: "base sepolia.2", ChainID: 1}, "SUPERINDEX_BASE_SEPOLIA_2", "superindex.evm.base_sepolia_2."},
		{chain.Stream{Name: "ärger-é", ChainID: 1}, "SUPERINDEX__RGER__", "superindex.evm.ärger-é."},
		{chain.Stream{Name: "feeds"}, "SUPERINDEX_FEEDS", "superindex.feed."},
	} {
		if name, prefix := StreamName(c.stream), subjectPrefix(c.stream); name != c.name || prefix != c.prefix {
			t.Errorf("%q is %s and %s", c.stream.Name, name, prefix)
		}
	}
	e := &encoder{stream: chain.Stream{Name: "feeds"}, prefix: "superindex.feed."}
	rows := &chain.Rows{Feed: "github", Rows: []chain.Row{{Kind: "release"}}}
	if m := all(e, chain.Step{Stream: e.stream, Rows: rows})[0]; m.subject != "superindex.feed.github.release" {
		t.Errorf("a feed's row goes to %s", m.subject)
	}
}

func TestStringsAreJSON(t *testing.T) {
	for _, text := range []string{"", "Transfer", `a"b\c`, "tab\t", "é", "bad \xff", "\u2028", "</script>"} {
		var back string
		if err := json.Unmarshal(appendString(nil, text), &back); err != nil || back != strings.ToValidUTF8(text, "\ufffd") {
			t.Errorf("%q became %q, %v", text, back, err)
		}
	}
}

func BenchmarkEncode(b *testing.B) {
	e := &encoder{stream: testStream, prefix: subjectPrefix(testStream)}
	events := make([]chain.Event, 1000)
	for i := range events {
		events[i] = testEvent
	}
	step := chain.Step{Stream: testStream, Seq: 1 << 50, Apply: &chain.Batch{Last: testBlock, Events: events}}
	envelope := newEnvelope()
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		e.message(&envelope.message, &step, n%len(events), false)
		envelope.stamp("SUPERINDEX_OPTIMISM", textsOf(&step))
		n++
	}
	b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "messages/s")
}
