package clickhouse

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"testing"
	"time"

	"superindex/chain"
)

// BenchmarkWrite writes steps of 50,000 events of a thousand blocks. The computing
// that it takes, here and in the engine, is less noisy than the rate.
func BenchmarkWrite(b *testing.B) {
	w := newWarehouse(b)
	sink, h := w.sink(), newHistory("bench")
	if _, err := sink.Position(b.Context(), h.stream); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	var own time.Duration
	engine, rows := engineTime(b), 0
	for number := uint64(1); b.Loop(); number += 1000 {
		b.StopTimer()
		step := h.apply(number, number+999, 'a', 50)
		before := ownTime(b)
		b.StartTimer()
		if err := sink.Write(b.Context(), []chain.Step{step}); err != nil {
			b.Fatal(err)
		}
		own += ownTime(b) - before
		rows += len(step.Apply.Events)
	}
	b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
	b.ReportMetric(float64(own.Microseconds())/float64(rows), "own-us/row")
	b.ReportMetric(float64((engineTime(b)-engine).Microseconds())/float64(rows), "engine-us/row")
}

// ownTime is how long this process has computed.
func ownTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// BenchmarkWriteBlock writes one block of 20 events: what the head of a network
// costs.
func BenchmarkWriteBlock(b *testing.B) {
	w := newWarehouse(b)
	sink, h := w.sink(), newHistory("bench")
	if _, err := sink.Position(b.Context(), h.stream); err != nil {
		b.Fatal(err)
	}
	before := engineTime(b)
	for number := uint64(1); b.Loop(); number++ {
		if err := sink.Write(b.Context(), []chain.Step{h.apply(number, number, 'a', 20)}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((engineTime(b)-before).Microseconds())/1000/float64(b.N), "engine-ms/op")
}

// engineTime is how long the engine's process has computed, merges included.
func engineTime(b *testing.B) time.Duration {
	b.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", server.Pid()))
	if err != nil {
		b.Fatal(err)
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:]) // the third field first
	var ticks int
	for _, field := range fields[11:13] { // utime and stime
		n, err := strconv.Atoi(string(field))
		if err != nil {
			b.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100
}

// BenchmarkRevert1000 removes 1,000 blocks of 10 events from the top of 200,000
// events. They are put back between the rounds.
func BenchmarkRevert1000(b *testing.B) {
	w := newWarehouse(b)
	sink, h := w.sink(), newHistory("bench")
	w.write(sink, h.apply(1, 10_000, 'a', 10), h.apply(10_001, 19_000, 'a', 10))
	for b.Loop() {
		b.StopTimer()
		w.write(sink, h.apply(19_001, 20_000, 'a', 10))
		revert := h.revert(19_000, 'a', chain.Reorg)
		b.StartTimer()
		if err := sink.Write(b.Context(), []chain.Step{revert}); err != nil {
			b.Fatal(err)
		}
	}
}
