package indexer

import (
	"math/rand/v2"
	"testing"
	"time"
)

// A chain with a block every 2 s, or 250 ms, or 12 s, with jitter: few looks find
// nothing, and blocks are seen soon.
func TestTempo(t *testing.T) {
	for _, every := range []time.Duration{250 * time.Millisecond, 2 * time.Second, 12 * time.Second} {
		r := rand.New(rand.NewPCG(1, 2))
		begin := time.Unix(1e9, 0)
		now, looks, late := begin, 0, time.Duration(0)
		tempo := tempo{poll: time.Second}
		const blocks = 500
		for head := uint64(0); head < blocks; {
			at := uint64(now.Sub(begin)/every) + 1000
			jitter := time.Duration(r.Int64N(int64(every / 100)))
			if now.Add(-jitter).Before(begin.Add(time.Duration(at-1000) * every)) {
				at--
			}
			if at-1000 > head {
				late += now.Sub(begin.Add(time.Duration(at-1000) * every))
				head = at - 1000
			}
			looks++
			tempo.look(now, at)
			now = now.Add(tempo.wait(now))
		}
		if wasted := float64(looks-blocks) / blocks; wasted > 0.5 {
			t.Errorf("%v: %.2f looks a block found nothing", every, wasted)
		}
		if mean := late / blocks; mean > every/8 {
			t.Errorf("%v: blocks were seen %v late on average", every, mean)
		}
	}
}

// A chain that stands still is looked at ever less often, but at least every second
// or once in a block's time.
func TestTempoOfAChainThatHalts(t *testing.T) {
	tempo, now := tempo{poll: time.Second}, time.Unix(1e9, 0)
	for head := range uint64(20) {
		tempo.look(now, 100+head)
		now = now.Add(2 * time.Second)
	}
	looks := 0
	for end := now.Add(10 * time.Minute); now.Before(end); looks++ {
		tempo.look(now, 119)
		now = now.Add(tempo.wait(now))
	}
	if looks < 200 || looks > 320 {
		t.Errorf("%d looks in 10 minutes", looks)
	}
}

// A chain that stood still, before its first block here or later, is followed as
// before from its second block on: the first may have to wait for a rare look.
func TestTempoAfterAHalt(t *testing.T) {
	const every = 2 * time.Second
	tempo, now := tempo{poll: time.Second}, time.Unix(1e9, 0)
	head, due := uint64(100), now.Add(every)
	follow := func(blocks int) (latest time.Duration) {
		halted := head
		for end := due.Add(time.Duration(blocks) * every); now.Before(end); now = now.Add(tempo.wait(now)) {
			for ; !now.Before(due); due = due.Add(every) {
				if head++; head > halted+1 {
					latest = max(latest, now.Sub(due))
				}
			}
			tempo.look(now, head)
		}
		return latest
	}
	for _, halt := range []time.Duration{13 * time.Second, 10 * time.Minute, time.Hour} {
		due = now.Add(halt)
		if latest := follow(30); latest > every/2 {
			t.Errorf("after a halt of %v: a block was seen %v late", halt, latest)
		}
	}
}

// Heads that go up and down are those of several backends: never is there no wait.
func TestTempoOfSeveralBackends(t *testing.T) {
	tempo, now := tempo{poll: time.Second}, time.Unix(1e9, 0)
	looks := 0
	for begin := now; now.Before(begin.Add(10 * time.Minute)); looks++ {
		tempo.look(now, uint64(now.Sub(begin)/(2*time.Second))+1000-[]uint64{0, 3, 7}[looks%3])
		now = now.Add(tempo.wait(now))
	}
	if looks > 4*300 {
		t.Errorf("%d looks for 300 blocks", looks)
	}
}
