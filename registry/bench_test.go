package registry

import (
	"bytes"
	"runtime"
	"testing"
)

// BenchmarkLoad makes a snapshot of the whole real directory's tarball; live-MB is
// what the snapshot keeps.
func BenchmarkLoad(b *testing.B) {
	body := realTarball(b)
	b.ReportAllocs()
	for b.Loop() {
		parsed(b, body)
	}
	b.ReportMetric(live(func() any { return parsed(b, body) }), "live-MB")
}

// live is what a value keeps in memory, in MB.
func live(build func() any) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	kept := build()
	runtime.GC()
	runtime.ReadMemStats(&after)
	runtime.KeepAlive(kept)
	return float64(after.HeapAlloc-before.HeapAlloc) / 1e6
}

// BenchmarkTarball is the reading alone, without understanding it.
func BenchmarkTarball(b *testing.B) {
	body := realTarball(b)
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if _, err := readTarball(bytes.NewReader(body)); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWatch makes the largest network's set.
func BenchmarkWatch(b *testing.B) {
	s := realSnapshot(b)
	b.ReportAllocs()
	for b.Loop() {
		if s.Watch("optimism").Len() == 0 {
			b.Fatal("empty")
		}
	}
}

// BenchmarkRows makes a snapshot's steps for the warehouse.
func BenchmarkRows(b *testing.B) {
	s := realSnapshot(b)
	running := Superchain().Listed(s).Names()
	rows := 0
	for b.Loop() {
		rows = 0
		for step := range s.Rows(running) {
			rows += len(step.Rows)
		}
	}
	b.ReportMetric(float64(rows), "rows")
}
