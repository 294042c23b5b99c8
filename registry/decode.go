package registry

import (
	"fmt"

	"go.yaml.in/yaml/v3"

	"superindex/chain"
)

// linkKinds are the lists of URLs that a project's file may hold.
func linkKinds() []string {
	return []string{"websites", "github", "npm", "crates", "pypi", "go", "open_collective", "defillama"}
}

// socialKinds are the lists below social.
func socialKinds() []string { return []string{"twitter", "telegram", "farcaster", "mirror", "medium"} }

// project reads a project; false where it has no name.
func (d *document) project() (Project, bool) {
	name, ok := d.name()
	if !ok {
		return Project{}, false
	}
	p := Project{
		Name:        name,
		DisplayName: d.text(d.root, "", "display_name"),
		Description: d.text(d.root, "", "description"),
		Accounts:    d.accounts(),
		File:        d.file,
	}
	for _, kind := range linkKinds() {
		p.Links = d.links(p.Links, d.root, "", kind)
	}
	if social := child(d.root, "social"); social != nil {
		for _, kind := range socialKinds() {
			p.Links = d.links(p.Links, social, "social.", kind)
		}
	}
	return p, true
}

func (d *document) links(dst []Link, m *yaml.Node, at, kind string) []Link {
	for i, n := range d.list(m, at, kind) {
		url := d.text(n, fmt.Sprintf("%s%s[%d].", at, kind, i), "url")
		if url == "" {
			d.problem(n.Line, fmt.Sprintf("%s%s[%d]", at, kind, i), n.Value, "no url", false)
			continue
		}
		l := Link{Kind: kind, URL: url, Line: n.Line}
		if _, ok := l.artifact(); !ok {
			d.problem(n.Line, fmt.Sprintf("%s%s[%d].url", at, kind, i), url, "not a URL of "+kind+"; it names no artifact", false)
		}
		dst = append(dst, l)
	}
	return dst
}

func (d *document) accounts() []Account {
	nodes := d.list(d.root, "", "blockchain")
	if len(nodes) == 0 {
		return nil
	}
	out := make([]Account, 0, len(nodes))
	for i, n := range nodes {
		if a, ok := d.account(n, fmt.Sprintf("blockchain[%d].", i)); ok {
			out = append(out, a)
		}
	}
	return out
}

func (d *document) account(n *yaml.Node, at string) (a Account, ok bool) {
	line, text := n.Line, ""
	if field := child(n, "address"); field != nil {
		line, text = field.Line, field.Value
	}
	address, reason := parseAddress(text)
	if reason != "" {
		d.problem(line, at+"address", text, reason, true)
		return a, false
	}
	if miscased(text, address) {
		d.problem(line, at+"address", text, "the capitals are not EIP-55's "+checksum(address)+": mistyped?", false)
	}
	if address == weth() {
		d.problem(line, at+"address", text, "this is WETH on every OP Stack chain: all its logs count for the project", false)
	}
	a = Account{address, d.shared(n, at, "networks"), d.shared(n, at, "tags"), d.text(n, at, "name"), line}
	if len(a.Networks) == 0 {
		d.problem(line, at+"networks", "", "no network", true)
		return a, false
	}
	if len(a.Tags) == 0 {
		d.problem(line, at+"tags", "", "no tag", false)
	}
	return a, true
}

// weth is a predeploy: one address, used by everyone, on every chain of the stack.
func weth() chain.Address { return chain.Address{0: 0x42, 19: 0x06} }

// collection reads a collection; false where it has no name.
func (d *document) collection() (Collection, bool) {
	name, ok := d.name()
	return Collection{
		Name:        name,
		DisplayName: d.text(d.root, "", "display_name"),
		Description: d.text(d.root, "", "description"),
		Projects:    d.wordList(d.root, "", "projects"),
		File:        d.file,
	}, ok
}
