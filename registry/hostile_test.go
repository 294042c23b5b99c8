package registry

import (
	"bytes"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"
)

// among is a directory of one file between two good ones.
func among(text string) *contents {
	c := texts("projects/a/a.yaml", "name: a", "projects/z/z.yaml", "name: z")
	c.files = append(c.files, file{"data/projects/x/x.yaml", []byte(text)})
	return c
}

// A file that cannot be read is one line of Problems, and the others are there.
func TestHostileFiles(t *testing.T) {
	bomb := "version: 7\nname: x\nl0: &l0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 12; i++ {
		bomb += fmt.Sprintf("l%d: &l%d [%s*l%d]\n", i, i, strings.Repeat(fmt.Sprintf("*l%d, ", i-1), 8), i-1)
	}
	for name, c := range map[string]struct{ text, want string }{
		"a tab":            {"version: 7\nname: x\nblockchain:\n\t- address: \"0x\"\n", "data/projects/x/x.yaml:4: found character that cannot start any token"},
		"no YAML":          {"version: 7\nname: [", "data/projects/x/x.yaml:2: did not find expected node content"},
		"binary":           {"\x00\x01\xff", "data/projects/x/x.yaml:1: "},
		"empty":            {"", "data/projects/x/x.yaml:1: not a mapping of fields"},
		"a list":           {"- version: 7", "data/projects/x/x.yaml:1: not a mapping of fields"},
		"no version":       {"name: x", `data/projects/x/x.yaml:1: version "": missing; this build reads 7`},
		"next version":     {"# new\nversion: 8\nname: x", `data/projects/x/x.yaml:2: version "8": unknown schema version; this build reads 7`},
		"no name":          {"version: 7\ndisplay_name: x", `data/projects/x/x.yaml:1: name "": missing`},
		"a name of lists":  {"version: 7\nname: [a]", `data/projects/x/x.yaml:2: name "": not a plain text`},
		"a terminal's":     {"version: 7\nname: \"\\e[2J\"", `data/projects/x/x.yaml:2: name "": a name has 1 to 200 bytes`},
		"another's name":   {"version: 7\nname: a", `data/projects/x/x.yaml:1: name "project a": already in data/projects/a/a.yaml`},
		"an alias as name": {"version: 7\nx: &x x\nname: *x", `data/projects/x/x.yaml:3: name "": not a plain text`},
		"deep":             {"version: 7\nname: x\na: " + strings.Repeat("[", 20_000), "exceeded max depth"},
		"an alias bomb":    {bomb + "blockchain: *l11\n", `blockchain "l11": not a list`},
		"no list":          {"version: 7\nname: x\nblockchain: none\n", `data/projects/x/x.yaml:3: blockchain "none": not a list`},
		"no mapping":       {"version: 7\nname: x\nblockchain: [none]\n", `data/projects/x/x.yaml:3: blockchain[0].address "": the address is empty`},
		"no network":       {account("networks: [], tags: [eoa]"), `blockchain[0].networks "": no network`},
		"odd network":      {account("networks: [{a: b}, null], tags: [eoa]"), `blockchain[0].networks[0] "": not a word`},
		"no tag":           {account("networks: [base]"), `blockchain[0].tags "": no tag`},
		"no url":           {"version: 7\nname: x\ngithub: [none, {url: 1}]", `github[0] "none": no url`},
		"a long text":      {"version: 7\nname: x\ndescription: " + strings.Repeat("é", 40_000), "longer than 64 KiB: the rest is left out"},
	} {
		s, err := build(among(c.text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if len(s.Problems) == 0 || !strings.Contains(s.Problems[0].String(), c.want) {
			t.Errorf("%s: %v; want %q", name, s.Problems, c.want)
		}
		if len(s.Projects) < 2 {
			t.Errorf("%s: the others are gone", name)
		}
	}
}

func account(rest string) string {
	return "version: 7\nname: x\nblockchain: [{address: \"0x000000000000000000000000000000000000000a\", " + rest + "}]"
}

// A directory whose files have mostly become something else is refused whole: the
// watch list must not shrink.
func TestUnknownSchemaVersion(t *testing.T) {
	c := among("version: 8\nname: x")
	for i := range 3 {
		c.files = append(c.files, file{fmt.Sprintf("data/projects/n/n%d.yaml", i), []byte("version: 8\n")})
	}
	_, err := build(c)
	want := `4 of 6 files cannot be read, the first is data/projects/n/n0.yaml:1: version "8": unknown schema version; this build reads 7`
	if err == nil || err.Error() != want {
		t.Errorf("%v; want %s", err, want)
	}
}

func TestCollections(t *testing.T) {
	s := directory(t, "projects/a/a.yaml", "name: a",
		"collections/c.yaml", "name: c\nprojects: [a, b, a, [x]]", "collections/d.yaml", "name: d")
	equal(t, "members", fmt.Sprint(s.Collections[0].Projects, s.Collections[1].Projects), "[a] []")
	var got []string
	for _, p := range s.Problems {
		got = append(got, p.Field+" "+p.Value+" "+p.Reason)
	}
	equal(t, "problems", strings.Join(got, "; "),
		"projects b there is no such project; projects a listed twice; projects[3]  not a word")
}

func TestAddresses(t *testing.T) {
	const good = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed" // an example of EIP-55
	a, reason := parseAddress(good)
	equal(t, "reason", reason, "")
	equal(t, "checksum", checksum(a), good)
	for text, doubtful := range map[string]bool{
		good: false, strings.ToLower(good): false, "0x" + strings.ToUpper(good[2:]): false, "0X" + good[2:]: false,
		strings.Replace(good, "aA", "Aa", 1): true,
	} {
		b, reason := parseAddress(text)
		equal(t, text, reason, "")
		equal(t, text, b, a)
		equal(t, text, miscased(text, b), doubtful)
	}
	for text, want := range map[string]string{
		"": "the address is empty", good + " ": "a blank before or after the address", "\t" + good: "a blank before or after the address",
		good[2:]: "no 0x at the start", good + "s": `"s" is no hex digit`, good[:41]: "39 hex digits instead of 40",
		good + "0": "41 hex digits instead of 40", "vitalik.eth": "no 0x at the start", "0xé" + good[4:]: `"é" is no hex digit`, "0x": "0 hex digits instead of 40",
	} {
		_, reason := parseAddress(text)
		equal(t, text, reason, want)
	}
}

// many makes n accounts of one project, as text.
func many(n, from int) string {
	var b strings.Builder
	b.WriteString("blockchain:\n")
	for i := range n {
		fmt.Fprintf(&b, "  - address: \"0x%040x\"\n    networks:\n      - optimism\n    tags:\n      - contract\n", from+i+1)
	}
	return b.String()
}

// A hundred thousand accounts, in one project and in a thousand, are a good
// snapshot; the log says what it took.
func TestManyAccounts(t *testing.T) {
	crowd := []string{}
	for i := range 1000 {
		crowd = append(crowd, fmt.Sprintf("projects/p/p%d.yaml", i), fmt.Sprintf("name: p%d\n%s", i, many(100, 100*i)))
	}
	for name, files := range map[string][]string{"one project": {"projects/o/one.yaml", "name: one\n" + many(100_000, 0)}, "a thousand": crowd} {
		c := texts(files...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		s, err := build(c)
		runtime.ReadMemStats(&after)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, name, s.Watch("optimism").Len(), 100_000)
		equal(t, "problems", len(s.Problems), 0)
		rows := 0
		for step := range s.Rows([]string{"optimism"}) {
			rows += len(step.Rows)
		}
		equal(t, "rows", rows, 100_000+len(files)/2+1)
		t.Logf("%s: %d MB of YAML, %d MB allocated", name, len(files[1])*len(files)/2>>20, (after.TotalAlloc-before.TotalAlloc)>>20)
	}
}

// FuzzYAML reads one file among two good ones: whatever it holds, they are read,
// every problem of it is one line that can be shown, and reading it again says the
// same.
func FuzzYAML(f *testing.F) {
	for _, text := range []string{
		"version: 7\nname: x" + abc, "version: 7\nx: &x [*x]\nname: x\nblockchain: *x", "version: 7\nname: \"\\0\"\ngithub:\n  - url: %\n",
		"version: 7\nname: é\nsocial: {twitter: [{url: https://x.com/a}], mirror: 1}\nblockchain: [{address: 0x1, networks: x}]", "---\n---\n\t", "? [a]\n: b",
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := build(among(string(text)))
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := s.Project("a"); !ok || len(s.Projects) > 3 {
			t.Fatalf("%d projects", len(s.Projects))
		}
		for _, p := range s.Problems {
			if !sound(p, text) && !strings.HasPrefix(p.Reason, "already in data/projects/x/") {
				t.Fatalf("%+v", p)
			}
		}
		for range s.Rows([]string{"mode"}) {
		}
		if again, err := build(among(string(text))); err != nil || len(again.Problems) != len(s.Problems) || again.ID() != s.ID() {
			t.Fatal("another answer the second time")
		}
	})
}

// sound reports whether a problem is one line about x.yaml that can be shown.
func sound(p Problem, text []byte) bool {
	lines := bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + 2
	line := p.String()
	return p.File == "data/projects/x/x.yaml" && p.Line >= 1 && p.Line <= lines && !strings.Contains(line, "\n") && utf8.ValidString(line)
}
