package pool

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
)

// all checks that an answer has every block of a range, once and in order.
func all(t *testing.T, f indexer.Fetched, r indexer.Range) {
	t.Helper()
	if uint64(len(f.Blocks)) != r.Len() || uint64(f.All) != r.Len() {
		t.Fatalf("%d blocks and %d logs of %d", len(f.Blocks), f.All, r.Len())
	}
	for i, b := range f.Blocks {
		if b.Number != r.From+uint64(i) {
			t.Fatalf("block %d stands at place %d", b.Number, i)
		}
	}
}

var sparse = indexer.Want{Anchor: chain.BlockRef{Number: 900, Hash: hashOf(900, 0)}}

func TestWhatIsTooLargeIsReadInParts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newFake("a", 1000, 900)
		a.refuse = func(r indexer.Range) error {
			_, err := limits{blocks: 30, says: r.From > 300}.answer(r.Len(), 1)
			return err
		}
		p := poolOf(t, a)
		heads(t, p)
		for _, r := range []indexer.Range{{From: 1, To: 300}, {From: 301, To: 700}} {
			f, err := p.Fetch(t.Context(), r, sparse)
			if err != nil {
				t.Fatal(err)
			}
			all(t, f, r)
		}
		if s := states(p)["a"]; s.Cap != 30 {
			t.Fatalf("%+v", s)
		}
		before := a.count("fetch")
		if f, err := p.Fetch(t.Context(), indexer.Range{From: 701, To: 800}, sparse); err != nil || a.count("fetch")-before != 4 {
			t.Fatalf("%d requests for 100 blocks of at most 30: %v, %v", a.count("fetch")-before, len(f.Blocks), err)
		}
		if r := p.Next(indexer.Range{From: 801, To: 900}, sparse); r != (indexer.Range{From: 801, To: 830}) {
			t.Fatalf("next is %v", r)
		}
	})
}

func TestAnErrorThatNobodyKnows(t *testing.T) {
	odd := verdictError(ethrpc.Verdict{Kind: ethrpc.Unknown})
	synctest.Test(t, func(t *testing.T) {
		a := newFake("a", 1000, 900)
		times := 0
		a.refuse = func(indexer.Range) error {
			if times++; times <= 2*2 { // it is asked twice a call by the fake
				return odd
			}
			return nil
		}
		p := poolOf(t, a)
		heads(t, p)
		r := indexer.Range{From: 1, To: 100}
		f, err := p.Fetch(t.Context(), r, sparse)
		if err != nil || a.count("fetch") != 3 {
			t.Fatalf("it is asked again twice, not %d times: %v", a.count("fetch"), err)
		}
		all(t, f, r)

		a.set(func(f *fake) {
			f.refuse = func(r indexer.Range) error {
				if r.Len() > 25 {
					return odd
				}
				return nil
			}
		})
		if f, err = p.Fetch(t.Context(), r, sparse); err != nil {
			t.Fatal(err)
		}
		all(t, f, r)

		a.set(func(f *fake) {
			f.refuse = func(r indexer.Range) error {
				if r.From <= 42 && r.To >= 42 {
					return odd
				}
				return nil
			}
		})
		if _, err = p.Fetch(t.Context(), r, sparse); err == nil || !strings.Contains(err.Error(), "block 42 alone") {
			t.Fatalf("the block that cannot be had is named: %v", err)
		}

		a.set(func(f *fake) { f.whole = true })
		if f, err = p.Fetch(t.Context(), r, sparse); err != nil || len(f.Transactions) > 0 {
			t.Fatalf("a block by its receipts: %d transactions, %v", len(f.Transactions), err)
		}
		all(t, f, r)
	})
}

func TestARangeGoesOnElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := newFake("a", 1000, 900), newFake("b", 1000, 900)
		p := poolOf(t, a, b)
		heads(t, p)
		if err := p.look(t.Context(), p.all[1]); err != nil {
			t.Fatal(err)
		}
		for name, err := range map[string]error{
			"down": errDown, "missing": verdictError(ethrpc.Verdict{Kind: ethrpc.Missing}), "odd": verdictError(ethrpc.Verdict{Kind: ethrpc.Unknown}),
			"busy": verdictError(ethrpc.Verdict{Kind: ethrpc.Limited}), "forked": indexer.ErrTorn, "refused": chain.Fatal(errors.New("no money"), "pay"),
		} {
			a.set(func(f *fake) { f.refuse = func(indexer.Range) error { return err } })
			p.all[0].judge(t.Context(), nil)
			if _, err := p.Fetch(t.Context(), indexer.Range{From: 1, To: 9}, sparse); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		a.set(func(f *fake) { f.refuse = func(indexer.Range) error { return indexer.ErrTorn } })
		p.all[0].judge(t.Context(), nil)
		before := b.count("fetch")
		if _, err := p.Fetch(t.Context(), indexer.Range{From: 950, To: 960}, indexer.Want{Dense: true}); !errors.Is(err, indexer.ErrTorn) || b.count("fetch") > before {
			t.Errorf("that the leader's chain moved is not for others to say: %v", err)
		}
	})
}

func TestPartsOfTwoForksAreTorn(t *testing.T) {
	low, high := newFake("a", 10, 0), newFake("b", 10, 0)
	high.fork = func(uint64) byte { return 1 }
	_, err := halves(indexer.Range{From: 1, To: 8}, 4, indexer.Want{Dense: true}, func(r indexer.Range) (indexer.Fetched, error) {
		if r.From == 1 {
			return low.Fetch(t.Context(), r, indexer.Want{})
		}
		return high.Fetch(t.Context(), r, indexer.Want{})
	})
	if !errors.Is(err, indexer.ErrTorn) {
		t.Fatal(err)
	}
}

// A refusal for the rate, and a lost connection, cost one request: what was fetched
// ahead is not thrown away for them.
func TestWhatPassesIsWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newFake("a", 1000, 900)
		p := poolOf(t, a)
		heads(t, p)
		for name, err := range map[string]error{"too soon": verdictError(ethrpc.Verdict{Kind: ethrpc.Limited}), "down": errDown} {
			times := 0
			a.set(func(f *fake) {
				f.refuse = func(indexer.Range) error {
					if times++; times <= 2 { // it is asked twice a call by the fake
						return err
					}
					return nil
				}
			})
			before := a.count("fetch")
			if _, err := p.Fetch(t.Context(), indexer.Range{From: 1, To: 9}, sparse); err != nil || a.count("fetch") != before+2 {
				t.Errorf("%s: %v after %d requests", name, err, a.count("fetch")-before)
			}
		}
		a.set(func(f *fake) {
			f.refuse = func(indexer.Range) error { return verdictError(ethrpc.Verdict{Kind: ethrpc.Limited, Wait: time.Hour}) }
		})
		before := a.count("fetch")
		if _, err := p.Fetch(t.Context(), indexer.Range{From: 1, To: 9}, sparse); err == nil || a.count("fetch") != before+1 {
			t.Errorf("an hour is not waited for: %v", err)
		}
	})
}
