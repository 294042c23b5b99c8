package indexer

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"superindex/chain"
)

// forking is a chain of which only the first block is final, which takes another fork
// above a block once that is not 0.
type forking struct {
	still
	above atomic.Uint64
}

func (f *forking) block(n uint64) chain.Block {
	b := testBlock(n)
	if above := f.above.Load(); above > 0 && n > above {
		b.Hash[31] = 'b'
		if n > above+1 {
			b.Parent[31] = 'b'
		}
	}
	return b
}

func (f *forking) Heads(context.Context) (Heads, error) {
	first := f.ref(1)
	return Heads{Latest: f.block(f.height).BlockRef, Safe: first, Final: first, Time: uint64(time.Now().Unix())}, nil
}

func (f *forking) Headers(_ context.Context, numbers []uint64) (out []chain.Block, err error) {
	for _, n := range numbers {
		out = append(out, f.block(n))
	}
	return out, nil
}

func (f *forking) Fetch(_ context.Context, r Range, _ Want) (got Fetched, err error) {
	for n := r.From; n <= r.To; n++ {
		got.Blocks = append(got.Blocks, f.block(n))
	}
	return got, nil
}

// At its quota a network sees a fork, also where it came there in the midst of many ranges
// above finalized.
func TestAForkAtTheQuotaIsReverted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := &forking{still: still{height: 900}}
		sink := slow{&memory{held: map[string]chain.Position{}}, time.Hour}
		e := testEngineOf(t, 16<<10, sink, testNetwork("net", 1, source))
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { done <- Run(ctx, e) }()
		time.Sleep(time.Minute)
		synctest.Wait()
		st, err := e.Journal.Stat("net")
		if err != nil || st.Last.Number < 100 || st.Last.Number >= 900 || st.Bytes <= st.Quota {
			t.Errorf("it stands at %v, with %d bytes of %d: %v", st.Last, st.Bytes, st.Quota, err)
		}
		source.above.Store(50)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if st, err := e.Journal.Stat("net"); err != nil || st.Last != source.ref(50) {
			t.Errorf("after the fork it stands at %v: %v", st.Last, err)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}
