package registry

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"time"
)

// Network is what is known of one chain before any of its nodes is asked.
type Network struct {
	Name      string // what config, streams and views call it: oss-directory's name where it has one
	Directory string // its name in oss-directory; empty for a testnet, which oss-directory does not list
	Title     string // what it calls itself: "OP Mainnet"
	ID        string // superchain-registry's: "mainnet/op"
	ChainID   uint64

	BlockTime        time.Duration
	FirstBlock       uint64 // the first block of today's format; those before it are another chain's
	SequencingWindow uint64 // in L1 blocks: within it the batch of an unsafe block must be on L1

	RPC      []string // public ones; may hold ${TOKEN}: see Endpoints
	Explorer string
	Testnet  bool
	Left     bool // it is not in superchain-registry any more
}

// layer1 is the time between two blocks of Ethereum and of Sepolia.
const layer1 = 12 * time.Second

// WindowBlocks is the sequencing window in blocks of the chain itself: a head
// that much older than the newest is final where no node says so.
func (n Network) WindowBlocks() uint64 {
	if n.BlockTime <= 0 {
		return 0
	}
	return n.SequencingWindow * uint64(layer1/time.Millisecond) / uint64(n.BlockTime/time.Millisecond)
}

// CheckStart refuses a first block that the chain does not have.
func (n Network) CheckStart(start uint64) error {
	if start < n.FirstBlock {
		return fmt.Errorf("%s: start %d is below the chain's first L2 block, %d", n.Name, start, n.FirstBlock)
	}
	return nil
}

// Endpoints are the RPC URLs with their ${TOKENS} filled in by lookup, which is
// os.LookupEnv outside of tests. The error names the network, never the URL.
func (n Network) Endpoints(lookup func(string) (string, bool)) ([]string, error) {
	out := make([]string, 0, len(n.RPC))
	for _, raw := range n.RPC {
		full, err := expand(raw, lookup)
		if err == nil {
			err = CheckURL(full)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: rpc: %w", n.Name, err)
		}
		out = append(out, full)
	}
	return out, nil
}

var variable = regexp.MustCompile(`\$\{([^}]*)\}`)

// expand fills ${NAME}s in. The error names what is missing and never shows the URL.
func expand(raw string, lookup func(string) (string, bool)) (string, error) {
	unset := ""
	full := variable.ReplaceAllStringFunc(raw, func(m string) string {
		value, _ := lookup(m[2 : len(m)-1])
		if value == "" {
			unset = m
		}
		return value
	})
	if unset != "" {
		return "", fmt.Errorf("its URL needs %s, which is not set", unset)
	}
	return full, nil
}

// CheckURL says whether an endpoint can be reached that way. The error never shows the
// URL, which may hold a key.
func CheckURL(full string) error {
	u, err := url.Parse(full)
	if err != nil || u.Host == "" || !slices.Contains([]string{"http", "https", "ws", "wss"}, u.Scheme) {
		return errors.New("its URL has no scheme or host: it must begin with https://, wss://, http:// or ws://")
	}
	return nil
}

// Networks is a table of chains, mainnets before testnets, each by name.
type Networks []Network

// Find looks a chain up by its name, by superchain-registry's id or by its chain
// id in decimal.
func (all Networks) Find(name string) (Network, bool) {
	i := slices.IndexFunc(all, func(n Network) bool {
		return n.Name == name || n.ID == name || strconv.FormatUint(n.ChainID, 10) == name
	})
	if i < 0 {
		return Network{}, false
	}
	return all[i], true
}

// directory finds a chain by its name in oss-directory.
func (all Networks) directory(name string) (Network, bool) {
	i := slices.IndexFunc(all, func(n Network) bool { return n.Directory == name })
	if i < 0 {
		return Network{}, false
	}
	return all[i], true
}

// Listed are the mainnets for which the snapshot lists an address of their own:
// those that run where the config names none.
func (all Networks) Listed(s *Snapshot) Networks {
	listed := make(map[string]bool)
	for _, p := range s.Projects {
		for _, a := range p.Accounts {
			for _, network := range a.Networks {
				listed[network] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(all), func(n Network) bool {
		return n.Testnet || n.Directory == "" || !listed[n.Directory]
	})
}

// Names are the networks' names, in the table's order.
func (all Networks) Names() []string {
	out := make([]string, len(all))
	for i, n := range all {
		out[i] = n.Name
	}
	return out
}
