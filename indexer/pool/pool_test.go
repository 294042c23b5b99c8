package pool

import (
	"context"
	"errors"
	"strings"
	"sync"
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

// An endpoint that hangs goes out with its reason, is not waited for again, and comes
// back; what it was asked for is read elsewhere, whole.
func TestAnEndpointThatHangs(t *testing.T) {
	a, b := newFake("a", 1000, 900), newFake("b", 1000, 900)
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		heads(t, p)
		time.Sleep(time.Minute)
		a.set(func(f *fake) { f.hangs = func(indexer.Range) bool { return true } })
		b.set(func(f *fake) { f.took = time.Second }) // a is the better one
		r := indexer.Range{From: 1, To: 100}
		f, err := p.Fetch(t.Context(), r, sparse)
		if err != nil {
			t.Fatal(err)
		}
		all(t, f, r)
		if s := states(p)["a"]; s.Up || !strings.Contains(s.Reason, "rpc a: no answer within 30s") {
			t.Fatalf("%+v", s)
		}
		began := time.Now()
		for range 20 {
			heads(t, p)
			if _, err := p.Fetch(t.Context(), r, sparse); err != nil {
				t.Fatal(err)
			}
		}
		if took := time.Since(began); took > 40*time.Second {
			t.Fatalf("20 times 2 calls of a second took %v: a was waited for", took)
		}
		a.set(func(f *fake) { f.hangs = nil })
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := states(p)["a"]; !s.Up {
			t.Fatalf("%+v", s)
		}
	})
}

// Alone, it is not asked for ever smaller parts, each of which would take as long; it
// is asked for less from then on, for it may have been too much.
func TestAnEndpointThatHangsAlone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newFake("a", 1000, 900)
		p := poolOf(t, a)
		heads(t, p)
		whole := indexer.Range{From: 1, To: 900}
		before := p.Next(whole, sparse)
		a.set(func(f *fake) { f.hangs = func(r indexer.Range) bool { return r.To > 0 } })
		began := time.Now()
		_, err := p.Fetch(t.Context(), before, sparse)
		if err == nil || errors.Is(err, indexer.ErrTooLarge) || time.Since(began) > 40*time.Second {
			t.Fatalf("after %v: %v", time.Since(began), err)
		}
		if after := p.Next(whole, sparse); after.Len() != before.Len()/2 {
			t.Fatalf("%d blocks, and then %d", before.Len(), after.Len())
		}
		a.set(func(f *fake) { f.hangs = nil })
		time.Sleep(time.Second)
		if f, err := p.Fetch(t.Context(), before, sparse); err != nil || !states(p)["a"].Up {
			t.Fatalf("%d blocks, %v", len(f.Blocks), err)
		}
	})
}

// One that answers other calls meanwhile does not hang: it was asked for too much.
func TestAnEndpointThatOnlyTakesTooLong(t *testing.T) {
	a, b := newFake("a", 1000, 900), newFake("b", 700, 600)
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		heads(t, p)
		a.set(func(f *fake) { f.hangs = func(r indexer.Range) bool { return r.Len() > 25 && r.To > 0 } })
		done := make(chan error)
		go func() {
			r := indexer.Range{From: 701, To: 800}
			f, err := p.Fetch(t.Context(), r, sparse)
			if err == nil {
				all(t, f, r)
			}
			done <- err
		}()
		for range 100 {
			heads(t, p)
			time.Sleep(time.Second)
		}
		if err := <-done; err != nil || !states(p)["a"].Up {
			t.Fatalf("%v; %+v", err, states(p)["a"])
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

// One that shows its heads, but answers no read, is out after a few of them, with the
// reason, though its heads are answered; the others take its share. It comes back when a
// read is answered.
func TestAnEndpointWhoseReadsHang(t *testing.T) {
	a, b := newFake("a", 1000, 900), newFake("b", 1000, 900)
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		heads(t, p)
		time.Sleep(time.Minute)
		a.set(func(f *fake) { f.hangs = func(r indexer.Range) bool { return r.To > 0 } })
		b.set(func(f *fake) { f.took = time.Second }) // a is the better one
		done := make(chan time.Duration, 1)
		go func() {
			defer func(began time.Time) { done <- time.Since(began) }(time.Now())
			for n := uint64(901); n < 911; n++ {
				if f, err := p.Fetch(t.Context(), indexer.Range{From: n, To: n}, indexer.Want{Dense: true}); err != nil || len(f.Blocks) != 1 {
					t.Errorf("block %d: %v", n, err)
				}
			}
		}()
		for range 600 {
			heads(t, p)
			time.Sleep(time.Second)
		}
		if took := <-done; took > 2*time.Minute {
			t.Errorf("10 blocks of a second took %v", took)
		}
		if s := states(p); s["a"].Up || s["a"].Leads || !s["b"].Leads || !strings.Contains(s["a"].Reason, "reads in a row were not answered: rpc a: no answer within 30s") {
			t.Fatalf("%+v", s)
		}
		fails := p.all[0].fails
		if s := states(p)["a"]; s.Up || fails < 3 || fails > 20 || time.Since(s.Seen) > 2*time.Minute {
			t.Fatalf("tried %d times in 8 minutes: %+v", fails, s)
		}
		a.set(func(f *fake) { f.hangs = nil })
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if s := states(p)["a"]; !s.Up || s.Reason != "" {
			t.Fatalf("%+v", s)
		}
	})
}

