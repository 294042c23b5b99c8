package main

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"testing"
)

func TestProgressLine(t *testing.T) {
	var out bytes.Buffer
	n := table().Networks[0]
	slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{ReplaceAttr: readable})).Info("progress", progressOf(&n.NetworkReport)...)
	var line map[string]any
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"network": "base", "state": "catching_up", "behind": 1_234_567.0, "blocks_per_second": 331.4, "events_per_second": 25_000.0,
		"left": "1h2m5s", "waits_for": "wait_rpc", "latest": 143e6,
	} {
		if line[key] != want {
			t.Errorf("%s is %v, want %v", key, line[key], want)
		}
	}
}
