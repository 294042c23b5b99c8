package decoder

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"superindex/chain"
)

// decode reads one log under one layout and returns its arguments, or in
// brackets the reason why it stays raw.
func decode(t testing.TB, l *Layout, topics []chain.Hash, data []byte) string {
	t.Helper()
	e := chain.Event{Log: chain.Log{Topics: append([]chain.Hash{l.topic0}, topics...), Data: data}}
	if _, why := New(Sources{Layouts: []*Layout{l}}).Decode(&e, nil); why != Fits {
		return "(" + why.String() + ")"
	}
	return string(e.Args)
}

// words makes data: a number is a word of that value, "-1" one of all ones, "'x"
// the text x, from the left, "0x..." bytes from the left, "raw:..." bytes as they
// are.
func words(text string) (data []byte) {
	for _, part := range strings.Fields(text) {
		w := make([]byte, word)
		switch {
		case part[0] == '\'':
			copy(w, part[1:])
		case strings.HasPrefix(part, "0x"):
			b, _ := hex.DecodeString(part[2:])
			copy(w, b)
		case strings.HasPrefix(part, "raw:"):
			w, _ = hex.DecodeString(part[4:])
		case part[0] == '-':
			w = bytes.Repeat([]byte{0xff}, word)
		default:
			var n uint64
			fmt.Sscan(part, &n)
			for i := range 8 {
				w[31-i] = byte(n >> (8 * i))
			}
		}
		data = append(data, w...)
	}
	return data
}

// TestValues has one line a type, and what only just does not fit.
func TestValues(t *testing.T) {
	for _, c := range []struct{ types, data, want string }{
		{"uint8 a", "255", `{"a":255}`},
		{"uint8 a", "256", `(out_of_type)`},
		{"uint48 a", "281474976710655", `{"a":281474976710655}`},
		{"uint56 a", "281474976710656", `{"a":"281474976710656"}`},
		{"uint256 a", "-1", `{"a":"115792089237316195423570985008687907853269984665640564039457584007913129639935"}`},
		{"uint248 a", "-1", `(out_of_type)`},
		{"int256 a", "-1", `{"a":"-1"}`},
		{"int8 a", "-1", `{"a":-1}`},
		{"int8 a", "127", `{"a":127}`},
		{"int8 a", "128", `(out_of_type)`},
		{"int8 a", "raw:" + strings.Repeat("ff", 31) + "80", `{"a":-128}`},
		{"int8 a", "raw:" + strings.Repeat("ff", 31) + "7f", `(out_of_type)`},
		{"int256 a", "raw:80" + strings.Repeat("00", 31), `{"a":"-57896044618658097711785492504343953926634992332820282019728792003956564819968"}`},
		{"uint256 a", "raw:" + strings.Repeat("00", 15) + "01" + strings.Repeat("00", 16), `{"a":"340282366920938463463374607431768211456"}`},
		{"uint256 a", "10000000000000000000", `{"a":"10000000000000000000"}`},
		{"fixed8x2 a", "127", `{"a":"1.27"}`},
		{"fixed8x2 a", "-1", `{"a":"-0.01"}`},
		{"ufixed256x80 a", "1", `{"a":"0.` + strings.Repeat("0", 79) + `1"}`},
		{"fixed16x0 a", "5", `{"a":5}`},
		{"bool a", "1", `{"a":true}`},
		{"bool a", "0", `{"a":false}`},
		{"bool a", "2", `(out_of_type)`},
		{"bool a", "-1", `(out_of_type)`},
		{"address a", "raw:" + strings.Repeat("00", 12) + strings.Repeat("Ab", 20), `{"a":"0x` + strings.Repeat("ab", 20) + `"}`},
		{"address a", "raw:" + strings.Repeat("00", 11) + strings.Repeat("ab", 21), `(out_of_type)`},
		{"bytes4 a", "0xdeadbeef", `{"a":"0xdeadbeef"}`},
		{"bytes3 a", "0xdeadbeef", `(out_of_type)`},
		{"bytes32 a", "-1", `{"a":"0x` + strings.Repeat("ff", 32) + `"}`},
		{"function a", "0x" + strings.Repeat("11", 24), `{"a":"0x` + strings.Repeat("11", 24) + `"}`},
		{"string a", "32 2 'hi", `{"a":"hi"}`},
		{"string a", "32 0", `{"a":""}`},
		{"string a", "32 3 0xfffe00", `{"a":{"hex":"0xfffe00"}}`},
		{"string a", "32 5 0x22005c0a7f", `{"a":"\"\u0000\\\n` + "\x7f" + `"}`},
		{"bytes a", "32 2 'hi", `{"a":"0x6869"}`},
		{"bytes a", "32 0", `{"a":"0x"}`},
		{"uint8[] a", "32 2 1 2", `{"a":[1,2]}`},
		{"uint8[] a", "32 0", `{"a":[]}`},
		{"uint8[2][] a", "32 1 1 2", `{"a":[[1,2]]}`},
		{"uint8[][2] a", "32 64 128 1 7 0", `{"a":[[7],[]]}`},
		{"string[2] a, uint8", "64 9 64 128 1 'x 1 'y", `{"a":["x","y"],"1":9}`},
		{"(uint8 x, (string, bool y)[] z) a", "32 5 64 1 32 64 1 2 'hi", `{"a":{"x":5,"z":[{"0":"hi","y":true}]}}`},
		{"(uint8 x, uint8[2] y) a, bool b", "1 2 3 1", `{"a":{"x":1,"y":[2,3]},"b":true}`},
		{"", "", `{}`},
	} {
		if got := decode(t, mustParse(t, "event E("+c.types+")"), nil, words(c.data)); got != c.want {
			t.Errorf("%s of %s: got %s, want %s", c.types, c.data, got, c.want)
		}
	}
}

