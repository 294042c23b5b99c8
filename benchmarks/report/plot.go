package report

import "fmt"

// plot is a chart of horizontal bars, already measured out.
type plot struct {
	Title  string
	Bars   []bar
	Legend []piece
}

// bar is one of them: pieces side by side.
type bar struct {
	Name   string
	Value  string
	Y, End int
	Pieces []piece
}

type piece struct {
	X, Y, Width int
	Color       string
	What        string
	amount      float64
}

// Where bars begin, how long the longest is, and the space for each.
const (
	barLeft   = 260
	barLength = 520
	barSpace  = 26
)

// The colours, told apart by those who see red and green alike too.
var colors = []string{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00"}

// Height is the chart's.
func (p plot) Height() int { return len(p.Bars)*barSpace + 4 }

// add puts a bar below the others.
func (p *plot) add(name, value string, amounts ...Figure) {
	b := bar{Name: name, Value: value}
	for i, a := range amounts {
		b.Pieces = append(b.Pieces, piece{Color: colors[i%len(colors)], What: a.Name + " " + a.String(), amount: a.Value})
	}
	p.Bars = append(p.Bars, b)
}

// layout gives every bar its place, the longest all there is.
func (p *plot) layout() plot {
	longest := 0.0
	for _, b := range p.Bars {
		longest = max(longest, b.sum())
	}
	for i := range p.Bars {
		b := &p.Bars[i]
		b.Y = i * barSpace
		at := 0.0
		for j := range b.Pieces {
			one := &b.Pieces[j]
			one.X, one.Y = barLeft+int(at/max(longest, 1e-9)*barLength), b.Y
			at += one.amount
			one.Width = barLeft + int(at/max(longest, 1e-9)*barLength) - one.X
		}
		b.End = barLeft + int(at/max(longest, 1e-9)*barLength) + 8
	}
	return *p
}

func (b *bar) sum() (n float64) {
	for _, p := range b.Pieces {
		n += p.amount
	}
	return n
}

// legend names the colours, in their order.
func (p *plot) legend(names ...string) {
	for i, name := range names {
		p.Legend = append(p.Legend, piece{Color: colors[i%len(colors)], What: name})
	}
}

// plots are the report's.
func plots(r *Run) []plot {
	rates := &plot{Title: "Logs a second"}
	cpu := &plot{Title: "CPU seconds per million logs"}
	stages := &plot{Title: "Where the daemon's time went, in seconds"}
	times := &plot{Title: "Latency, p50 and p99 in ms"}
	for i := range r.Results {
		one := &r.Results[i]
		if one.Fault == "" {
			one.plot(rates, cpu, stages, times)
		}
	}
	for _, f := range limits(r) {
		rates.add("limit: "+f.Name, count(f.Value), Figure{}, f)
	}
	rates.legend("measured", "limit, measured in the same run")
	cpu.legend("daemon", "ClickHouse")
	times.legend("p50", "from p50 to p99")
	return []plot{rates.layout(), cpu.layout(), stages.layout(), times.layout()}
}

// plot adds the result to the charts that it belongs to.
func (r *Result) plot(rates, cpu, stages, times *plot) {
	if r.Rate > 0 && len(r.Latency) == 0 {
		rates.add(r.Scenario, count(r.Rate), Figure{Name: r.Scenario, Value: r.Rate, Unit: "logs/s"})
	}
	if r.Daemon != nil && r.Logs > 0 {
		own, engine := r.Daemon.PerMillion(r.Logs), r.Engine.PerMillion(r.Logs)
		cpu.add(r.Scenario, fmt.Sprintf("%.1f + %.1f", own, engine), Figure{Name: "daemon", Value: own}, Figure{Name: "ClickHouse", Value: engine})
	}
	if len(r.Stages) > 0 {
		if len(stages.Legend) == 0 {
			for _, s := range r.Stages {
				stages.Legend = append(stages.Legend, piece{Color: colors[len(stages.Legend)%len(colors)], What: s.Name})
			}
		}
		stages.add(r.Scenario, "", r.Stages...)
	}
	for _, l := range r.Latency {
		p50, p99 := float64(l.P50.Microseconds())/1000, float64(l.P99.Microseconds())/1000
		times.add(r.Scenario+": "+l.What, fmt.Sprintf("%.0f, %.0f", p50, p99), Figure{Name: "p50", Value: p50}, Figure{Name: "p99", Value: p99 - p50})
	}
}

// limits are the rates that results were compared with, each once.
func limits(r *Run) (all []Figure) {
	seen := map[string]bool{}
	for i := range r.Results {
		for _, f := range r.Results[i].Figures {
			if f.Unit == "logs/s" && f.Limit && !seen[f.Name] {
				seen[f.Name] = true
				all = append(all, f)
			}
		}
	}
	return all
}
