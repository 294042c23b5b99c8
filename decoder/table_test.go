package decoder

import (
	"bufio"
	"bytes"
	"io/fs"
	"sync"
	"testing"
	"testing/fstest"

	"superindex/chain"
)

// TestChoice has logs that several layouts might mean.
func TestChoice(t *testing.T) {
	first, second := chain.Hash(words("1")), chain.Hash(words("2"))
	for _, c := range []struct {
		name, layouts string // one a line
		topics        []chain.Hash
		data, want    string
		decoding      chain.Decoding
	}{
		{"the number of topics decides", "event E(uint8 a, uint8 indexed b)\nevent E(uint8 indexed c, uint8 indexed d)", []chain.Hash{first, second}, "", `{"c":1,"d":2}`, chain.Decoded},
		{"both fit exactly", "event E(uint8 indexed a, uint8 b)\nevent E(uint8 c, uint8 indexed d)", []chain.Hash{first}, "2", `{"a":1,"b":2}`, chain.Ambiguous},
		{"the second fits exactly", "event E(string indexed a, string b)\nevent E(string c, string indexed d)", []chain.Hash{first}, "32 1 'x", `{"a":"` + first.String() + `","b":"x"}`, chain.Ambiguous},
		{"only the second fits", "event E(bool indexed a, uint256 b)\nevent E(bool c, uint256 indexed d)", []chain.Hash{second}, "1", `{"c":true,"d":"2"}`, chain.Decoded},
		{"exactly goes before loosely", "event E(uint8[] indexed a, string b)\nevent E(uint8[] a, string indexed b)", []chain.Hash{first}, "32 1 7", `{"a":[7],"b":"` + first.String() + `"}`, chain.Decoded},
		{"and stays before them", "event E(uint8[] a, string indexed b)\nevent E(uint8[] indexed a, string b)", []chain.Hash{first}, "32 1 7", `{"a":[7],"b":"` + first.String() + `"}`, chain.Decoded},
		{"none fits", "event E(bool indexed a, bool b)\nevent E(bool c, bool indexed d)", []chain.Hash{second}, "2", "", chain.Raw},
		{"the same layout twice", "event E(uint8 a)\nevent E(uint8 b)", nil, "5", `{"a":5}`, chain.Decoded},
		{"both fit loosely", "event E(uint8 indexed a, uint8 b)\nevent E(uint8 c, uint8 indexed d)", []chain.Hash{first}, "2 raw:00", `{"a":1,"b":2}`, chain.Ambiguous},
	} {
		layouts, err := parseLines([]byte(c.layouts))
		if err != nil {
			t.Fatal(err)
		}
		e := chain.Event{Log: chain.Log{Topics: append([]chain.Hash{layouts[0].topic0}, c.topics...), Data: words(c.data)}}
		buf, why := New(Sources{Layouts: layouts}).Decode(&e, []byte("before"))
		if string(e.Args) != c.want || e.Decoding != c.decoding || (why == Fits) != (c.decoding != chain.Raw) {
			t.Errorf("%s: %s, %v, %v", c.name, e.Args, e.Decoding, why)
		}
		if string(buf) != "before"+c.want {
			t.Errorf("%s: the buffer is %s", c.name, buf)
		}
	}
}

// TestAddress has the ABI of one address, which goes before the general layouts.
func TestAddress(t *testing.T) {
	own := chain.Address{1}
	general, err := parseLines([]byte("event E(uint8 indexed a, uint8 b)\nevent F(uint8 indexed a, uint8 b)\nevent G(uint8 a) anonymous"))
	if err != nil {
		t.Fatal(err)
	}
	special, err := parseLines([]byte("event E(uint8 c, uint8 indexed d)\nevent E(bool indexed x, uint8 d)\nevent F(bool indexed a, bool b)\nevent G(bytes32 indexed a, uint8 indexed b, uint8 c) anonymous\nevent H(bytes4 indexed s, uint8 b, bool c) anonymous"))
	if err != nil {
		t.Fatal(err)
	}
	table := New(Sources{Layouts: general, Addresses: map[chain.Address][]*Layout{own: special}})
	e, f := general[0].topic0, general[1].topic0
	selector := chain.Hash(words("0xdeadbeef"))
	for _, c := range []struct {
		name    string
		address chain.Address
		topics  []chain.Hash
		data    string
		want    string
		why     Reason
	}{
		{"its own layout", own, []chain.Hash{e, chain.Hash(words("1"))}, "2", `{"c":2,"d":1}`, Fits},
		{"another address", chain.Address{2}, []chain.Hash{e, chain.Hash(words("1"))}, "2", `{"a":1,"b":2}`, Fits},
		{"its own does not fit, the general one does", own, []chain.Hash{f, chain.Hash(words("1"))}, "2", `{"a":1,"b":2}`, Fits},
		{"anonymous", own, []chain.Hash{selector}, "7 1", `{"s":"0xdeadbeef","b":7,"c":true}`, Fits},
		{"anonymous, two topics, the first like any topic0", own, []chain.Hash{{9, 9}, chain.Hash(words("3"))}, "4", `{"a":"` + chain.Hash{9, 9}.String() + `","b":3,"c":4}`, Fits},
		{"a known topic0 goes before anonymous", own, []chain.Hash{e, chain.Hash(words("3"))}, "4", `{"c":4,"d":3}`, Fits},
		{"anonymous has to fit exactly", own, []chain.Hash{selector}, "7 1 raw:00", "", Unknown},
		{"anonymous elsewhere", chain.Address{2}, []chain.Hash{selector}, "7 1", "", Unknown},
		{"no topics", own, nil, "7", "", NoTopic},
		{"no data", own, []chain.Hash{f, chain.Hash(words("1"))}, "", "", OutOfData},
		{"more topics than the EVM has", own, make([]chain.Hash, 5), "", "", Unknown},
		{"too many topics", own, []chain.Hash{f, e, e, e}, "", "", TopicCount},
	} {
		ev := chain.Event{Log: chain.Log{Address: c.address, Topics: c.topics, Data: words(c.data)}}
		if _, why := table.Decode(&ev, nil); string(ev.Args) != c.want || why != c.why {
			t.Errorf("%s: %s, %v", c.name, ev.Args, why)
		}
	}
}

