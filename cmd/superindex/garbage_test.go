package main

import (
	"os"
	"runtime"
	"runtime/metrics"
	"testing"
	"time"
)

func TestGarbageIsAShareOfMuchAndAFloorOfLittle(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 4 << 20: 400, 40 << 20: 200, 64 << 20: 120, 128 << 20: 60, 160 << 20: 50, 4 << 30: 50} {
		if got := share(live); got != want {
			t.Errorf("%d MiB live: %d %%, want %d", live>>20, got, want)
		}
	}
}

// What is live decides after each collection, and nothing is left of it in the end.
func TestGarbageFollowsWhatIsLive(t *testing.T) {
	if os.Getenv("GOGC") != "" {
		t.Skip("GOGC is set")
	}
	percent := func() int {
		now := []metrics.Sample{{Name: "/gc/gogc:percent"}}
		metrics.Read(now)
		return int(now[0].Value.Uint64())
	}
	before := percent()
	stop := collect()
	held := make([]byte, 200<<20)
	until := func(so func(int) bool) {
		t.Helper()
		for deadline := time.Now().Add(time.Minute); !so(percent()); time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%d %%", percent())
			}
			runtime.GC()
		}
	}
	until(func(p int) bool { return p == garbagePercent })
	runtime.KeepAlive(held)
	held = nil
	until(func(p int) bool { return p > garbagePercent })
	stop()
	if p := percent(); p != before {
		t.Errorf("%d %% in the end, %d before", p, before)
	}
}
