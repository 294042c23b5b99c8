package decoder

import (
	"encoding/json"
	"strings"
	"testing"
	"time"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ text, signature, indexed string }{
		{"event Transfer(address indexed from, address indexed to, uint256 value)", "Transfer(address,address,uint256)", "110"},
		{"Transfer(address,address,uint256)", "Transfer(address,address,uint256)", "000"},
		{"  event\tA ( uint x , int[] indexed ) ;\n", "A(uint256,int256[])", "01"},
		{"event A(tuple(uint a, (bytes b, bool)[2] c)[] indexed t, address payable p)", "A((uint256,(bytes,bool)[2])[],address)", "10"},
		{"event A((fixed a, ufixed8x1 b) f)", "A((fixed128x18,ufixed8x1))", "0"},
		{"event A(function f, address payable[] indexed p)", "A(function,address[])", "01"},
		{"event A()", "A()", ""},
		{"event(uint8 indexed)", "event(uint8)", "1"},
		{"event _$1(string indexed indexed_)", "_$1(string)", "1"},
	} {
		l, err := Parse(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if l.Signature() != c.signature || l.Indexed() != c.indexed || l.Anonymous() {
			t.Errorf("%s: %s %s %v", c.text, l.Signature(), l.Indexed(), l.Anonymous())
		}
	}
	l := mustParse(t, "event A(uint8 indexed a, uint8 indexed b, uint8 indexed c, uint8 indexed d) anonymous")
	if !l.Anonymous() || l.Topic0() != [32]byte{} || l.topics != 4 || l.Name() != "A" {
		t.Errorf("anonymous: %+v", l)
	}
}

// TestParseRefuses has what no compiler would accept, and what would cost too
// much to walk.
func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", "event", "event A", "event A(", "event A(uint", "event A(uint,)", "event A(uint a b)", "event A(uint) x", "event 1A(uint)",
		"event A(uint7)", "event A(uint264)", "event A(uint08)", "event A(int0)", "event A(bytes0)", "event A(bytes33)", "event A(byte)", "event A(Foo)",
		"event A(fixed128)", "event A(fixed128x81)", "event A(fixed127x1)", "event A(uint[)", "event A(uint[0])", "event A(uint[-1])", "event A(uint[01])",
		"event A(())", "event A((uint indexed a))", "event A(uint indexed indexed a)", "event A(uint payable a)", "event A(uint))",
		"event A(uint indexed, uint indexed, uint indexed, uint indexed)", // three, and topic0
		"event A(uint[40000])", "event A(uint[1000][1000])", "event A(uint[4294967296])", "event A(uint[99999999999999999999])",
		"event A(uint" + strings.Repeat("[1]", 33) + ")", "event A(" + strings.Repeat("(", 40) + "uint" + strings.Repeat(")", 41),
	} {
		if l, err := Parse(text); err == nil {
			t.Errorf("%.60q is accepted as %.60s", text, l.signature)
		}
	}
}

// TestParseIsBounded gives it a megabyte of what it might nest or repeat.
func TestParseIsBounded(t *testing.T) {
	for _, part := range []string{"(", "[", "[1]", "uint,", "(uint)[],", "a", " ", "((uint)[1])[1],"} {
		begin := time.Now()
		Parse("event A(" + strings.Repeat(part, 1<<20/len(part)) + ")")
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("a megabyte of %q takes %v", part, took)
		}
	}
}

func TestParseABI(t *testing.T) {
	const text = `[{"type":"function","name":"f"},{"type":"event","name":"E","anonymous":true,"inputs":[
		{"indexed":true,"name":"a","type":"tuple[2][]","components":[{"name":"x","type":"uint256","indexed":true},{"name":"y","type":"tuple","components":[{"type":"bytes3"}]}]},
		{"name":"b","type":"string"}]}]`
	for _, form := range []string{text, `{"contractName":"C","abi":` + text + `}`} {
		layouts, err := ParseABI([]byte(form))
		if err != nil || len(layouts) != 1 {
			t.Fatalf("%v, %v", layouts, err)
		}
		if l := layouts[0]; l.Signature() != "E((uint256,(bytes3))[2][],string)" || l.Indexed() != "10" || !l.Anonymous() {
			t.Errorf("%s %s %v", l.Signature(), l.Indexed(), l.Anonymous())
		}
	}
	for _, wrong := range []string{
		``, `{}`, `[1]`, `[{"type":"event"}]`, `[{"type":"event","name":"E","inputs":[{"type":"uint256 x"}]}]`,
		`[{"type":"event","name":"E","inputs":[{"type":"tuple"}]}]`, `[{"type":"event","name":"E","inputs":[{"type":"tuplex","components":[{"type":"bool"}]}]}]`,
		`[{"type":"event","name":"E","inputs":[` + strings.Repeat(`{"type":"tuple","components":[`, 40) + `{"type":"bool"}` + strings.Repeat(`]}`, 40) + `]}]`,
	} {
		if layouts, err := ParseABI([]byte(wrong)); err == nil {
			t.Errorf("%.60s is accepted: %v", wrong, layouts)
		}
	}
}

// TestKeys has names that are missing, doubled, or would break the JSON.
func TestKeys(t *testing.T) {
	layouts, err := ParseABI([]byte(`[{"type":"event","name":"E","inputs":[
		{"type":"bool","name":"a"},{"type":"bool"},{"type":"bool","name":"a"},{"type":"bool","name":"x\",\"y"},{"type":"bool","name":"1"}]}]`))
	if err != nil {
		t.Fatal(err)
	}
	got := decode(t, layouts[0], nil, make([]byte, 5*word))
	if want := `{"a":false,"1":false,"2":false,"3":false,"4":false}`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if !json.Valid([]byte(got)) {
		t.Errorf("no JSON: %s", got)
	}
}
