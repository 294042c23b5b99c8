package registry

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"superindex/chain"
)

func TestOSOIDs(t *testing.T) {
	equal(t, "the golden vector", EntityID("opensource-observer"), "UuWbpo5bpL5QsYvlukUWNm2uE8HFjxQxzCM0e+HMZfk=")
	equal(t, "no separator", OSOID("ab", "c"), OSOID("a", "bc"))
	repo := Artifact{"GITHUB", "opensource-observer", "oso", "REPOSITORY"}
	equal(t, "a repository", repo.ID(), OSOID("GITHUB", "opensource-observer", "oso"))
	account := Account{Address: chain.Address{19: 0xa}, Tags: []string{"contract"}}
	equal(t, "an address", account.artifact("optimism").ID(), OSOID("OPTIMISM0x000000000000000000000000000000000000000a"))
}

func TestLinksAsArtifacts(t *testing.T) {
	for url, want := range map[string]string{
		"github https://github.com/Uniswap/V3-Core/":                        "GITHUB|uniswap|v3-core|REPOSITORY",
		"github https://github.com/uniswap/v3-core.git":                     "GITHUB|uniswap|v3-core|REPOSITORY",
		"github https://www.github.com/Uniswap":                             "GITHUB|uniswap||ORGANIZATION",
		"github https://github.com/orgs/sorostarter/repositories":           "GITHUB|sorostarter||ORGANIZATION",
		"github https://github.com/zviadm/celoterminal/blob/main/README.md": "GITHUB|zviadm|celoterminal|REPOSITORY",
		"github https://ophis-fi":                                           "",
		"github https://github.com":                                         "",
		"npm https://www.npmjs.com/package/@Biconomy/account":               "NPM|biconomy|@biconomy/account|PACKAGE",
		"npm https://npmjs.com/package/3box":                                "NPM|3box|3box|PACKAGE",
		"npm https://www.npmjs.com/~someone":                                "",
		"crates https://crates.io/crates/blst":                              "CRATES||blst|PACKAGE",
		"crates https://www.npmjs.com/package/@pulseai/sdk":                 "",
		"crates https://crates.io/crates/blst/0.3.1":                        "CRATES||blst|PACKAGE",
		"crates https://crates.io/":                                         "",
		"pypi https://pypi.org/project/oss-directory":                       "PYPI||oss-directory|PACKAGE",
		"go https://github.com/ipld/go-car/v2":                              "GO||github.com/ipld/go-car/v2|PACKAGE",
		"open_collective https://opencollective.com/babel":                  "OPEN_COLLECTIVE||babel|OPEN_COLLECTIVE",
		"defillama https://defillama.com/protocol/bitget-sol":               "DEFILLAMA||bitget-sol|DEFILLAMA_PROTOCOL",
		"websites https://www.Opensource.observer":                          "WWW||https://www.opensource.observer|WEBSITE",
		"websites https:/webtransitions.org":                                "",
		"twitter https://x.com/OSObserver":                                  "TWITTER||osobserver|SOCIAL_HANDLE",
		"mirror https://0xhoneyjar.mirror.xyz/":                             "",
		"farcaster https://warpcast.com/x":                                  "FARCASTER||x|SOCIAL_HANDLE",
		"github %zz":                                                        "",
	} {
		kind, address, _ := strings.Cut(url, " ")
		got, ok := Link{Kind: kind, URL: address}.artifact()
		text := ""
		if ok {
			text = fmt.Sprintf("%s|%s|%s|%s", got.Source, got.Namespace, got.Name, got.Type)
		}
		equal(t, url, text, want)
	}
}

func TestKinds(t *testing.T) {
	for tags, want := range map[string]string{
		"eoa deployer": "EOA", "deployer factory": "CONTRACT", "wallet": "WALLET", "creator": "CREATOR", "safe wallet": "CONTRACT",
		"deployer wallet": "DEPLOYER", "": "ADDRESS", "new": "ADDRESS",
	} {
		a := Account{Tags: strings.Fields(tags)}
		equal(t, tags, a.kind(), want)
		equal(t, tags, a.Emits(), want == "CONTRACT")
	}
}

func TestArtifactsOfAProject(t *testing.T) {
	s := directory(t, "projects/o/one.yaml", `name: one
github: [{url: "https://github.com/a/b"}, {url: "https://github.com/A/B/"}]
blockchain:
  - {address: "0x000000000000000000000000000000000000000a", networks: [optimism, base], tags: [eoa]}
  - {address: "0x000000000000000000000000000000000000000A", networks: [optimism], tags: [contract, eoa]}
  - {address: "0x000000000000000000000000000000000000000a", networks: [any_evm], tags: [wallet]}`)
	var got []string
	for _, l := range s.Projects[0].Artifacts([]string{"optimism", "mode"}) {
		got = append(got, fmt.Sprintf("%s %s %s %v %s %s", l.Source, l.Name, l.Type, l.Tags, l.ListedAs, l.key))
	}
	a := "0x000000000000000000000000000000000000000a"
	want := []string{
		"OPTIMISM " + a + " CONTRACT [eoa contract wallet] optimism 0",
		"BASE " + a + " EOA [eoa] base 1",
		"ANY_EVM " + a + " WALLET [wallet] any_evm 2",
		"GITHUB b REPOSITORY [] github 3",
		"MODE " + a + " WALLET [wallet] any_evm 2@mode",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
	if tags := s.Projects[0].Accounts[0].Tags; !slices.Equal(tags, []string{"eoa"}) {
		t.Errorf("the snapshot changed: %v", tags)
	}
}

// Steps are within their bounds, ids are unique and begin with the snapshot's,
// and the last row closes it.
func TestRows(t *testing.T) {
	s := realSnapshot(t)
	seen, steps, total, last := map[string]bool{}, 0, 0, chain.Row{}
	for step := range s.Rows(Superchain().Listed(s).Names()) {
		size := 0
		for _, r := range step.Rows {
			size += len(r.Kind) + len(r.ID) + len(r.Body)
			if !json.Valid(r.Body) || seen[r.Kind+r.ID] || !strings.HasPrefix(r.ID, s.ID()) || r.Time != uint64(s.Fetched.Unix()) {
				t.Fatalf("%s %s %s", r.Kind, r.ID, r.Body)
			}
			seen[r.Kind+r.ID], last = true, r
		}
		if size > maxStepBytes || len(step.Rows) > maxStepRows || len(step.Rows) == 0 || step.Feed != Feed {
			t.Errorf("a step of %d rows, %d bytes", len(step.Rows), size)
		}
		steps, total = steps+1, total+size
	}
	t.Logf("%d rows of %d bytes in %d steps", len(seen), total, steps)
	equal(t, "the last row", last.Kind+" "+last.ID, "snapshots "+s.ID())
}

func TestRowsStopEarly(t *testing.T) {
	n := 0
	for range realSnapshot(t).Rows(nil) {
		n++
		break
	}
	equal(t, "steps", n, 1)
}

func TestStepsAreBoundedInBytes(t *testing.T) {
	var files []string
	for i := range 300 {
		files = append(files, fmt.Sprintf("projects/p/p%d.yaml", i), fmt.Sprintf("name: p%d\ndescription: %s", i, strings.Repeat("x", 60_000)))
	}
	s := directory(t, files...)
	s.Fetched = time.Unix(5, 0)
	steps := slices.Collect(s.Rows(nil))
	equal(t, "steps of 18 MB", len(steps), 3)
}
