package main

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"superindex/indexer"
	"superindex/registry"
)

// chosen is a network that is to run: what the config says of it, what is known of
// it, and its endpoints with their URLs filled in.
type chosen struct {
	networkConfig
	name    string
	facts   registry.Network // zero for one that only the config knows
	chainID uint64
	rpc     []endpoint
}

// directory is the network's name in oss-directory.
func (c chosen) directory() string { return cmp.Or(c.facts.Directory, c.name) }

// choose takes the networks that are enabled, by name, and takes down what is wrong
// with them. None wanted is no fault: then the registry says which ones run.
func (c *config) choose(f *faults, wanted map[string]networkConfig, known registry.Networks) (all []chosen) {
	names := map[uint64]string{}
	for _, name := range slices.Sorted(maps.Keys(wanted)) {
		n := wanted[name]
		if n.Enabled != nil && !*n.Enabled {
			continue
		}
		before := len(f.all)
		one := n.choose(f, name, known)
		if other, twice := names[one.chainID]; twice && len(f.all) == before {
			f.add("networks."+name, "its chain id, %d, is that of %s already", one.chainID, other)
		}
		if len(f.all) > before {
			continue
		}
		names[one.chainID] = name
		all = append(all, one)
	}
	if len(all) == 0 && len(wanted) > 0 && len(f.all) == 0 {
		f.add("networks", "none is enabled")
	}
	return all
}

// networkName is what streams, subjects and views can carry.
var networkName = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*$`)

func (n networkConfig) choose(f *faults, name string, known registry.Networks) chosen {
	field := "networks." + name
	one := chosen{networkConfig: n, name: name}
	var found bool
	one.facts, found = known.Find(name)
	one.chainID = cmp.Or(n.ChainID, one.facts.ChainID)
	switch {
	case found && one.facts.Name != name:
		f.add(field, "it is called %s here", one.facts.Name)
		return one
	case !networkName.MatchString(name) || name == indexer.Feeds.Name:
		f.add(field, "no name for a network: a to z, 0 to 9, _ and - make one, and feeds is taken")
		return one
	case !found && n.ChainID == 0:
		f.add(field, "no network of that name is known%s: give chain_id, or describe it in registry.networks_file", nearest(name, known))
		return one
	case found && n.ChainID != 0 && n.ChainID != one.facts.ChainID:
		f.add(field+".chain_id", "chain_id is %d, and %s has %d", n.ChainID, name, one.facts.ChainID)
		return one
	}
	n.check(f, field, one.facts)
	one.rpc = n.endpoints(f, field, one.facts)
	return one
}

// nearest names the network that was perhaps meant.
func nearest(name string, known registry.Networks) string {
	if near := meant(name, known.Names()); near != "" {
		return " (is " + near + " meant?)"
	}
	return ""
}

// check takes down what of a network cannot be, and what is not there yet.
func (n networkConfig) check(f *faults, field string, facts registry.Network) {
	if n.Start.Absolute {
		if err := facts.CheckStart(n.Start.Number); err != nil {
			f.add(field+".start", "%s", strings.TrimPrefix(err.Error(), facts.Name+": "))
		}
	}
	f.oneOf(field+".mode", cmp.Or(n.Mode, "auto"), "logs", "receipts", "auto")
	switch n.Verify {
	case "link", "bloom", "receipts":
		f.add(field+".verify", "%s is not there yet; use off or auto", n.Verify)
	default:
		f.oneOf(field+".verify", cmp.Or(n.Verify, "auto"), "off", "link", "bloom", "receipts", "auto")
	}
}

// endpoints are those of the config, or the public ones of the table.
func (n networkConfig) endpoints(f *faults, field string, facts registry.Network) []endpoint {
	field += ".rpc"
	if len(n.RPC) == 0 {
		return public(f, field, facts)
	}
	names := map[string]bool{}
	for i, e := range n.RPC {
		at := fmt.Sprintf("%s[%d]", field, i)
		if e.Name == "" {
			f.add(at, "an endpoint without a name, by which it is shown")
		} else if names[e.Name] {
			f.add(at, "a second endpoint is named %s", e.Name)
		}
		names[e.Name] = true
		if err := registry.CheckURL(e.URL); err != nil {
			f.add(at+".url", "%v", err)
		}
	}
	return n.RPC
}

func public(f *faults, field string, facts registry.Network) (all []endpoint) {
	urls, err := facts.Endpoints(os.LookupEnv)
	switch {
	case err != nil:
		f.add(field, "%s", strings.TrimPrefix(err.Error(), facts.Name+": rpc: "))
	case len(urls) == 0:
		f.add(field, "no endpoint is given, and none is known: give [{name: own, url: \"https://...\"}]")
	}
	for i, url := range urls {
		name := "public"
		if i > 0 {
			name = fmt.Sprintf("public-%d", i+1)
		}
		all = append(all, endpoint{name, url})
	}
	return all
}