// TestDecodeSetsAll decodes into an event that was used before.
func TestDecodeSetsAll(t *testing.T) {
	table := builtinTable(t)
	e := chain.Event{Decoding: chain.Decoded, Name: "x", Signature: "x()", Args: []byte("{}")}
	if _, why := table.Decode(&e, nil); why != NoTopic || e.Decoding != chain.Raw || e.Name != "" || e.Signature != "" || e.Args != nil {
		t.Errorf("%v: %+v", why, e)
	}
	e.Topics = []chain.Hash{keccak("Paused(address)")}
	e.Data = words("5")
	if _, why := table.Decode(&e, nil); why != Fits || e.Name != "Paused" || e.Signature != "Paused(address)" || e.Decoding != chain.Decoded {
		t.Errorf("%v: %+v", why, e)
	}
	if cap(e.Args) != len(e.Args) {
		t.Error("appending to Args would write into the buffer")
	}
}

// TestManyAtOnce reads one table from several goroutines; -race watches.
func TestManyAtOnce(t *testing.T) {
	table, logs := builtinTable(t), samples(t)
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			var buf []byte
			for _, s := range logs {
				e := chain.Event{Log: s.log}
				if buf, _ = table.Decode(&e, buf[:0]); e.Decoding == chain.Raw {
					t.Errorf("%s stays raw", s.name)
				}
			}
		})
	}
	wait.Wait()
}

func TestStats(t *testing.T) {
	var s Stats
	s[Fits], s[Unknown], s[TooMuchWork] = 5, 2, 1
	if s.Raw() != 3 {
		t.Error(s.Raw())
	}
	seen := map[string]bool{}
	for r := range reasons {
		if r.String() == "" || seen[r.String()] {
			t.Errorf("reason %d is %q", r, r)
		}
		seen[r.String()] = true
	}
}

func TestLoad(t *testing.T) {
	const address = "0x00000000000000000000000000000000000000aB"
	s, err := Load(fstest.MapFS{
		"b.txt":                 {Data: []byte("# a comment\nevent A(uint8 b) # another\n\n")},
		"a/" + "deep.json":      {Data: []byte(`[{"type":"event","name":"A","inputs":[{"type":"uint8","name":"a"}]}]`)},
		address + ".json":       {Data: []byte(`{"abi":[{"type":"event","name":"B","inputs":[]}]}`)},
		"x/" + address + ".txt": {Data: []byte("event C()")},
		"README.md":             {Data: []byte("event D(")},
	})
	if err != nil {
		t.Fatal(err)
	}
	own := s.Addresses[chain.Address{19: 0xab}]
	if len(s.Layouts) != 2 || len(own) != 2 || own[0].name != "B" || own[1].name != "C" {
		t.Fatalf("%v, %v", s.Layouts, own)
	}
	if got := keysOf(s.Layouts[0]); got != `{"a":` {
		t.Errorf("the first is %s", got)
	}
	builtin, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	sum := builtin.And(s)
	if len(sum.Layouts) != len(builtin.Layouts)+2 || len(sum.Addresses) != 1 || len(builtin.Addresses) != 0 {
		t.Errorf("%d layouts, %d addresses", len(sum.Layouts), len(sum.Addresses))
	}
	for name, text := range map[string]string{"a.txt": "event A(", "a.json": "{", "b.json": `[{"type":"event","name":"A","inputs":[{"type":"x"}]}]`} {
		if _, err := Load(fstest.MapFS{name: {Data: []byte(text)}}); err == nil {
			t.Errorf("%s: %q is accepted", name, text)
		}
	}
}

func keysOf(l *Layout) (text string) {
	for _, a := range l.args {
		text += a.key
	}
	return text
}

// TestBuiltinFiles holds the table to its form: a heading that names project and
// source, signatures as Solidity writes them, every layout once and none that
// topic0 and number of topics do not tell from all others.
func TestBuiltinFiles(t *testing.T) {
	files, err := fs.Glob(builtin, "table/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	count := 0
	seen := map[string]string{}
	for _, name := range files {
		text, err := builtin.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		lines := bytes.SplitN(text, []byte("\n"), 3)
		if len(lines) < 3 || !bytes.HasPrefix(lines[0], []byte("# ")) || !bytes.HasPrefix(lines[1], []byte("# Source: ")) {
			t.Errorf("%s does not begin with its project and its source", name)
		}
		for scan := bufio.NewScanner(bytes.NewReader(text)); scan.Scan(); {
			line := scan.Text()
			if line == "" || line[0] == '#' {
				continue
			}
			count++
			l := mustParse(t, line)
			key := l.topic0.String() + string(rune('0'+l.topics))
			if before, ok := seen[key]; ok {
				t.Errorf("%s: %s is in %s already", name, line, before)
			}
			seen[key] = name
			if l.anonymous || line[:6] != "event " {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
	t.Logf("%d layouts in %d files", count, len(files))
	if count < 300 {
		t.Errorf("%d layouts", count)
	}
}
