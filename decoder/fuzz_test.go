package decoder

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/ethereum/go-ethereum/accounts/abi"

	"superindex/chain"
)

// sameAsGeth reads a log under one layout with both decoders. Where ours fits,
// accounts/abi has to give the same values; ours fits exactly if and only if
// packing those values again gives the same data. Where ours does not fit,
// accounts/abi must not give values that pack to the same data, unless they are
// outside their type, which it does not look at for most sizes.
func sameAsGeth(t *testing.T, l *Layout, topics []chain.Hash, data []byte) error {
	t.Helper()
	r := reader{data: data, left: aliasing * len(data), exact: true}
	why := r.event(l, topics)
	if len(r.out) > outputBound(l, len(data)) {
		return fmt.Errorf("%d bytes of JSON out of %d of data", len(r.out), len(data))
	}
	if why == TooMuchWork || why == OutOfType {
		return nil // accounts/abi might take for ever, or accept it
	}
	args := gethArguments(t, l)
	values, err := gethDecode(args, l, topics, data)
	switch {
	case err == nil && why == Fits && string(r.out) != gethJSON(l, values):
		return fmt.Errorf("values differ\ndata %x\ngot  %s\nwant %s", data, r.out, gethJSON(l, values))
	case err == nil:
		return sameForm(args, values, data, why == Fits && r.exact)
	case why == Fits:
		return fmt.Errorf("we read %s, accounts/abi says %w", r.out, err)
	}
	return nil
}

// sameForm compares data with what accounts/abi packs of the values it unpacked.
func sameForm(args abi.Arguments, values []any, data []byte, exact bool) error {
	var plain []any
	for i, a := range args {
		if !a.Indexed {
			plain = append(plain, values[i])
		}
	}
	packed, err := args.NonIndexed().Pack(plain...)
	if err != nil {
		return fmt.Errorf("accounts/abi does not pack what it unpacked: %w", err)
	}
	if bytes.Equal(packed, data) != exact {
		return fmt.Errorf("exact is %v\ndata   %x\npacked %x", exact, data, packed)
	}
	return nil
}

// outputBound is what the JSON of a log may grow to: six bytes for each byte
// that is read (an escape), and the keys and brackets that one word may cost.
func outputBound(l *Layout, data int) int {
	perWord := 100 + longest(l.args)
	return (aliasing*data/32 + len(l.args) + 1) * (perWord + 6*32)
}

// longest is the number of bytes in all keys below args.
func longest(args []arg) (sum int) {
	var keysOf func(f field) int
	keysOf = func(f field) int {
		n := len(f.key) + 2
		if f.node.elem != nil {
			n += keysOf(field{node: f.node.elem})
		}
		for _, c := range f.node.fields {
			n += keysOf(c)
		}
		return n
	}
	for _, a := range args {
		sum += keysOf(a.field)
	}
	return sum
}

// FuzzDecode reads any data under a layout that is drawn from a seed.
func FuzzDecode(f *testing.F) {
	word := func(b byte) []byte { return append(make([]byte, 31), b) }
	for seed := range uint64(64) {
		f.Add(seed, bytes.Join([][]byte{word(32), word(1), word(32), word(2), word(0), word(96)}, nil))
	}
	f.Fuzz(func(t *testing.T, seed uint64, input []byte) {
		if len(input) > 4096 {
			t.Skip("accounts/abi has no bound of its own")
		}
		l := mustParse(t, newDice(seed).signature())
		topics := make([]chain.Hash, l.topics-1)
		for i := range topics {
			input = input[copy(topics[i][:], input):]
		}
		if err := sameAsGeth(t, l, topics, input); err != nil {
			t.Fatalf("%s: %v", newDice(seed).signature(), err)
		}
	})
}

// FuzzParse reads any declaration: what is accepted reads back the same.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		"event Transfer(address indexed from, address indexed to, uint256 value)",
		"A((uint,(bytes[3][],fixed)[2] x) indexed)anonymous", "event E(address payable[2] a);", "x(uint8[1048577])",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		l, err := Parse(text)
		if err != nil {
			return
		}
		again, err := Parse(l.signature)
		if err != nil || again.signature != l.signature {
			t.Fatalf("%q gave %q, and that %v, %v", text, l.signature, again, err)
		}
	})
}

// FuzzParseABI reads any ABI without harm.
func FuzzParseABI(f *testing.F) {
	f.Add([]byte(`[{"type":"event","name":"E","inputs":[{"type":"tuple[2][]","indexed":true,"components":[{"type":"uint256"}]}]}]`))
	f.Add([]byte(`{"abi":[{"type":"event","name":"E","anonymous":true,"inputs":[]}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		layouts, err := ParseABI(text)
		if err != nil {
			return
		}
		for _, l := range layouts {
			if again, err := Parse(l.signature); err != nil || again.signature != l.signature {
				t.Fatalf("%q: %v", l.signature, err)
			}
		}
	})
}
