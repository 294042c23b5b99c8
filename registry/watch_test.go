package registry

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"
	"testing"

	"superindex/chain"
)

// randomSet is a set of n addresses, and n others.
func randomSet(n int) (set *Set, in, out []chain.Address) {
	r, owned := rand.New(rand.NewPCG(1, 2)), map[chain.Address][]string{}
	address := func() (a chain.Address) {
		for i := range 5 {
			binary.LittleEndian.PutUint32(a[4*i:], r.Uint32())
		}
		return a
	}
	for range n {
		a := address()
		owned[a], in, out = []string{"p"}, append(in, a), append(out, address())
	}
	return newSet(owned), in, out
}

func TestSet(t *testing.T) {
	for _, n := range []int{0, 1, 4, 5, 1000} {
		set, in, out := randomSet(n)
		equal(t, "length", set.Len(), n)
		for i := range in {
			if !set.Has(&in[i]) || set.Has(&out[i]) {
				t.Fatalf("of %d, address %d: %v %v", n, i, set.Has(&in[i]), set.Has(&out[i]))
			}
		}
		if set.Has(new(chain.Address)) {
			t.Error("the zero address is in")
		}
		equal(t, "zero id", set.ID() == chain.WatchID{}, n == 0)
	}
}

// Predeploys differ in their last bytes only, and vanity addresses in their
// middle: the worst that a cheap hash meets.
func TestSetOfAlikeAddresses(t *testing.T) {
	owned := map[chain.Address][]string{{}: {"zero"}}
	for i := range 5000 {
		a, b := chain.Address{0x42}, chain.Address{}
		binary.BigEndian.PutUint32(a[16:], uint32(i))
		binary.BigEndian.PutUint32(b[6:], uint32(i+1))
		owned[a], owned[b] = []string{"a"}, []string{"b"}
	}
	set := newSet(owned)
	for a, names := range owned {
		if !slices.Equal(set.Owners(a), names) {
			t.Fatalf("%s: %v, want %v", a, set.Owners(a), names)
		}
	}
}

const abc = `
blockchain:
  - {address: "0x000000000000000000000000000000000000000a", networks: [optimism, base], tags: [contract]}
  - {address: "0x000000000000000000000000000000000000000b", networks: [any_evm], tags: [eoa]}
`

func TestWatch(t *testing.T) {
	s := directory(t,
		"projects/p/one.yaml", "name: one"+abc,
		"projects/p/two.yaml", "name: two"+abc,
		"projects/p/three.yaml", `name: three
blockchain: [{address: "0x000000000000000000000000000000000000000A", networks: [mode], tags: [contract]}]`)
	a, b := chain.Address{19: 0xa}, chain.Address{19: 0xb}
	for network, want := range map[string]int{"optimism": 2, "base": 2, "mode": 2, "ink": 1} {
		equal(t, network, s.Watch(network).Len(), want)
	}
	op, mode := s.Watch("optimism"), s.Watch("mode")
	if got := op.Owners(a); !slices.Equal(got, []string{"one", "two"}) {
		t.Error(got)
	}
	if got := mode.Owners(a); !slices.Equal(got, []string{"three"}) {
		t.Error(got)
	}
	if got := op.Owners(chain.Address{}); got != nil {
		t.Error(got)
	}
	equal(t, "the same addresses are the same set", op.ID(), mode.ID())
	equal(t, "others are not", op.ID() == s.Watch("ink").ID(), false)
	if got := slices.Collect(op.All()); !slices.Equal(got, []chain.Address{a, b}) {
		t.Error(got)
	}
}

func TestSetDoesNotAllocate(t *testing.T) {
	set, in, out := randomSet(1000)
	got := testing.AllocsPerRun(100, func() {
		if !set.Has(&in[7]) || set.Has(&out[7]) || set.Owners(in[8]) == nil {
			t.Fatal("wrong")
		}
	})
	equal(t, "allocations", got, 0)
}

// BenchmarkHas asks for addresses in no order, as logs do, at the size that the
// issue names and through the interface that the engine calls; Go's map stands
// beside it. One op is a look-up.
func BenchmarkHas(b *testing.B) {
	set, in, out := randomSet(25_000)
	plain := make(mapSet, len(in))
	for _, a := range in {
		plain[a] = struct{}{}
	}
	b.Run("set/in", func(b *testing.B) { lookup(b, in, set) })
	b.Run("set/out", func(b *testing.B) { lookup(b, out, set) })
	b.Run("map/in", func(b *testing.B) { lookup(b, in, plain) })
	b.Run("map/out", func(b *testing.B) { lookup(b, out, plain) })
}

type mapSet map[chain.Address]struct{}

func (m mapSet) Has(a *chain.Address) bool { _, ok := m[*a]; return ok }

func lookup(b *testing.B, list []chain.Address, set interface{ Has(*chain.Address) bool }) {
	b.ReportAllocs()
	found := 0
	for n := 0; n < b.N; {
		for i := range list[:min(len(list), b.N-n)] {
			if set.Has(&list[i]) {
				found++
			}
			n++
		}
	}
	if found != 0 && found != b.N {
		b.Fatal(found)
	}
}
