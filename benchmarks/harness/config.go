package harness

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"
)

// config is a daemon's config: a release's defaults, but for what says where
// everything is.
type config struct {
	dir              string
	directory        string // of oss-directory
	clickhouse, nats bool
	networks         []*served
	start            string // "1" if empty
	mode             string // "auto" if empty
	profiles         bool
}

// String is the YAML.
func (c config) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "data_dir: %q\nregistry: {oss_directory: %q}\nnetworks:\n", filepath.Join(c.dir, "data"), c.directory)
	for _, n := range c.networks {
		fmt.Fprintf(&b, "  %s: {chain_id: %d, start: %s, mode: %s, rpc: [{name: loadnode, url: %q}]}\n",
			n.network(), n.o.ChainID, cmp.Or(c.start, "1"), cmp.Or(c.mode, "auto"), n.url)
	}
	fmt.Fprintf(&b, "sinks:\n  clickhouse: {dsn: %s, listen: \"127.0.0.1:0\"}\n", embedded(c.clickhouse))
	fmt.Fprintf(&b, "  nats: {url: %s, listen: \"127.0.0.1:0\"}\n", embedded(c.nats))
	if !c.clickhouse && !c.nats {
		b.WriteString("  allow_none: true\n")
	}
	b.WriteString("poller: {github: {enabled: false}, open_collective: {enabled: false}}\n") // nothing is asked of other machines
	b.WriteString("http: {listen: \"127.0.0.1:0\"}\nlog: {level: info, format: json}\n")
	if c.profiles {
		b.WriteString("pprof: true\n")
	}
	return b.String()
}

func embedded(yes bool) string {
	if yes {
		return "embedded"
	}
	return "none"
}
