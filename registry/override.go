package registry

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/BurntSushi/toml"
)

// entry is one chain as superchain-registry writes it, in any of its three
// forms: a row of chainList.json or of chainList.toml, or a chain's own TOML.
// What a form does not hold stays zero.
type entry struct {
	Name       string   `json:"name" toml:"name"`
	Identifier string   `json:"identifier" toml:"identifier"`
	ChainID    uint64   `json:"chainId" toml:"chain_id"`
	RPC        []string `json:"rpc" toml:"rpc"`
	Explorers  []string `json:"explorers" toml:"explorers"`

	PublicRPC string  `json:"-" toml:"public_rpc"`
	Explorer  string  `json:"-" toml:"explorer"`
	BlockTime uint64  `json:"-" toml:"block_time"`
	Window    uint64  `json:"-" toml:"seq_window_size"`
	Genesis   genesis `json:"-" toml:"genesis"`
	Chains    []entry `json:"-" toml:"chains"`
}

type genesis struct {
	L2 struct {
		Number *uint64 `toml:"number"`
	} `toml:"l2"`
}

// LoadNetworks adds the chains of a file to all, or overrides what all says of
// them; a chain is known by its chain id. The path is superchain-registry's
// chainList.json or chainList.toml, a chain's TOML, or a folder of such TOMLs; an
// empty one changes nothing. What a file leaves open keeps its value, or is the
// OP Stack's usual one for a new chain: 2 s, 3,600 blocks of L1, from block 0.
func LoadNetworks(path string, all Networks) (Networks, error) {
	if path == "" {
		return all, nil
	}
	entries, err := readEntries(path)
	if err != nil {
		return nil, fmt.Errorf("networks_file: %w", err)
	}
	out, err := all.with(entries)
	if err != nil {
		return nil, fmt.Errorf("networks_file %s: %w", path, err)
	}
	return out, nil
}

func readEntries(path string) (out []entry, err error) {
	visit := func(name string, item fs.DirEntry, err error) error {
		chosen := name == path || filepath.Ext(name) == ".toml" && item.Name() != "superchain.toml"
		if err != nil || item.IsDir() || !chosen {
			return err
		}
		more, err := readEntry(name)
		out = append(out, more...)
		return err
	}
	return out, filepath.WalkDir(path, visit)
}

func readEntry(path string) ([]entry, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return parseEntries(path, text)
}

func parseEntries(path string, text []byte) ([]entry, error) {
	if filepath.Ext(path) == ".json" {
		var list []entry
		if err := json.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("%s is no chainList.json: %w", path, err)
		}
		return list, nil
	}
	var one entry
	if err := toml.Unmarshal(text, &one); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(one.Chains) > 0 {
		return one.Chains, nil
	}
	folder, file := filepath.Split(path)
	one.Identifier = filepath.Base(folder) + "/" + strings.TrimSuffix(file, ".toml")
	return []entry{one}, nil
}

func (all Networks) with(entries []entry) (Networks, error) {
	out, seen := slices.Clone(all), map[uint64]string{}
	for _, e := range entries {
		if e.ChainID == 0 {
			return nil, fmt.Errorf("%q has no chain id", cmp.Or(e.Identifier, e.Name))
		}
		if other, twice := seen[e.ChainID]; twice {
			return nil, fmt.Errorf("chain id %d is in it twice: %s and %s", e.ChainID, other, e.Identifier)
		}
		seen[e.ChainID] = e.Identifier
		i := slices.IndexFunc(out, func(n Network) bool { return n.ChainID == e.ChainID })
		if i < 0 {
			i, out = len(out), append(out, e.network())
		}
		out[i] = e.over(out[i])
	}
	slices.SortStableFunc(out, func(a, b Network) int {
		return cmp.Or(rank(a)-rank(b), strings.Compare(a.Name, b.Name))
	})
	return out, out.check()
}

func rank(n Network) int {
	if n.Testnet {
		return 1
	}
	return 0
}

// network is a chain that the table does not have. Its name is made of its place
// in the registry: mainnet/my-chain is my_chain, sepolia/my-chain my_chain_sepolia.
func (e entry) network() Network {
	layer, name, _ := strings.Cut(e.Identifier, "/")
	n := Network{
		Name: strings.ReplaceAll(name, "-", "_"), ID: e.Identifier, ChainID: e.ChainID,
		BlockTime: 2 * time.Second, SequencingWindow: 3600, Testnet: strings.HasPrefix(layer, "sepolia"),
	}
	if n.Testnet && !strings.Contains(n.Name, "sepolia") {
		n.Name += "_sepolia"
	}
	if !n.Testnet {
		n.Directory = n.Name
	}
	return n
}

// over lays what the entry says over what was known.
func (e entry) over(n Network) Network {
	n.Title = cmp.Or(e.Name, n.Title)
	n.Explorer = cmp.Or(e.Explorer, first(e.Explorers), n.Explorer)
	n.SequencingWindow = cmp.Or(e.Window, n.SequencingWindow)
	if e.BlockTime > 0 {
		n.BlockTime = time.Duration(e.BlockTime) * time.Second
	}
	if e.Genesis.L2.Number != nil {
		n.FirstBlock = *e.Genesis.L2.Number
	}
	if e.PublicRPC != "" {
		n.RPC = []string{e.PublicRPC}
	} else if first(e.RPC) != "" {
		n.RPC = e.RPC
	}
	return n
}

func first(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// check refuses a name that two chains have, or that none can have.
func (all Networks) check() error {
	names := make(map[string]uint64, len(all))
	for _, n := range all {
		if n.Name == "" {
			return errors.New("a chain has neither an identifier nor a file's name")
		}
		if other, taken := names[n.Name]; taken {
			return fmt.Errorf("chains %d and %d are both named %s", other, n.ChainID, n.Name)
		}
		names[n.Name] = n.ChainID
	}
	return nil
}
