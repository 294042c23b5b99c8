package decoder

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
)

// TestAppendHex has every length around the steps that it goes in, with and
// without room behind.
func TestAppendHex(t *testing.T) {
	b := make([]byte, 70)
	for i := range b {
		b[i] = byte(37*i + 11)
	}
	for n := range b {
		for _, room := range []int{0, 300} {
			got := string(appendHex(append(make([]byte, 0, 3+room), "is "...), b[:n]))
			if want := fmt.Sprintf(`is "0x%x"`, b[:n]); got != want {
				t.Errorf("%d bytes: %s, not %s", n, got, want)
			}
		}
	}
	if got, want := string(appendAddress(nil, (*[20]byte)(b))), fmt.Sprintf(`"0x%x"`, b[:20]); got != want {
		t.Errorf("address: %s, not %s", got, want)
	}
}

// TestDecimal has the ends of every number of digits, and random numbers of every
// number of bits.
func TestDecimal(t *testing.T) {
	check := func(v uint64) {
		t.Helper()
		if got, want := string(appendDecimal([]byte("is "), v)), "is "+strconv.FormatUint(v, 10); got != want {
			t.Fatalf("%s, not %s", got, want)
		}
		if got, want := string(appendChunk(nil, v%chunk)), fmt.Sprintf("%019d", v%chunk); got != want {
			t.Fatalf("%s, not %s", got, want)
		}
	}
	check(0)
	for v := uint64(1); v < 1e19; v *= 10 {
		check(v - 1)
		check(v)
		check(10*v - 1)
	}
	dice := rand.New(rand.NewPCG(1, 2))
	for range 100_000 {
		check(dice.Uint64() >> dice.UintN(64))
	}
	check(1<<64 - 1)
}

// TestWideDecimal has random numbers of every number of bits to 256.
func TestWideDecimal(t *testing.T) {
	dice := rand.New(rand.NewPCG(3, 4))
	for range 20_000 {
		v := new(big.Int)
		for range 4 {
			v.Or(v.Lsh(v, 64), new(big.Int).SetUint64(dice.Uint64()))
		}
		v.Rsh(v, dice.UintN(256))
		w := [word]byte(v.FillBytes(make([]byte, word)))
		if got := string(limbs(&w).append(nil)); got != v.String() {
			t.Fatalf("%s, not %s", got, v)
		}
	}
}
