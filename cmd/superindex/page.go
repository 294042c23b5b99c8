package main

import (
	"bytes"
	"cmp"
	_ "embed" // for the page
	"fmt"
	"html/template"
	"net/http"
	"time"

	"github.com/dustin/go-humanize"

	"superindex/indexer"
	"superindex/indexer/pool"
	"superindex/poller"
)

//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is the status page: every value as it is shown.
type page struct {
	report
	Title, Class, Verdict string
	At, Fetched           string
	Red                   []pageRed
	Sinks                 []string
	Networks, Streams     []pageNetwork // those with a chain, and those without
	Endpoints             []pageEndpoint
	Feeds                 []pageFeed
}

type pageRed struct{ Network, Text string }

type pageNetwork struct {
	Name, Class, State                string
	Latest, Safe, Final, Indexed      string
	Behind, Age, Blocks, Events, Left string
	WaitsFor, Reorgs, Journal, Steps  string
	Sinks                             []pageSink
}

type pageSink struct{ Class, Text string }

type pageFeed struct {
	Name, Class, State, Resources, Due, Failing, Rows, Asks, Last, Why string
}

type pageEndpoint struct {
	Network, Name, Class, State, Head, Requests, Failed, P50, P99, Cap, Reason string
}

// Classes of the page's colours.
const (
	classGood = "good"
	classSlow = "slow"
	classBad  = "bad"
)

func classOf(s indexer.State) string {
	switch s {
	case indexer.Red:
		return classBad
	case indexer.Synced:
		return classGood
	}
	return classSlow
}

// showPage serves the page. It needs no script, and allows none.
func (d *daemon) showPage(w http.ResponseWriter, _ *http.Request) {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, newPage(d.report(), time.Now())); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	w.Header().Set("Cache-Control", "no-store")
	if _, err := w.Write(b.Bytes()); err != nil {
		d.log.Debug("the page was not read to its end", "error", err)
	}
}

func newPage(r report, now time.Time) page {
	p := page{report: r, At: now.UTC().Format(time.DateTime), Fetched: r.Registry.Fetched.UTC().Format(time.DateTime), Sinks: sinkNames(r)}
	count := map[indexer.State]int{}
	for i := range r.Networks {
		n := &r.Networks[i]
		for _, text := range n.reds() {
			p.Red = append(p.Red, pageRed{n.Network, text})
		}
		row := p.row(n, now)
		if n.ChainID == 0 {
			p.Streams = append(p.Streams, row)
		} else {
			p.Networks = append(p.Networks, row)
		}
		for _, e := range n.Endpoints {
			p.Endpoints = append(p.Endpoints, endpointRow(n.Network, &e))
		}
		count[n.State]++
	}
	for i := range r.Feeds {
		f := &r.Feeds[i]
		p.Feeds = append(p.Feeds, feedRow(f, now))
		if f.Fault != "" {
			p.Red = append(p.Red, pageRed{f.Feed, f.Fault})
		}
	}
	p.Verdict, p.Class = verdictOf(count, len(r.Networks))
	if p.Class == classGood && len(p.Red) > 0 {
		p.Verdict, p.Class = fmt.Sprintf("%d red", len(p.Red)), classBad
	}
	p.Title = "superindex: " + p.Verdict
	return p
}

// verdictOf is the page's first word: what is wrong, else what is not there yet, and
// synced only if all of it is.
func verdictOf(count map[indexer.State]int, all int) (words, class string) {
	switch synced := count[indexer.Synced]; {
	case count[indexer.Red] > 0:
		return fmt.Sprintf("%d of %d red", count[indexer.Red], all), classBad
	case all == 0:
		return "starting", classSlow
	case synced < all:
		return fmt.Sprintf("%d of %d synced", synced, all), classSlow
	}
	return "synced", classGood
}

func (p *page) row(n *networkReport, now time.Time) pageNetwork {
	row := pageNetwork{
		Name: n.Network, Class: classOf(n.State), State: words(n.State), Journal: humanize.IBytes(n.JournalBytes), Steps: humanize.Comma(int64(n.Steps)),
	}
	for _, name := range p.Sinks {
		row.Sinks = append(row.Sinks, pageSinkOf(n, name))
	}
	if n.ChainID == 0 || n.HeadSeen.IsZero() {
		return row
	}
	row.Latest, row.Indexed = fmt.Sprint(n.Latest.Number), fmt.Sprint(n.Indexed.Number)
	row.Safe, row.Final = n.below(n.Safe.Number), n.below(n.Final.Number)
	row.Behind, row.Age, row.Left, row.WaitsFor = humanize.Comma(int64(n.Behind)), n.age(now), n.left(), cmp.Or(n.Bottleneck, "-")
	row.Blocks, row.Events = rate(n.BlocksPerSecond), rate(n.EventsPerSecond)
	row.Reorgs = fmt.Sprint(n.Reorgs)
	if n.Reorgs > 0 {
		row.Reorgs = fmt.Sprintf("%d, last %d deep, %s ago", n.Reorgs, n.LastReorg.Depth(), short(now.Sub(time.Unix(int64(n.LastReorg.Time), 0))))
	}
	return row
}

func pageSinkOf(n *networkReport, name string) pageSink {
	text, colour := n.held(name)
	return pageSink{map[int]string{red: classBad, green: classGood, yellow: classSlow}[colour], text}
}

func feedRow(f *poller.State, now time.Time) pageFeed {
	row := pageFeed{
		Name: f.Feed, Class: classGood, State: "runs", Why: cmp.Or(f.Fault, f.Example, f.Note), Last: "-",
		Resources: humanize.Comma(int64(f.Resources)), Due: humanize.Comma(int64(f.Due)), Failing: humanize.Comma(int64(f.Failing)),
		Rows: humanize.Comma(int64(f.Rows)), Asks: humanize.Comma(int64(f.Asks)),
	}
	if !f.LastSuccess.IsZero() {
		row.Last = short(now.Sub(f.LastSuccess)) + " ago"
	}
	switch {
	case f.Fault != "":
		row.Class, row.State = classBad, "red"
	case f.RestsUntil.After(now):
		row.Class, row.State = classSlow, "rests for "+short(f.RestsUntil.Sub(now))
	case f.Resources == 0:
		row.Class, row.State = "", "off"
	case f.Failing > 0:
		row.Class = classSlow
	}
	return row
}

func endpointRow(network string, e *pool.State) pageEndpoint {
	row := pageEndpoint{
		Network: network, Name: e.Name, Class: classGood, State: "up", Reason: e.Reason,
		Requests: humanize.Comma(int64(e.Requests)), Failed: humanize.Comma(int64(e.Failed)),
		P50: e.P50.Round(time.Millisecond).String(), P99: e.P99.Round(time.Millisecond).String(),
	}
	if e.Leads {
		row.State = "leads"
	}
	switch {
	case !e.Up:
		row.Class, row.State = classBad, "down"
	case e.Reason != "":
		row.Class = classSlow
	}
	if e.Heads.Latest.Number > 0 {
		row.Head = fmt.Sprint(e.Heads.Latest.Number)
	}
	if e.Cap > 0 {
		row.Cap = humanize.Comma(int64(e.Cap))
	}
	return row
}
