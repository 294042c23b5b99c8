package poller

import (
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"superindex/internal/sources"
)

// TestSpansAreSets: against a set of single days, in random orders.
func TestSpansAreSets(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	for range 2000 {
		var s spans
		days := map[uint64]bool{}
		for range rng.IntN(12) {
			from := uint64(rng.IntN(30))
			n, add := span{from, from + uint64(rng.IntN(6))}, rng.IntN(3) > 0
			if s = s.without(n); add {
				s = s.with(n)
			}
			for day := n.From; day <= n.To; day++ {
				days[day] = add
			}
		}
		size := uint64(0)
		for day := range uint64(40) {
			in := slices.ContainsFunc(s, func(one span) bool { return one.From <= day && day <= one.To })
			if in != days[day] {
				t.Fatalf("seed %d: day %d is in %v: %v", seed, day, s, in)
			}
			if in {
				size++
			}
		}
		for i := 1; i < len(s); i++ {
			if s[i].From <= s[i-1].To+1 {
				t.Fatalf("seed %d: %v is not in order, or could be shorter", seed, s)
			}
		}
		if s.size() != size {
			t.Fatalf("seed %d: %v has %d days, not %d", seed, s, s.size(), size)
		}
	}
}

// TestTheCoverageRatio: what is missing counts until it comes, and a restart knows it.
func TestTheCoverageRatio(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		feed, journal := &counter{names: []string{"a", "b"}}, &sources.Paper{}
		status := Missing
		feed.answer = func(id string, n int) (Result, error) {
			if id == "b" {
				return Result{Coverage: []Coverage{{Dataset: "counts", Resource: id, From: 5, To: 5, Unit: Day, Status: Unproven}}}, errors.New("cut")
			}
			return Result{Coverage: []Coverage{
				{Dataset: "counts", Resource: id, From: 1, To: 6, Unit: Day, Status: Complete},
				{Dataset: "counts", Resource: id, From: 2, To: 3, Unit: Day, Status: status},
				{Dataset: "others", Resource: id, From: 1, To: 1, Unit: Hour, Status: Missing},
			}}, nil
		}
		p := open(t, feed, journal)
		expect := func(want float64) {
			t.Helper()
			if got := p.ratios(); len(got) != 2 || got["counts"] != want || got["others"] != 0 {
				t.Errorf("got %v, want %v", got, want)
			}
		}
		if err := p.Round(t.Context()); err != nil {
			t.Fatal(err)
		}
		expect(4. / 7)
		p = open(t, feed, journal)
		if _, err := p.Advance(t.Context()); err != nil { // nothing is due
			t.Fatal(err)
		}
		expect(4. / 7)
		status = Complete
		follow(t, p, 61*60*1e9)
		expect(6. / 7)
	})
}