// So is one of whom many things are asked at once, and none after the other.
func TestAnEndpointWhoseReadsHangSideBySide(t *testing.T) {
	a, b := newFake("a", 100_000, 90_000), newFake("b", 100_000, 90_000)
	inBubble(t, []*fake{a, b}, func(t *testing.T, p *Pool) {
		heads(t, p)
		time.Sleep(time.Minute)
		a.set(func(f *fake) { f.hangs = func(r indexer.Range) bool { return r.To > 0 } })
		b.set(func(f *fake) { f.took = time.Second }) // a is the better one
		ctx, cancel := context.WithCancel(t.Context())
		var readers sync.WaitGroup
		for i := range uint64(20) {
			readers.Go(func() {
				time.Sleep(time.Duration(i) * 1500 * time.Millisecond)
				for n := 90_001 + 100*i; ctx.Err() == nil; n += 4 {
					_, _ = p.Fetch(ctx, indexer.Range{From: n, To: n + 3}, indexer.Want{Dense: true})
				}
			})
		}
		for range 240 {
			heads(t, p)
			time.Sleep(time.Second)
		}
		if s := states(p); s["a"].Up || !s["b"].Leads || !strings.Contains(s["a"].Reason, "reads in a row were not answered") {
			t.Errorf("%+v", s)
		}
		cancel()
		readers.Wait()
	})
}

// A network's only endpoint that answers no read shows it as the network's fault, and
// is tried again.
func TestTheOnlyEndpointWhoseReadsHang(t *testing.T) {
	a := newFake("a", 1000, 900)
	live(t, []*fake{a}, func(t *testing.T, d *day) {
		d.mine(time.Minute, 0)
		d.reached(t, 2, 0)
		a.set(func(f *fake) { f.hangs = func(r indexer.Range) bool { return r.To > 0 } })
		for range 10 {
			d.mine(time.Minute, 0)
			if n := d.network(); d.chain.head > 1190 && !strings.Contains(n.Faults["writer"], "reads in a row were not answered") {
				t.Fatalf("at block %d: %+v", d.chain.head, n)
			}
		}
		if s := states(d.pool)["a"]; s.Up || d.network().Faults["writer"] == "" {
			t.Fatalf("%+v", s)
		}
		a.set(func(f *fake) { f.hangs = nil })
		d.mine(3*time.Minute, 0)
		d.reached(t, 2, 0)
		if s := states(d.pool)["a"]; !s.Up || len(d.network().Faults) > 0 {
			t.Fatalf("%+v", s)
		}
	})
}

// A block over which alone an endpoint hangs is read from its receipts.
func TestABlockThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newFake("a", 1000, 900)
		a.hangs = func(r indexer.Range) bool { return r.From <= 42 && r.To >= 42 }
		a.whole = true
		p := poolOf(t, a)
		r := indexer.Range{From: 1, To: 45}
		for range 20 {
			if _, err := p.Heads(t.Context()); err == nil && r.From <= r.To {
				next := p.Next(r, sparse)
				if _, err = p.Fetch(t.Context(), next, sparse); err == nil {
					r.From = next.To + 1
				}
			}
			time.Sleep(outMost)
		}
		if r.From <= r.To {
			t.Fatalf("not read further than to block %d: %+v", r.From, states(p)["a"])
		}
	})
}
