package main

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/pool"
)

// table is the status of four streams: one synced, one catching up, one red, the feeds.
func table() report {
	ref := func(n uint64) chain.BlockRef { return chain.BlockRef{Number: n} }
	left, now := 3_725.0, time.Now()
	of := func(name string, id uint64, change func(*indexer.NetworkReport)) networkReport {
		n := indexer.NetworkReport{State: indexer.Synced, JournalBytes: 2 << 20, NetworkStatus: indexer.NetworkStatus{
			Network: name, ChainID: id, Latest: ref(143_000_000), Safe: ref(142_999_700), Final: ref(142_999_100), Indexed: ref(143_000_000),
			HeadSeen: now, IndexedTime: now.Add(-2500 * time.Millisecond), Seq: 9,
			Sinks: []indexer.SinkStatus{{Name: "clickhouse", Seq: 9}, {Name: "nats", Seq: 9}},
		}}
		change(&n)
		out := networkReport{NetworkReport: n}
		if id != 0 {
			out.Endpoints = []pool.State{{Name: "own", Up: true}, {Name: "public", Up: id != 34443}}
			if id == 34443 {
				out.Endpoints[1].Reason = "no answer"
			}
		}
		return out
	}
	return report{Networks: []networkReport{
		of("base", 8453, func(n *indexer.NetworkReport) {
			n.State, n.Behind, n.BlocksPerSecond, n.EventsPerSecond = indexer.CatchingUp, 1_234_567, 331.4, 25_000
			n.Left, n.Bottleneck, n.Sinks[0].Lag = &left, "wait_rpc", 3
		}),
		of("feeds", 0, func(*indexer.NetworkReport) {}),
		of("mode", 34443, func(n *indexer.NetworkReport) {
			n.State, n.Faults, n.Stalled = indexer.Red, map[string]string{"nats": "no route to it"}, []string{"wait_rpc"}
		}),
		of("optimism", 10, func(*indexer.NetworkReport) {}),
	}}
}

func TestShowStatus(t *testing.T) {
	var b bytes.Buffer
	if err := showStatus(&b, table(), paint{}); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"network state behind age blocks/s events/s left waits for rpc clickhouse nats reorgs latest safe final done journal",
		"base catching up 1,234,567 2s 331 25,000 1h02m wait_rpc 2/2 -3 ok 0 143000000 -300 -900 0 2.0 MiB",
		"feeds synced ok ok 2.0 MiB",
		"mode red 0 2s 0 0 - - 1/2 ok RED 0 143000000 -300 -900 0 2.0 MiB",
		"optimism synced 0 2s 0 0 - - 2/2 ok ok 0 143000000 -300 -900 0 2.0 MiB",
		"RED mode, nats: no route to it",
		"RED mode, wait_rpc: stalled: work waits and nothing moves",
		"rpc mode, endpoint public: no answer",
	}
	lines := strings.Split(strings.TrimSuffix(b.String(), "\n"), "\n")
	for i, line := range lines {
		if got := strings.Join(strings.Fields(line), " "); i >= len(want) || got != want[i] {
			t.Errorf("line %d is %q", i, got)
		}
	}
	if len(lines) != len(want) {
		t.Errorf("%d lines, want %d", len(lines), len(want))
	}
	for _, line := range lines[1:5] {
		if len(line) != len(lines[0]) {
			t.Errorf("a line of %d columns below one of %d: %q", len(line), len(lines[0]), line)
		}
	}
	var painted bytes.Buffer
	if err := showStatus(&painted, table(), paint{true}); err != nil {
		t.Fatal(err)
	}
	if plain := clip(painted.String(), 1<<20); !strings.Contains(plain, "\x1b[31mred\x1b[0m") {
		t.Errorf("nothing is red:\n%s", plain)
	}
	if err := table().verdict(); err == nil || !strings.Contains(err.Error(), "2 red") {
		t.Errorf("the verdict: %v", err)
	}
}

func TestShort(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 59 * time.Second: "59s", 61 * time.Second: "1m01s", 3*time.Hour + 4*time.Minute: "3h04m", 50 * time.Hour: "2d02h",
	} {
		if got := short(d); got != want {
			t.Errorf("%v is %s, want %s", d, got, want)
		}
	}
	for v, want := range map[float64]string{0: "0", 0.5: "0.50", 12.34: "12.3", 99.96: "100", 12345.6: "12,346"} {
		if got := rate(v); got != want {
			t.Errorf("%v is %s, want %s", v, got, want)
		}
	}
}

// On a terminal what is drawn is replaced, and lines of the log go above it; no line
// is longer than the terminal, nor are there more.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := &screen{out: &out, terminal: true, size: func() (int, int) { return 10, 5 }}
	for _, text := range []string{"one\ntwo\n", "\x1b[31mredder than red\x1b[0m\n2\n3\n4\n5\n6\n"} {
		if err := s.draw(text); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Write([]byte("a line\n")); err != nil {
		t.Fatal(err)
	}
	s.leave()
	drawn := "\x1b[31mredder tha\x1b[0m\n2\n3\n... and 3 lines more\n"
	want := "one\ntwo\n" + "\x1b[2A\r\x1b[J" + drawn + "\x1b[4A\r\x1b[J" + "a line\n" + drawn + "\x1b[4A\r\x1b[J"
	if out.String() != want {
		t.Errorf("got %q\nwant %q", out.String(), want)
	}
	out.Reset()
	plain := &screen{out: &out}
	if err := plain.draw("nothing"); err != nil || out.Len() != 0 {
		t.Errorf("%v, %q", err, out.String())
	}
}
