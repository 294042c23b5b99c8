package reorg

import (
	"errors"
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"superindex/chain"
)

// window makes a tracker from a string: one letter a block, from number first.
func window(first uint64, forks string) *Tracker {
	t := &Tracker{}
	for i := range forks {
		t.blocks = append(t.blocks, ref(first+uint64(i), forks[i]))
	}
	return t
}

// node answers for a chain of the same form.
func node(first uint64, forks string) func(uint64) (chain.Hash, bool, error) {
	return func(n uint64) (chain.Hash, bool, error) {
		if n < first || n >= first+uint64(len(forks)) {
			return chain.Hash{}, false, nil
		}
		return ref(n, forks[n-first]).Hash, true, nil
	}
}

func TestAncestor(t *testing.T) {
	for _, c := range []struct {
		ours, theirs string
		want         uint64
		err          error
	}{
		{"aaaa", "aaaa", 13, nil},
		{"aaaa", "aabb", 11, nil},
		{"aaaa", "aaab", 12, nil},
		{"aaaa", "abbb", 10, nil},
		{"aaaa", "aa", 11, nil},
		{"aaaa", "aabbbbbb", 11, nil},
		{"a", "a", 10, nil},
		{"aaaa", "bbbb", 0, ErrContested},
		{"aaaa", "", 0, ErrBehind},
	} {
		got, err := window(10, c.ours).Ancestor(node(10, c.theirs))
		if !errors.Is(err, c.err) || (c.err == nil && got != ref(c.want, 'a')) {
			t.Errorf("%s against %s: %v, %v; want %d, %v", c.ours, c.theirs, got, err, c.want, c.err)
		}
	}
}

func TestAncestorPassesAFaultOn(t *testing.T) {
	boom := errors.New("boom")
	_, err := window(10, "aaaa").Ancestor(func(uint64) (chain.Hash, bool, error) { return chain.Hash{}, false, boom })
	if !errors.Is(err, boom) {
		t.Fatal(err)
	}
}

// TestAncestorIsTheHighest compares the binary search with a walk from the top.
func TestAncestorIsTheHighest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		same := rapid.IntRange(1, 40).Draw(t, "same")
		ours := same + rapid.IntRange(0, 40).Draw(t, "ours")
		theirs := same + rapid.IntRange(0, 40).Draw(t, "theirs")
		fork := func(n int, letter byte) (s string) {
			for i := range n {
				if i < same {
					s += "a"
				} else {
					s += string(letter)
				}
			}
			return s
		}
		asked := 0
		ask := node(100, fork(theirs, 'b'))
		got, err := window(100, fork(ours, 'o')).Ancestor(func(n uint64) (chain.Hash, bool, error) { asked++; return ask(n) })
		if err != nil || got != ref(uint64(99+same), 'a') || asked > 7 {
			t.Fatalf("%v, %v after %d calls; want %d", got, err, asked, 99+same)
		}
	})
}

func TestFinalityByHash(t *testing.T) {
	tr := window(10, "aaaaaa")
	tr.final, tr.safe = ref(11, 'a'), ref(13, 'a')
	zero := chain.BlockRef{}
	for _, c := range []struct{ safe, final, wantSafe, wantFinal chain.BlockRef }{
		{ref(14, 'a'), ref(12, 'a'), ref(14, 'a'), ref(12, 'a')},
		{ref(12, 'a'), ref(11, 'a'), ref(12, 'a'), ref(11, 'a')}, // safe may go back
		{ref(14, 'b'), ref(12, 'b'), ref(13, 'a'), ref(11, 'a')}, // another fork's number says nothing
		{ref(99, 'a'), ref(98, 'a'), ref(13, 'a'), ref(11, 'a')}, // not held yet
		{ref(10, 'a'), ref(10, 'a'), ref(11, 'a'), ref(11, 'a')}, // final never goes back, safe not below it
		{zero, zero, ref(13, 'a'), ref(11, 'a')},
	} {
		safe, final := tr.Finality(c.safe, c.final)
		if safe != c.wantSafe || final != c.wantFinal {
			t.Errorf("of safe %v, final %v: took %v, %v", c.safe, c.final, safe, final)
		}
	}
}

func TestPlay(t *testing.T) {
	tr := window(10, "a")
	play := func(want string, s *chain.Step) {
		t.Helper()
		tr.Play(s)
		got := fmt.Sprint(tr.Floor().Number)
		for _, b := range tr.Blocks() {
			got += string(b.Hash[2])
		}
		if got != want {
			t.Fatalf("window %s, want %s", got, want)
		}
	}
	none := chain.BlockRef{}
	play("10aaaa", apply(ref(10, 'a'), 13, 'a', none, none))
	play("10aa", revert(ref(11, 'a'), ref(13, 'a')))
	play("12bb", apply(ref(11, 'a'), 13, 'b', ref(12, 'b'), ref(12, 'b')))
	play("12bb", &chain.Step{Fill: &chain.Fill{}})
	sparse := apply(ref(13, 'b'), 20, 'b', ref(20, 'b'), ref(20, 'b'))
	sparse.Apply.Blocks = append(sparse.Apply.Blocks[:1], sparse.Apply.Blocks[6])
	play("20b", sparse)
	play("15c", &chain.Step{Revert: &chain.Revert{To: ref(15, 'c'), Cause: chain.Rewind}})
	if tr.Final() != ref(15, 'c') {
		t.Fatalf("a rewind leaves finalized at %v", tr.Final())
	}
	play("9d", &chain.Step{Revert: &chain.Revert{To: ref(9, 'd'), Cause: chain.Begin}})
}
