package registry

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"superindex/chain"
)

func sample(t testing.TB) *Snapshot {
	t.Helper()
	s, err := Sample()
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func printed(t testing.TB, r Report, asJSON bool) string {
	t.Helper()
	var out bytes.Buffer
	if err := Print(&out, r, asJSON); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// lines are the text's, with runs of blanks as one.
func lines(text string) (out []string) {
	for line := range strings.Lines(text) {
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	return out
}

func TestSample(t *testing.T) {
	s := sample(t)
	if len(s.Problems) != 0 {
		t.Error(s.Problems)
	}
	equal(t, "projects", len(s.Projects), 17)
	equal(t, "collections", len(s.Collections), 3)
	again := sample(t)
	equal(t, "id", s.ID(), again.ID())
}

// The demo's contracts are at the addresses that the key's first seven deployments
// have, and each has an owner on every network.
func TestSampleHoldsTheDemosContracts(t *testing.T) {
	p, ok := sample(t).Project("superindex-demo")
	if !ok {
		t.Fatal("no demo in the sample")
	}
	set := sample(t).Watch("whatever")
	deployer := common.Address(p.Accounts[1].Address)
	for nonce, owner := range []string{
		"demo-tokens", "demo-tokens", "demo-stamps", "demo-exchange", "demo-exchange", "demo-attestations", "superindex-demo",
	} {
		a := chain.Address(crypto.CreateAddress(deployer, uint64(nonce)))
		if got := set.Owners(a); !set.Has(&a) || !slices.Equal(got, []string{owner}) {
			t.Errorf("contract %d, %s, is of %v, want %s", nonce, a, got, owner)
		}
	}
}

func TestShow(t *testing.T) {
	s := directory(t,
		"projects/o/one.yaml", "name: one\nnpm: [{url: \"https://npmjs.com/package/x\"}]"+abc,
		"projects/t/two.yaml", `name: two
blockchain:
  - {address: "0x000000000000000000000000000000000000000c", networks: [swell, scroll], tags: [eoa, wallet]}
  - {address: "0x1", networks: [swell], tags: [eoa]}`,
		"collections/c.yaml", "name: c\nprojects: [one, none]")
	s.Source, s.Note = "here", "the network is away"
	running := Superchain().Listed(s)
	got := lines(printed(t, s.Summary(Superchain(), running), false))
	want := []string{
		"snapshot " + s.ID(), "commit sha256:" + s.Digest, "source here, read 0001-01-01T00:00:00Z", "note the network is away",
		"projects 2", "collections 1 with 1 memberships", "accounts 3 entries, 3 addresses, 5 (network, address) pairs", "",
		"NETWORK CHAIN ADDRESSES NO LOGS PROJECTS WATCHED",
		"any_evm 1 1 1", "base 8453 1 0 1 2 left superchain-registry", "optimism 10 1 0 1 2", "scroll 1 1 1",
		"swell 1923 1 1 1 2 left superchain-registry",
		"NO LOGS: plain accounts and deployers, which yield nothing without receipts mode. WATCHED: with the any_evm addresses, where the network runs.",
		"", "TAG ENTRIES", "eoa 2", "contract 1", "wallet 1", "", "SOURCE LINKS", "npm 1", "",
		"malformed, left out: 1", `data/projects/t/two.yaml:5: blockchain[1].address "0x1": 1 hex digits instead of 40`, "",
		"doubtful, kept: 1", `data/collections/c.yaml:1: projects "none": there is no such project`,
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	var back Summary
	if err := json.Unmarshal([]byte(printed(t, s.Summary(Superchain(), running), true)), &back); err != nil || back.Networks[1].Watched != 2 {
		t.Errorf("%v %+v", err, back)
	}
}

// Every figure per network and tag that reference/registries.md has. Its
// contract-like addresses are those that are not silent; base has two fewer, as in
// TestRealDirectoryCounts.
func TestRealDirectorySummary(t *testing.T) {
	s := realSnapshot(t)
	sum := s.Summary(Superchain(), Superchain().Listed(s))
	byName := map[string]NetworkCount{}
	for _, n := range sum.Networks {
		byName[n.Name] = n
	}
	for name, want := range map[string][7]int{ // chain id, addresses, contract-like, eoa or wallet, deployer, factory, projects
		"optimism": {10, 14523, 14420, 428, 91, 894, 536}, "base": {8453, 1922, 1740, 178, 179, 86, 224}, "mode": {34443, 174, 157, 18, 17, 20, 32},
		"soneium": {1868, 151, 142, 9, 9, 23, 11}, "unichain": {130, 100, 100, 0, 0, 5, 7}, "worldchain": {480, 87, 50, 37, 38, 1, 33},
		"frax": {252, 82, 79, 4, 5, 13, 8}, "zora": {7777777, 78, 52, 27, 26, 16, 36}, "ink": {57073, 71, 69, 2, 2, 7, 9},
		"bob": {60808, 39, 35, 4, 4, 1, 4}, "lisk": {1135, 32, 31, 1, 1, 7, 4}, "swell": {1923, 16, 15, 1, 1, 0, 1}, "metal": {1750, 1, 1, 1, 0, 0, 1},
	} {
		n := byName[name]
		deployers := tagged(s, name, "deployer", "creator") // two words for one thing in the schema
		equal(t, name, [7]int{int(n.ChainID), n.Addresses, n.Addresses - n.Silent, tagged(s, name, "eoa", "wallet"), deployers, n.Tags["factory"], n.Projects}, want)
		equal(t, name+" tagged", n.Tags["deployer"], tagged(s, name, "deployer"))
		equal(t, name+" left", n.Left, name == "base" || name == "swell")
		equal(t, name+" runs", n.Runs, true)
	}
	tags := map[string]int{}
	for _, c := range sum.Tags {
		tags[c.Name] = c.Count
	}
	// Of the five malformed, four are contracts, and one is an eoa and a deployer.
	for tag, want := range map[string]int{
		"contract": 21067 - 4, "eoa": 2065 - 1, "wallet": 1317, "deployer": 1198 - 1, "factory": 1118, "safe": 397, "proxy": 13, "bridge": 12, "creator": 5,
	} {
		equal(t, tag, tags[tag], want)
	}
	equal(t, "networks with addresses", len(sum.Networks), 22)
}

// tagged counts the addresses that a network has under one of the tags.
func tagged(s *Snapshot, network string, tags ...string) int {
	found := map[chain.Address]bool{}
	for _, p := range s.Projects {
		for _, a := range p.Accounts {
			if slices.Contains(a.Networks, network) && slices.ContainsFunc(a.Tags, func(tag string) bool { return slices.Contains(tags, tag) }) {
				found[a.Address] = true
			}
		}
	}
	return len(found)
}

func TestFind(t *testing.T) {
	s := sample(t)
	for query, want := range map[string][]string{
		"0x4200000000000000000000000000000000000010": {
			"0x4200000000000000000000000000000000000010 project base-org base bridge, contract, proxy L2StandardBridge data/projects/b/base-org.yaml:8",
			"0x4200000000000000000000000000000000000010 project optimism optimism bridge, contract, proxy L2StandardBridge data/projects/o/optimism.yaml:10",
		},
		"0X87FEED6162CB7DFE6B62F64366742349BF4D1B05": {
			"0x87feed6162cb7dfe6b62f64366742349bf4d1b05 project opensource-observer any_evm eoa, wallet impactevaluator.eth (no logs without receipts mode) data/projects/o/opensource-observer.yaml:17",
		},
		"velodrome": {
			"project velodrome Velodrome", "id " + EntityID("velodrome"), "file data/projects/v/velodrome.yaml", "collections exchanges", "github 1", "accounts 3",
			"0xf1046053aa5682b4f9a81b5481394da16be5ff5a project velodrome optimism contract, factory PoolFactory data/projects/v/velodrome.yaml:8",
			"0xa062ae8a9c5e11aaa026fc2670b0d65ccc8b2858 project velodrome optimism contract Router data/projects/v/velodrome.yaml:12",
			"0x9560e827af36c94d2ac33a39bce1fe78631088db project velodrome optimism contract VELO data/projects/v/velodrome.yaml:16",
		},
		"Exchanges": {
			"collection exchanges Exchanges", "id " + EntityID("exchanges"), "file data/collections/exchanges.yaml", "3 projects uniswap, velodrome, aerodrome-finance",
		},
		"drome": {"similar: aerodrome-finance", "similar: velodrome"},
		"0x00":  nil,
		"0x0000000000000000000000000000000000000001": nil,
	} {
		if got := lines(printed(t, s.Find(query), false)); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", query, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
	if text := printed(t, s.Find("babel"), true); !strings.Contains(text, `"project_id": "`+EntityID("babel")+`"`) {
		t.Error(text)
	}
}

// What a file says cannot steer a terminal.
func TestPrintedWithoutControlCharacters(t *testing.T) {
	s := directory(t, "projects/e/e.yaml", `name: e
display_name: "\e[2Jgone\r\n"`)
	if text := printed(t, s.Find("e"), false); strings.ContainsAny(text, "\x1b\r") {
		t.Errorf("%q", text)
	}
}

func TestDiff(t *testing.T) {
	a := directory(t, "projects/o/one.yaml", "name: one"+abc, "projects/t/two.yaml", "name: two\nnpm: [{url: \"https://npmjs.com/package/x\"}]",
		"collections/c.yaml", "name: c\nprojects: [one]")
	b := directory(t, "projects/o/one.yaml", "# moved lines are no difference\nname: one"+strings.Replace(abc, "[contract]", "[contract, factory]", 1),
		"projects/t/three.yaml", "name: three", "collections/c.yaml", "name: c\nprojects: [three, one]")
	got := lines(printed(t, Diff(a, b), false))
	address := "0x000000000000000000000000000000000000000a"
	want := []string{
		"from " + a.ID(), "to " + b.ID(),
		"projects 1 added, 1 removed", "collections 0 added, 0 removed", "members 1 added, 0 removed", "accounts 2 added, 2 removed", "links 0 added, 1 removed",
		"- account one base " + address + " contract", "- account one optimism " + address + " contract",
		"- link two https://npmjs.com/package/x", "- project two",
		"+ account one base " + address + " contract,factory", "+ account one optimism " + address + " contract,factory",
		"+ member c three", "+ project three",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	same := Diff(a, a)
	equal(t, "the same", len(same.Added)+len(same.Removed), 0)
	if text := printed(t, same, true); !strings.Contains(text, `"added": []`) {
		t.Error(text)
	}
}

// A real directory against itself with one project less.
func TestDiffOfTheRealDirectory(t *testing.T) {
	s := realSnapshot(t)
	less := *s
	less.Projects = slices.DeleteFunc(slices.Clone(s.Projects), func(p Project) bool { return p.Name == "premiafinance" })
	d := Diff(&less, s)
	equal(t, "removed", len(d.Removed), 0)
	equal(t, "projects added", ofKind(d.Added, "project"), 1)
	if n := ofKind(d.Added, "account"); n < 2882 {
		t.Errorf("%d accounts added", n)
	}
}
