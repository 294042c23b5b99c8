package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/dustin/go-humanize"

	"superindex/indexer"
)

// paint colours a word for a terminal; the zero value leaves it plain.
type paint struct{ on bool }

// The colours of SGR. Each has two digits, so that columns of painted cells align.
const (
	plainColour = 39
	red         = 31
	green       = 32
	yellow      = 33
)

func (p paint) in(colour int, word string) string {
	if !p.on {
		return word
	}
	return fmt.Sprintf("\x1b[%dm%s\x1b[0m", colour, word)
}

// stateColours are the colours of states and of what a sink holds.
var stateColours = map[indexer.State]int{
	indexer.Red: red, indexer.Synced: green, indexer.Starting: plainColour,
	indexer.CatchingUp: yellow, indexer.HeadStale: yellow, indexer.SinksBehind: yellow, indexer.Filling: yellow,
}

// showStatus is one table of streams, then what stands in the way.
func showStatus(w io.Writer, r report, colour paint) error {
	t := tabwriter.NewWriter(w, 2, 0, 2, ' ', tabwriter.AlignRight)
	sinks := sinkNames(r)
	fmt.Fprintf(t, "network\t%s\tbehind\tage\tblocks/s\tevents/s\tleft\twaits for\t%s\t", colour.in(plainColour, "state"), colour.in(plainColour, "rpc"))
	for _, name := range sinks {
		fmt.Fprintf(t, "%s\t", colour.in(plainColour, name))
	}
	fmt.Fprint(t, "reorgs\tlatest\tsafe\tfinal\tdone\tjournal\t\n")
	now := time.Now()
	for i := range r.Networks {
		n := &r.Networks[i]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t", n.Network, colour.in(stateColours[n.State], words(n.State)), pace(n, now), rpcCell(n, colour))
		for _, name := range sinks {
			fmt.Fprintf(t, "%s\t", sinkCell(n, name, colour))
		}
		fmt.Fprintf(t, "%s\t%s\t\n", heads(n), humanize.IBytes(n.JournalBytes))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	return showRed(w, r, colour)
}

// sinkNames are the sinks of all streams.
func sinkNames(r report) (names []string) {
	for _, n := range r.Networks {
		for _, s := range n.Sinks {
			if !slices.Contains(names, s.Name) {
				names = append(names, s.Name)
			}
		}
	}
	slices.Sort(names)
	return names
}

// pace is the columns from behind to waits for.
func pace(n *networkReport, now time.Time) string {
	if n.ChainID == 0 || n.HeadSeen.IsZero() {
		return "\t\t\t\t\t"
	}
	return strings.Join([]string{
		humanize.Comma(int64(n.Behind)), n.age(now), rate(n.BlocksPerSecond), rate(n.EventsPerSecond), n.left(), cmp.Or(n.Bottleneck, "-"),
	}, "\t")
}

// age is how old the indexed block is.
func (n *networkReport) age(now time.Time) string {
	if n.IndexedTime.IsZero() {
		return "-"
	}
	return short(now.Sub(n.IndexedTime))
}

func (n *networkReport) left() string {
	if n.Left == nil || *n.Left == 0 {
		return "-"
	}
	return short(time.Duration(*n.Left * float64(time.Second)))
}

// below is a head by how far it is behind the latest one.
func (n *networkReport) below(number uint64) string {
	if number == 0 {
		return "-"
	}
	return fmt.Sprintf("-%d", n.Latest.Number-min(number, n.Latest.Number))
}

// heads is the columns from reorgs to done.
func heads(n *networkReport) string {
	if n.ChainID == 0 || n.HeadSeen.IsZero() {
		return "\t\t\t\t"
	}
	return fmt.Sprintf("%d\t%d\t%s\t%s\t%s", n.Reorgs, n.Latest.Number, n.below(n.Safe.Number), n.below(n.Final.Number), humanize.Comma(int64(n.Blocks)))
}

// words is a state as people write it.
func words(s indexer.State) string { return strings.ReplaceAll(string(s), "_", " ") }

// rpcCell says how many of the endpoints are up.
func rpcCell(n *networkReport, colour paint) string {
	all, up := len(n.Endpoints), 0
	for _, e := range n.Endpoints {
		if e.Up {
			up++
		}
	}
	switch {
	case all == 0:
		return colour.in(plainColour, "")
	case up == all:
		return colour.in(green, fmt.Sprintf("%d/%d", up, all))
	case up == 0:
		return colour.in(red, fmt.Sprintf("0/%d", all))
	}
	return colour.in(yellow, fmt.Sprintf("%d/%d", up, all))
}

func sinkCell(n *networkReport, name string, colour paint) string {
	text, in := n.held(name)
	return colour.in(in, text)
}

// held is what a sink holds of the stream, and its colour.
func (n *networkReport) held(sink string) (text string, colour int) {
	at := slices.IndexFunc(n.Sinks, func(s indexer.SinkStatus) bool { return s.Name == sink })
	switch {
	case n.Faults[sink] != "":
		return "RED", red
	case at < 0 || n.Sinks[at].Seq == 0:
		return "-", plainColour
	case n.Sinks[at].Lag == 0:
		return "ok", green
	}
	return fmt.Sprintf("-%d", n.Sinks[at].Lag), yellow
}

// showRed lists what stands in the way, and endpoints with a reason: a network with a
// good one beside is not red.
func showRed(w io.Writer, r report, colour paint) error {
	var b strings.Builder
	for _, n := range r.Networks {
		for _, line := range n.reds() {
			fmt.Fprintf(&b, "%s  %s, %s\n", colour.in(red, "RED"), n.Network, line)
		}
		for _, e := range n.Endpoints {
			if e.Reason != "" {
				fmt.Fprintf(&b, "%s  %s, endpoint %s: %s\n", colour.in(yellow, "rpc"), n.Network, e.Name, e.Reason)
			}
		}
	}
	for _, f := range r.Feeds {
		switch {
		case f.Fault != "":
			fmt.Fprintf(&b, "%s  feed %s: %s\n", colour.in(red, "RED"), f.Feed, f.Fault)
		case f.Resources > 0:
			fmt.Fprintf(&b, "feed %s: %s followed, %d due, %d failing, %s rows brought\n", f.Feed,
				humanize.Comma(int64(f.Resources)), f.Due, f.Failing, humanize.Comma(int64(f.Rows)))
		}
	}
	if r.Registry.Note != "" {
		fmt.Fprintf(&b, "registry: %s\n", r.Registry.Note)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// reds are what makes a stream red, a line each.
func (n *networkReport) reds() (lines []string) {
	for _, part := range sortedKeys(n.Faults) {
		lines = append(lines, part+": "+n.Faults[part])
	}
	for _, stage := range n.Stalled {
		lines = append(lines, stage+": stalled: work waits and nothing moves")
	}
	return lines
}

// red is how many faults and stalls there are.
func (r report) red() (count int) {
	for i := range r.Networks {
		count += len(r.Networks[i].reds())
	}
	for _, f := range r.Feeds {
		if f.Fault != "" {
			count++
		}
	}
	return count
}

// rate is a number a second, in three digits or so.
func rate(v float64) string {
	switch {
	case v == 0:
		return "0"
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return humanize.Comma(int64(v + 0.5))
}

// short is a duration in its two largest units.
func short(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%ds", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%dm%02ds", d/time.Minute, d%time.Minute/time.Second)
	case d < day:
		return fmt.Sprintf("%dh%02dm", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%dd%02dh", d/day, d%day/time.Hour)
}

func sortedKeys(m map[string]string) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
