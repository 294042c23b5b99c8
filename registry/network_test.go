package registry

import (
	"archive/tar"
	"compress/gzip"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// configs unpacks the registry's own folder of TOMLs into the test's.
func configs(t *testing.T) string {
	t.Helper()
	f, err := os.Open(shared(t, "superchain/configs.tar.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	root := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return root
		}
		if err != nil {
			t.Fatal(err)
		}
		if h.Typeflag == tar.TypeReg {
			body, _ := io.ReadAll(r)
			write(t, filepath.Join(root, h.Name), string(body))
		}
	}
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// The built-in table must say what the registry's own files say of all of their
// 53 chains, so that loading them as an override changes nothing.
func TestTableEqualsTheRegistrysOwnFiles(t *testing.T) {
	root := configs(t)
	for _, path := range []string{filepath.Join(root, "superchain", "configs"), shared(t, "superchain/chainList.json")} {
		entries, err := readEntries(path)
		if err != nil || len(entries) != 53 {
			t.Fatalf("%s: %d chains, %v; want 53", path, len(entries), err)
		}
		got, err := LoadNetworks(path, Superchain())
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range Superchain() {
			if !reflect.DeepEqual(got[i], want) {
				t.Errorf("%s:\n got %+v\nwant %+v", filepath.Base(path), got[i], want)
			}
		}
	}
}

// The registry's files alone make the same chains, under other names at most.
func TestRegistrysFilesAlone(t *testing.T) {
	got, err := LoadNetworks(filepath.Join(configs(t), "superchain", "configs"), nil)
	if err != nil || len(got) != 53 {
		t.Fatalf("%d chains, %v; want 53", len(got), err)
	}
	for _, n := range got {
		if want, ok := Superchain().Find(n.ID); !ok || want.ChainID != n.ChainID || want.Testnet != n.Testnet {
			t.Errorf("%s: %+v is not %+v", n.ID, n, want)
		}
	}
}

func TestChainsThatLeft(t *testing.T) {
	root := filepath.Join(configs(t), "history")
	for _, folder := range []string{"0d9aefc4~1", "8bc6125b~1"} {
		got, err := LoadNetworks(filepath.Join(root, folder), Superchain())
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range Superchain() {
			got[i].Title = want.Title // "arena-z" there
			if !reflect.DeepEqual(got[i], want) {
				t.Errorf("%s:\n got %+v\nwant %+v", folder, got[i], want)
			}
		}
	}
	for name, id := range map[string]uint64{"base": 8453, "swell": 1923, "arena_z": 7897, "snax": 2192, "pgn": 424} {
		if n, ok := Superchain().Find(name); !ok || n.ChainID != id || !n.Left {
			t.Errorf("%s: %+v", name, n)
		}
	}
}

func TestTableIsSound(t *testing.T) {
	all := Superchain()
	if err := all.check(); err != nil {
		t.Error(err)
	}
	ids := map[uint64]string{}
	for _, n := range all {
		if ids[n.ChainID] != "" || n.BlockTime < time.Second || n.WindowBlocks() == 0 || len(n.RPC) != 1 {
			t.Errorf("%+v", n)
		}
		ids[n.ChainID] = n.Name
	}
	if again, err := all.with(nil); err != nil || !reflect.DeepEqual(again, all) {
		t.Errorf("not mainnets by name and then testnets by name: %v", err)
	}
}

func TestFacts(t *testing.T) {
	for name, want := range map[string]struct{ chainID, first, window uint64 }{
		"optimism": {10, 105_235_063, 21_600}, "celo": {42220, 31_056_500, 86_400}, "boba": {288, 1_149_019, 21_600},
		"frax": {252, 0, 21_600}, "mainnet/fraxtal": {252, 0, 21_600}, "57073": {57073, 0, 43_200},
	} {
		n, ok := Superchain().Find(name)
		if !ok || n.ChainID != want.chainID || n.FirstBlock != want.first || n.WindowBlocks() != want.window {
			t.Errorf("%s: %+v, window %d; want %+v", name, n, n.WindowBlocks(), want)
		}
	}
	if _, ok := Superchain().Find("ethereum"); ok {
		t.Error("found a chain that is not there")
	}
}

func TestStartBelowTheFirstBlock(t *testing.T) {
	op, _ := Superchain().Find("optimism")
	err := op.CheckStart(105_235_062)
	if err == nil || err.Error() != "optimism: start 105235062 is below the chain's first L2 block, 105235063" {
		t.Error(err)
	}
	if err := op.CheckStart(105_235_063); err != nil {
		t.Error(err)
	}
}

func TestEndpoints(t *testing.T) {
	env := func(name string) (string, bool) { return map[string]string{"KEY": "s3cret"}[name], name == "KEY" }
	for _, c := range []struct{ name, rpc, want, err string }{
		{"plain", "https://mainnet.optimism.io", "https://mainnet.optimism.io", ""},
		{"token", "wss://x.example/${KEY}/v1", "wss://x.example/s3cret/v1", ""},
		{"unset", "https://x.example/${NONE}", "", "unset: rpc: its URL needs ${NONE}, which is not set"},
		{"bare", "x.example:8545", "", "bare: rpc: its URL has no scheme"},
		{"odd", "ftp://x.example/${KEY}", "", "odd: rpc: its URL has no scheme"},
		{"nohost", "https:///${KEY}", "", "nohost: rpc: its URL has no scheme"},
	} {
		got, err := Network{Name: c.name, RPC: []string{c.rpc}}.Endpoints(env)
		if c.err == "" && (err != nil || got[0] != c.want) {
			t.Errorf("%s: %v, %v", c.name, got, err)
		}
		if c.err != "" && (err == nil || !strings.HasPrefix(err.Error(), c.err) || strings.Contains(err.Error(), "s3cret")) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// The two of the registry's URLs that cannot be used are refused with their name.
func TestEndpointsOfTheTable(t *testing.T) {
	var refused []string
	for _, n := range Superchain() {
		if _, err := n.Endpoints(func(string) (string, bool) { return "", false }); err != nil {
			refused = append(refused, err.Error())
		}
	}
	want := []string{
		"silent_data: rpc: its URL needs ${SILENTDATA_AUTH_TOKEN}, which is not set",
		"radius_sepolia: rpc: its URL has no scheme or host: it must begin with https://, wss://, http:// or ws://",
	}
	if !slices.Equal(refused, want) {
		t.Errorf("%q", refused)
	}
}

func TestOverride(t *testing.T) {
	path := write(t, filepath.Join(t.TempDir(), "mainnet", "my-chain.toml"), `
name = "Mine"
chain_id = 4242
public_rpc = "http://127.0.0.1:8545"
block_time = 1
[genesis.l2]
number = 7`)
	all, err := LoadNetworks(path, Superchain())
	if err != nil {
		t.Fatal(err)
	}
	n, ok := all.Find("my_chain")
	want := Network{
		Name: "my_chain", Directory: "my_chain", Title: "Mine", ID: "mainnet/my-chain", ChainID: 4242, BlockTime: time.Second,
		FirstBlock: 7, SequencingWindow: 3600, RPC: []string{"http://127.0.0.1:8545"},
	}
	if !ok || !reflect.DeepEqual(n, want) {
		t.Errorf("%+v", n)
	}
	if len(all) != len(Superchain())+1 {
		t.Error(len(all))
	}
}

func TestOverrideRefused(t *testing.T) {
	dir := t.TempDir()
	for file, c := range map[string]struct{ text, want string }{
		"none/x.toml":   {`name = "x"`, `"none/x" has no chain id`},
		"bad/x.toml":    {`name = `, "toml"},
		"list.json":     {`{}`, "no chainList.json"},
		"twice.toml":    {"[[chains]]\nidentifier=\"mainnet/a\"\nchain_id=5\n[[chains]]\nidentifier=\"mainnet/b\"\nchain_id=5", "chain id 5 is in it twice: mainnet/a and mainnet/b"},
		"mainnet/op.js": {``, "has no chain id"},
		"name/mode.toml": {
			"chain_id = 4243", "chains 34443 and 4243 are both named mode",
		},
		"anon.json": {`[{"chainId": 4244}]`, "neither an identifier"},
	} {
		_, err := LoadNetworks(write(t, filepath.Join(dir, file), c.text), Superchain())
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", file, err, c.want)
		}
	}
	if _, err := LoadNetworks(filepath.Join(dir, "absent.json"), nil); err == nil {
		t.Error("an absent file was accepted")
	}
}
