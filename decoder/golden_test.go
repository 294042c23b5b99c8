package decoder

import (
	"bytes"
	"encoding/json"
	"os"
	"testing"

	"superindex/chain"
)

// golden is a real log, named by where it stands, and what has to be read of it.
type golden struct {
	File      string          `json:"file"`
	Tx        chain.Hash      `json:"tx"`
	Index     uint32          `json:"index"`
	Signature string          `json:"signature"`
	Args      json.RawMessage `json:"args"`
}

// TestGolden compares a selection of real logs with testdata/golden.ndjson, byte
// by byte. Whoever adds an event to the table adds a line there.
func TestGolden(t *testing.T) {
	text, err := os.ReadFile("testdata/golden.ndjson")
	if err != nil {
		t.Fatal(err)
	}
	table := builtinTable(t)
	logs := map[string][]chain.Log{}
	for number, line := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var want golden
		if err := json.Unmarshal(line, &want); err != nil {
			t.Fatalf("line %d: %v", number+1, err)
		}
		if logs[want.File] == nil {
			logs[want.File] = realLogs(t, "logs/"+want.File+".ndjson.gz")
		}
		found := false
		for _, log := range logs[want.File] {
			if log.TxHash != want.Tx || log.Index != want.Index {
				continue
			}
			found = true
			e := chain.Event{Log: log}
			table.Decode(&e, nil)
			if e.Signature != want.Signature || !bytes.Equal(e.Args, want.Args) {
				t.Errorf("line %d\ngot  %s %s\nwant %s %s", number+1, e.Signature, e.Args, want.Signature, want.Args)
			}
		}
		if !found {
			t.Errorf("line %d: %s has no log %d of %s", number+1, want.File, want.Index, want.Tx)
		}
	}
}
