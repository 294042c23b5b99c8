package oracle

import (
	"go/build"
	"maps"
	"strings"
	"testing"

	"superindex/chain"
)

func TestCompare(t *testing.T) {
	key := func(i uint32) Key { return Key{"optimism", chain.Hash{1}, i} }
	row := Row{Number: 7, Time: 99, Finality: "safe", Digest: digest(nil, []byte("a"))}
	want := Set{key(0): row, key(1): row}
	if err := Compare(want, maps.Clone(want)); err != nil {
		t.Error(err)
	}
	for name, c := range map[string]struct {
		change func(Set)
		says   []string
	}{
		"missing":  {func(s Set) { delete(s, key(1)) }, []string{"1 differences in 1 logs (2 wanted)", "optimism block 7:01000000 log 1", "missing"}},
		"surplus":  {func(s Set) { s[key(2)] = row }, []string{"log 2 of", "surplus"}},
		"a fork":   {func(s Set) { delete(s, key(1)); s[Key{"optimism", chain.Hash{2}, 1}] = row }, []string{"2 differences", "missing", "surplus", "7:02000000"}},
		"number":   {func(s Set) { r := row; r.Number = 8; s[key(1)] = r }, []string{"block number is 8, want 7"}},
		"time":     {func(s Set) { r := row; r.Time = 98; s[key(1)] = r }, []string{"time is 98, want 99"}},
		"finality": {func(s Set) { r := row; r.Finality = "unsafe"; s[key(1)] = r }, []string{"finality is unsafe, want safe"}},
		"address":  {func(s Set) { r := row; r.Address[0] = 5; s[key(1)] = r }, []string{"address is 0x05"}},
		"tx":       {func(s Set) { r := row; r.Tx[0] = 5; s[key(1)] = r }, []string{"transaction is 0x05"}},
		"data":     {func(s Set) { r := row; r.Digest = digest(nil, []byte("b")); s[key(1)] = r }, []string{"digest of topics and data is "}},
		"all":      {func(s Set) { clear(s) }, []string{"2 differences in 0 logs (2 wanted)"}},
	} {
		got := maps.Clone(want)
		c.change(got)
		err := Compare(want, got)
		for _, says := range c.says {
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v does not say %q", name, err, says)
			}
		}
	}
}

func TestDigestTellsTopicsFromData(t *testing.T) {
	topic := chain.Hash{1}
	digests := map[Digest]bool{
		digest(nil, topic[:]): true, digest([]chain.Hash{topic}, nil): true, digest(nil, nil): true,
		digest([]chain.Hash{topic, topic}, nil): true, digest([]chain.Hash{topic}, topic[:]): true,
	}
	if len(digests) != 5 {
		t.Errorf("%d digests of 5 logs", len(digests))
	}
}

// The oracle shares no code with what it judges.
func TestIndependence(t *testing.T) {
	pkg, err := build.ImportDir(".", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range pkg.Imports {
		if strings.HasPrefix(path, "superindex/") && path != "superindex/chain" {
			t.Errorf("it imports %s", path)
		}
	}
}
