package pool

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"superindex/chain"
	"superindex/indexer"
)

// inBubble runs a pool's Run beside a test, in the bubble's time.
func inBubble(t *testing.T, fakes []*fake, test func(t *testing.T, p *Pool)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		p := poolOf(t, fakes...)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- p.Run(ctx) }()
		defer func() {
			cancel()
			if err := <-done; err != nil {
				t.Error(err)
			}
		}()
		synctest.Wait()
		test(t, p)
	})
}

// heads asks for the heads and returns the latest number.
func heads(t *testing.T, p *Pool) uint64 {
	t.Helper()
	h, err := p.Heads(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return h.Latest.Number
}

func states(p *Pool) map[string]State {
	all := map[string]State{}
	for _, s := range p.Endpoints() {
		all[s.Name] = s
	}
	return all
}

func TestAnotherEndpointTakesOver(t *testing.T) {
	a, b := newFake("a", 100, 50), newFake("b", 99, 50)
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		if got := heads(t, p); got != 100 {
			t.Fatalf("the head is %d", got)
		}
		a.set(func(f *fake) { f.fail = errDown })
		if got := heads(t, p); got != 99 {
			t.Fatalf("after a failed, the head is %d", got)
		}
		s := states(p)
		if s["a"].Up || !strings.Contains(s["a"].Reason, "refused") || !s["b"].Up || !s["b"].Leads {
			t.Fatalf("%+v", s)
		}
		asked := a.count("heads") + a.count("verify")
		for range 20 {
			heads(t, p)
		}
		if now := a.count("heads") + a.count("verify"); now != asked {
			t.Fatalf("a was asked %d times while it was out", now-asked)
		}
		time.Sleep(10 * time.Second)
		a.set(func(f *fake) { f.fail = nil })
		verified := a.count("verify")
		time.Sleep(time.Minute)
		synctest.Wait()
		if s := states(p); !s["a"].Up || s["a"].Leads || a.count("verify") == verified {
			t.Fatalf("after a came back: %+v, verified %d times", s, a.count("verify")-verified)
		}
	})
}

func TestAnEndpointOfAnotherChainIsNeverBelieved(t *testing.T) {
	a, b := newFake("a", 5000, 4000), newFake("b", 100, 50)
	a.id = 11
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		for range 5 {
			if got := heads(t, p); got != 100 {
				t.Fatalf("the head is %d", got)
			}
			time.Sleep(time.Minute)
		}
		if a.count("heads") > 0 || a.count("verify") > 12 {
			t.Fatalf("a was asked for its heads %d times, and for its chain %d times", a.count("heads"), a.count("verify"))
		}
		if s := states(p)["a"]; s.Up || !strings.Contains(s.Reason, "serves chain 11") {
			t.Fatalf("%+v", s)
		}
		b.set(func(f *fake) { f.fail = errDown })
		_, err := p.Heads(t.Context())
		if err == nil || chain.IsFatal(err) || !strings.Contains(err.Error(), "chain 11") || !strings.Contains(err.Error(), "refused") {
			t.Fatalf("one of two may come back: %v", err)
		}
	})
}

func TestALaggingEndpointIsNotAskedForWhatItLacks(t *testing.T) {
	a, b := newFake("a", 1000, 900), newFake("b", 700, 600)
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		heads(t, p)
		time.Sleep(2 * lookEvery)
		synctest.Wait()
		for n := uint64(701); n < 900; n += 10 {
			want := indexer.Want{Anchor: chain.BlockRef{Number: 900, Hash: hashOf(900, 0)}}
			if _, err := p.Fetch(t.Context(), indexer.Range{From: n, To: n + 9}, want); err != nil {
				t.Fatal(err)
			}
		}
		if n := b.count("fetch"); n > 0 {
			t.Fatalf("b, whose head is 700, was asked %d times", n)
		}
	})
}

func TestALeaderThatLagsIsReplaced(t *testing.T) {
	a, b := newFake("a", 100, 50), newFake("b", 100, 50)
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		for i := range uint64(60) { // a stands still
			b.set(func(f *fake) { f.head = 100 + i })
			heads(t, p)
			time.Sleep(2 * time.Second)
		}
		if s := states(p); !s["b"].Leads || !s["a"].Up {
			t.Fatalf("%+v", s)
		}
	})
}

func TestEndpointsShareWhatIsFinalized(t *testing.T) {
	a, b := newFake("a", 1000, 900), newFake("b", 1000, 900)
	a.took, b.took = 100*time.Millisecond, 100*time.Millisecond
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		heads(t, p)
		time.Sleep(2 * lookEvery)
		synctest.Wait()
		done := make(chan error)
		for i := range uint64(8) {
			go func() {
				_, err := p.Fetch(t.Context(), indexer.Range{From: 1 + 10*i, To: 10 + 10*i}, indexer.Want{Anchor: chain.BlockRef{Number: 900, Hash: hashOf(900, 0)}})
				done <- err
			}()
			synctest.Wait()
		}
		for range 8 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if a.count("fetch") != 4 || b.count("fetch") != 4 {
			t.Fatalf("a was asked %d times, b %d times", a.count("fetch"), b.count("fetch"))
		}
		if _, err := p.Fetch(t.Context(), indexer.Range{From: 950, To: 960}, indexer.Want{Dense: true}); err != nil || b.count("fetch") != 4 {
			t.Fatalf("above finalized, b was asked, or %v", err)
		}
	})
}

func TestADisputeOverAFinalizedBlock(t *testing.T) {
	a, b := newFake("a", 1000, 900), newFake("b", 1000, 890)
	b.fork = func(n uint64) byte { return byte(n / 500) }
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		time.Sleep(2 * lookEvery)
		_, err := p.Heads(t.Context())
		if !chain.IsFatal(err) || !strings.Contains(err.Error(), "a has 890") || !strings.Contains(err.Error(), "b has 890") {
			t.Fatalf("%v", err)
		}
		b.set(func(f *fake) { f.fork = nil })
		time.Sleep(2 * lookEvery)
		heads(t, p)

		b.set(func(f *fake) { f.fork, f.id = func(uint64) byte { return 7 }, 11 })
		time.Sleep(2 * lookEvery)
		heads(t, p) // the word of another chain's node does not count
		if s := states(p)["b"]; s.Up {
			t.Fatalf("%+v", s)
		}
	})
}

func TestOneEndpointAloneSaysWhatIsWrong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newFake("a", 100, 50)
		a.fail = errDown
		p := poolOf(t, a)
		for range 3 {
			if _, err := p.Heads(t.Context()); err == nil || !strings.Contains(err.Error(), "rpc a: connection refused") {
				t.Fatal(err)
			}
		}
		if n := a.count("verify"); n != 1 {
			t.Fatalf("it was asked %d times in one moment", n)
		}
		a.set(func(f *fake) { f.fail = nil })
		time.Sleep(time.Second)
		heads(t, p)
		if err := p.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	})
}

func TestOptionsCheck(t *testing.T) {
	_, err := New(Options{Members: []Member{{Name: "a", Endpoint: newFake("a", 1, 1)}}})
	if err == nil || !strings.Contains(err.Error(), "a has no Gate") {
		t.Fatal(err)
	}
	if _, err := New(Options{}); err == nil || errors.Is(err, errDown) {
		t.Fatal(err)
	}
}
