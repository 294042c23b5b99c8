package registry

import (
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"

	"github.com/dustin/go-humanize"
)

// Report is what `superindex registry` can print: a Summary, a Finding, a
// Difference.
type Report interface {
	text(p *page)
}

// Print writes a report as text for people or as indented JSON.
func Print(w io.Writer, r Report, asJSON bool) error {
	if asJSON {
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(r)
	}
	p := &page{tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)}
	r.text(p)
	return p.Flush()
}

// page lays cells out in columns. What a file says is printed without control
// characters: a name must not steer the terminal.
type page struct{ *tabwriter.Writer }

func (p *page) row(cells ...string) {
	for i, cell := range cells {
		cells[i] = strings.Map(func(r rune) rune {
			if unicode.IsControl(r) {
				return ' '
			}
			return r
		}, cell)
	}
	fmt.Fprintln(p, strings.Join(cells, "\t"))
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func number(n int) string { return humanize.Comma(int64(n)) }

func (s Summary) text(p *page) {
	p.row("snapshot", s.Snapshot)
	p.row("commit", s.Version)
	p.row("source", s.Source+", read "+s.Fetched)
	if s.Note != "" {
		p.row("note", s.Note)
	}
	p.row("projects", number(s.Projects))
	p.row("collections", fmt.Sprintf("%s with %s memberships", number(s.Collections), number(s.Memberships)))
	p.row("accounts", fmt.Sprintf("%s entries, %s addresses, %s (network, address) pairs", number(s.Accounts), number(s.Addresses), number(s.Pairs)))
	s.networks(p)
	p.row()
	p.row("TAG", "ENTRIES")
	for _, c := range s.Tags {
		p.row(c.Name, number(c.Count))
	}
	p.row()
	p.row("SOURCE", "LINKS")
	for _, c := range s.Links {
		p.row(c.Name, number(c.Count))
	}
	p.problems("malformed, left out", s.Malformed)
	p.problems("doubtful, kept", s.Warnings)
}

func (s Summary) networks(p *page) {
	p.row()
	p.row("NETWORK", "CHAIN", "ADDRESSES", "NO LOGS", "PROJECTS", "WATCHED", "")
	for _, n := range s.Networks {
		chainID, watched, note := "", "", ""
		if n.ChainID != 0 {
			chainID = strconv.FormatUint(n.ChainID, 10)
		}
		if n.Runs {
			watched = number(n.Watched)
		}
		if n.Left {
			note = "left superchain-registry"
		}
		p.row(n.Name, chainID, number(n.Addresses), number(n.Silent), number(n.Projects), watched, note)
	}
	p.row("NO LOGS: plain accounts and deployers, which yield nothing without receipts mode. WATCHED: with the any_evm addresses, where the network runs.")
}

func (p *page) problems(title string, list []Problem) {
	p.row()
	p.row(fmt.Sprintf("%s: %d", title, len(list)))
	for _, problem := range list {
		p.row("  " + problem.String())
	}
}

func (f Finding) text(p *page) {
	for _, a := range f.Accounts {
		a.text(p)
	}
	for _, project := range f.Projects {
		project.text(p)
	}
	for _, c := range f.Collections {
		p.row("collection", c.Name, c.DisplayName)
		p.row("id", c.ID)
		p.row("file", c.File)
		p.row(number(len(c.Projects))+" projects", strings.Join(c.Projects, ", "))
	}
	for _, name := range f.Similar {
		p.row("similar: " + name)
	}
}

func (a FoundAccount) text(p *page) {
	p.row(a.Address, "project "+a.Project, strings.Join(a.Networks, ", "), strings.Join(a.Tags, ", "), a.why(), fmt.Sprintf("%s:%d", a.File, a.Line))
}

// why says what to expect of the account.
func (a FoundAccount) why() string {
	if a.Emits {
		return a.Name
	}
	return strings.TrimSpace(a.Name + " (no logs without receipts mode)")
}

func (f FoundProject) text(p *page) {
	p.row("project", f.Name, f.DisplayName)
	p.row("id", f.ID)
	p.row("file", f.File)
	p.row("collections", strings.Join(f.Collections, ", "))
	for _, l := range f.Links {
		p.row(l.Name, number(l.Count))
	}
	p.row("accounts", number(len(f.Accounts)))
	for _, a := range f.Accounts {
		a.text(p)
	}
}

func (d Difference) text(p *page) {
	p.row("from", d.From)
	p.row("to", d.To)
	for _, kind := range []string{"project", "collection", "member", "account", "link"} {
		p.row(kind+"s", fmt.Sprintf("%d added, %d removed", ofKind(d.Added, kind), ofKind(d.Removed, kind)))
	}
	for _, f := range d.Removed {
		p.row("- " + f.String())
	}
	for _, f := range d.Added {
		p.row("+ " + f.String())
	}
}

func ofKind(facts []Fact, kind string) (n int) {
	for _, f := range facts {
		if f.Kind == kind {
			n++
		}
	}
	return n
}

// String is the fact's words, those that it has.
func (f Fact) String() string {
	return strings.Join(strings.Fields(strings.Join([]string{f.Kind, f.Of, f.Network, f.What, f.Tags}, " ")), " ")
}