// TestIndexed reads topics: values as they are, what is dynamic or compound as
// its hash.
func TestIndexed(t *testing.T) {
	hash := keccak("hi")
	topics := []chain.Hash{hash, chain.Hash(words("7")), hash}
	got := decode(t, mustParse(t, "event E(string indexed s, uint8 plain, uint8 indexed n, uint8[2] indexed a)"), topics, words("9"))
	if want := fmt.Sprintf(`{"s":%q,"plain":9,"n":7,"a":%q}`, hash, hash); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for types, want := range map[string]string{
		"bool indexed b, bytes indexed, (bool) indexed": "(out_of_type)",
		"bytes32 indexed b, uint256[] indexed, uint256": "(topic_count)",
	} {
		if got := decode(t, mustParse(t, "event E("+types+")"), topics, nil); got != want {
			t.Errorf("%s: got %s, want %s", types, got, want)
		}
	}
}

// TestLoose has what fits without being what an encoder would write.
func TestLoose(t *testing.T) {
	for _, c := range []struct {
		name, types, data, want string
		exact                   bool
	}{
		{"as it should be", "string a, uint8 b", "64 1 1 'x", `{"a":"x","b":1}`, true},
		{"a word more", "uint8 a", "1 0", "(left_over)", false},
		{"a word that no offset leads to, at the end", "string a", "32 1 'x 0", "(left_over)", false},
		{"one byte more", "uint8 a", "1 raw:00", `{"a":1}`, false},
		{"no padding", "string a", "32 1 raw:78", `{"a":"x"}`, false},
		{"half of the padding", "string a", "32 1 raw:7800", `{"a":"x"}`, false},
		{"dirty padding", "string a", "32 1 0x7801", `{"a":"x"}`, false},
		{"a gap", "string a", "64 0 1 'x", `{"a":"x"}`, false},
		{"the other way round", "string a, string b", "128 64 1 'b 1 'a", `{"a":"a","b":"b"}`, false},
		{"one place for both", "string a, string b", "64 64 1 'x", `{"a":"x","b":"x"}`, false},
		{"a gap inside an array", "string[] a", "32 1 64 0 1 'x", `{"a":["x"]}`, false},
	} {
		l := mustParse(t, "event E("+c.types+")")
		if got := decode(t, l, nil, words(c.data)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
		r := reader{data: words(c.data), left: 1 << 20, exact: true}
		if r.event(l, nil); r.exact != c.exact {
			t.Errorf("%s: exact is %v", c.name, r.exact)
		}
	}
}

// TestHostile has data that lies about itself.
func TestHostile(t *testing.T) {
	const huge = "raw:000000000000000000000000000000000000000000000000"
	for _, c := range []struct{ name, types, data, want string }{
		{"no data", "uint8 a", "", "(out_of_data)"},
		{"a head cut short", "uint8 a, uint8 b", "1 raw:00", "(out_of_data)"},
		{"offset past the end", "string a", "64 0", "(out_of_data)"},
		{"offset at the end", "string a", "32", "(out_of_data)"},
		{"offset of 2^256-1", "string a", "-1 0", "(out_of_data)"},
		{"offset of 2^63", "string a", huge + "8000000000000000 0", "(out_of_data)"},
		{"offset that wraps round", "uint8 b, string a", "0 " + huge + "ffffffffffffffe0 0", "(out_of_data)"},
		{"offset to itself", "string a", "0", "(backwards)"},
		{"offset into the head", "string a, uint8 b", "32 5", "(backwards)"},
		{"offset back into the array", "string[] a", "32 1 0", "(backwards)"},
		{"a cycle of tuples", "((string x)[] y)[] a", "32 1 0 0", "(backwards)"},
		{"odd offset", "bytes a", "33 0 0", `{"a":"0x"}`},
		{"length past the end", "bytes a", "32 33 1", "(out_of_data)"},
		{"length of 2^256-1", "bytes a", "32 -1 1", "(out_of_data)"},
		{"length of 2^62", "string a", "32 " + huge + "4000000000000000", "(out_of_data)"},
		{"more elements than words", "uint8[] a", "32 3 1 2", "(out_of_data)"},
		{"2^59 elements of 32 bytes", "uint8[] a", "32 " + huge + "0800000000000000", "(out_of_data)"},
		{"elements without heads", "string[] a", "32 1", "(out_of_data)"},
		{"a static array cut short", "uint8[3][] a", "32 1 1 2", "(out_of_data)"},
		{"a tuple cut short", "(string x, uint8 y)[] a", "32 1 32 64", "(out_of_data)"},
	} {
		if got := decode(t, mustParse(t, "event E("+c.types+")"), nil, words(c.data)); got != c.want {
			t.Errorf("%s: got %s, want %s", c.name, got, c.want)
		}
	}
}

// TestWorkIsBounded gives a megabyte that would be read again and again, or that
// nests as deep as a type can.
func TestWorkIsBounded(t *testing.T) {
	const size = 1 << 20
	fan := func(levels int) []byte { // each level's offsets lead to the same next level
		per := size / word / levels
		data := words("32")
		for range levels {
			data = append(data, words(fmt.Sprint(per-1))...)
			data = append(data, bytes.Repeat(words(fmt.Sprint((per-1)*word)), per-1)...)
		}
		return append(data, make([]byte, word)...)
	}
	chained := words("32") // each array holds one array
	for len(chained) < size {
		chained = append(chained, words("1 32")...)
	}
	for _, c := range []struct {
		name, types string
		data        []byte
		want        string
	}{
		{"two levels that fan out", "uint8[][][] a", fan(2), "(too_much_work)"},
		{"four levels", "uint8[][][][][] a", fan(4), "(too_much_work)"},
		{"thirty levels", "uint8" + strings.Repeat("[]", 31) + " a", fan(30), "(too_much_work)"},
		{"one empty array for all", "(string,string,string)[][] a", fan(1), ""},
		{"a chain", "bytes" + strings.Repeat("[]", 32) + " a", chained, ""},
		{"one long string of escapes", "string a", append(words("32 1048576"), make([]byte, size)...), ""},
		{"one long array", "bool[] a", append(words("32 32768"), make([]byte, size)...), ""},
		{"one empty string for all", "string[] a", fan(1), ""},
	} {
		l := mustParse(t, "event E("+c.types+")")
		var stay int
		begin := time.Now()
		got := decode(t, l, nil, c.data)
		took := time.Since(begin)
		stay = len(got)
		if c.want != "" && got != c.want {
			t.Errorf("%s: got %.80s, want %s", c.name, got, c.want)
		}
		if took > 30*time.Second || stay > outputBound(l, len(c.data)) {
			t.Errorf("%s: %v, %d bytes", c.name, took, stay)
		}
		t.Logf("%-28s %8v %9d bytes of JSON, %.20s", c.name, took.Round(time.Microsecond), stay, got)
	}
}
