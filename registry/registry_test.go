package registry

import (
	"bytes"
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"superindex/chain"
)

// shared finds a file of the data that lies beside the project, and skips the
// test where it is not there.
func shared(t testing.TB, name string) string {
	t.Helper()
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	found := filepath.Join(dir, "..", "shared", "data", name)
	if _, err := os.Stat(found); err != nil {
		t.Skipf("needs the real data: %v", err)
	}
	return found
}

// realTarball is oss-directory at c174b9a, without its logos.
func realTarball(t testing.TB) []byte {
	t.Helper()
	body, err := os.ReadFile(shared(t, "oss-directory.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// once holds the real snapshot for all tests: it does not change.
var once struct {
	sync.Once
	*Snapshot
}

func realSnapshot(t testing.TB) *Snapshot {
	t.Helper()
	body := realTarball(t)
	once.Do(func() { once.Snapshot = parsed(t, body) })
	if once.Snapshot == nil {
		t.Fatal("the real directory could not be read: see the first test that tried")
	}
	return once.Snapshot
}

func parsed(t testing.TB, tarball []byte) *Snapshot {
	t.Helper()
	c, err := readTarball(bytes.NewReader(tarball))
	if err != nil {
		t.Fatal(err)
	}
	s, err := build(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// directory makes a snapshot of files, path and text by turns; "version: 7" is
// put before each text.
func directory(t testing.TB, files ...string) *Snapshot {
	t.Helper()
	s, err := build(texts(files...))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func texts(files ...string) *contents {
	c := &contents{}
	for i := 0; i < len(files); i += 2 {
		c.files = append(c.files, file{"data/" + files[i], []byte("version: 7\n" + files[i+1])})
	}
	return c
}

func equal[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// What the real directory holds, counted by another program: the figures of
// reference/registries.md, but for base. That page counts 1,924 there, with the
// two addresses that have a blank behind them (baseswapfi, rocketswap), and leaves
// them out of its 23,536 addresses and 28,386 pairs. Here they are malformed
// everywhere: 1,922.
func TestRealDirectoryCounts(t *testing.T) {
	s := realSnapshot(t)
	entries, links, memberships := 0, map[string]int{}, 0
	pairs := map[string]map[chain.Address]bool{}
	for _, p := range s.Projects {
		entries += len(p.Accounts)
		for _, l := range p.Links {
			links[l.Kind]++
		}
		for _, a := range p.Accounts {
			for _, n := range a.Networks {
				if pairs[n] == nil {
					pairs[n] = map[chain.Address]bool{}
				}
				pairs[n][a.Address] = true
			}
		}
	}
	for _, c := range s.Collections {
		memberships += len(c.Projects)
	}
	equal(t, "commit", s.Commit, "c174b9a55f3c7bbb6b782eac86b9e264e2327670")
	equal(t, "projects", len(s.Projects), 7112)
	equal(t, "collections", len(s.Collections), 117)
	equal(t, "entries, the malformed among them", entries+len(s.Malformed()), 23628)
	equal(t, "distinct addresses", s.Summary(nil, nil).Addresses, 23536)
	equal(t, "memberships, each once", memberships, 9553-5)
	sum := 0
	for _, set := range pairs {
		sum += len(set)
	}
	equal(t, "(network, address) pairs", sum, 28386)
	for network, want := range map[string]int{
		"optimism": 14523, "base": 1922, "mode": 174, "soneium": 151, "unichain": 100, "worldchain": 87, "frax": 82,
		"zora": 78, "ink": 71, "bob": 39, "lisk": 32, "swell": 16, "metal": 1,
		"any_evm": 1768, "arbitrum_one": 7102, "mainnet": 2177, "matic": 34, "scroll": 14, "zksync_era": 6, "linea": 6,
		"mantle": 2, "polygon_zkevm": 1,
	} {
		equal(t, network, len(pairs[network]), want)
		delete(pairs, network)
	}
	equal(t, "other networks", len(pairs), 0)
	want := map[string]int{
		"github": 24354, "npm": 1536, "defillama": 529, "crates": 219, "go": 158, "pypi": 41, "open_collective": 11, "websites": 3046,
	}
	for kind, n := range want {
		equal(t, kind, links[kind], n)
	}
}

func TestRealDirectoryMalformed(t *testing.T) {
	var got []string
	for _, p := range realSnapshot(t).Malformed() {
		got = append(got, p.String())
	}
	want := []string{
		`data/projects/b/baseswapfi.yaml:86: blockchain[10].address "0x327Df1E6de05895d2ab08513aaDD9313Fe505d86 ": a blank before or after the address`,
		`data/projects/c/curve.yaml:755: blockchain[114].address "0x69522fb5337663d3B4dFB0030b881c1A750Adb4": 39 hex digits instead of 40`,
		`data/projects/g/gyrostable.yaml:57: blockchain[7].address "0x4FdF0996Bee9D8c1E083322022fcE2EBcd8c9041s": "s" is no hex digit`,
		`data/projects/r/rocketswap.yaml:28: blockchain[2].address "0x4cf76043B3f97ba06917cBd90F9e3A2AAC1B306e ": a blank before or after the address`,
		`data/projects/w/world-mini-app-birdgames.yaml:12: blockchain[0].address "": the address is empty`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

func TestRealDirectoryWarnings(t *testing.T) {
	got := map[string]int{}
	for _, p := range realSnapshot(t).Warnings() {
		_, reason, _ := strings.Cut(p.Reason, ": ")
		got[cmp.Or(reason, p.Reason)]++
	}
	want := map[string]int{
		"mistyped?": 1, "listed twice": 5, // circlefin 0x79A02482...
		"not a URL of mirror; it names no artifact": 2, "not a URL of medium; it names no artifact": 1,
		"not a URL of github; it names no artifact": 1, "not a URL of crates; it names no artifact": 1,
		"not a URL of websites; it names no artifact": 2, "all its logs count for the project": 1, // pyth-network on mode
	}
	if !maps.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

// The watch lists are those that config's default runs, with any_evm.
func TestRealDirectoryWatched(t *testing.T) {
	s := realSnapshot(t)
	listed := Superchain().Listed(s)
	want := []string{
		"base", "bob", "frax", "ink", "lisk", "metal", "mode", "optimism", "soneium", "swell", "unichain", "worldchain", "zora",
	}
	if !slices.Equal(listed.Names(), want) {
		t.Errorf("%v", listed.Names())
	}
	all := map[chain.Address]bool{}
	for _, n := range listed {
		for a := range s.Watch(n.Directory).All() {
			all[a] = true
		}
	}
	equal(t, "addresses on all of them", len(all), 18534-2)
	equal(t, "optimism", s.Watch("optimism").Len(), 16288)
	equal(t, "a testnet", s.Watch("").Len(), 1768)
}

// The join of addresses and projects is n:m.
func TestRealDirectorySharedAddresses(t *testing.T) {
	type pair struct {
		network string
		address chain.Address
	}
	owners := map[pair]map[string]bool{}
	for _, p := range realSnapshot(t).Projects {
		for _, a := range p.Accounts {
			for _, n := range a.Networks {
				if owners[pair{n, a.Address}] == nil {
					owners[pair{n, a.Address}] = map[string]bool{}
				}
				owners[pair{n, a.Address}][p.Name] = true
			}
		}
	}
	maps.DeleteFunc(owners, func(_ pair, names map[string]bool) bool { return len(names) < 2 })
	equal(t, "pairs with two owners", len(owners), 9)
	var a chain.Address
	if err := a.UnmarshalText([]byte("0x2e96068b3d5b5bae3d7515da4a1d2e52d08a2647")); err != nil {
		t.Fatal(err)
	}
	if got := realSnapshot(t).Watch("optimism").Owners(a); !slices.Equal(got, []string{"balancer", "beethoven-x"}) {
		t.Error(got)
	}
}
