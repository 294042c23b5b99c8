package report

import (
	"cmp"
	"fmt"
	"strings"
)

// Markdown is the run as a page for people.
func Markdown(r *Run) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# superindex bench, %s\n\n", r.Began.Format("2 January 2006, 15:04 MST"))
	fmt.Fprintf(&b, "`%s`, %.0f s. %s\n\n", r.Command, r.Took.Seconds(), r.Machine)
	var versions []string
	for _, v := range r.Versions {
		versions = append(versions, v.Name+" "+v.Text)
	}
	fmt.Fprintf(&b, "%s.\n\nThe load node runs in the harness's own process and shares the cores with the daemon and its ClickHouse.\n\n", strings.Join(versions, ", "))
	for _, t := range tables(r) {
		t.markdown(&b)
	}
	b.WriteString("## One by one\n\n")
	for i := range r.Results {
		details(&b, &r.Results[i])
	}
	return b.String()
}

// String describes the machine in a sentence.
func (m Machine) String() string {
	return fmt.Sprintf("%d cores, %s, %d GiB, %s; load average %.1f when it began.", m.Cores, cmp.Or(m.CPU, "unknown CPU"), m.Memory>>30, m.System, m.Load)
}

// details is what the tables do not say of a scenario.
func details(b *strings.Builder, r *Result) {
	fmt.Fprintf(b, "**%s**: %s.", r.Scenario, r.About)
	if r.Set != "" {
		fmt.Fprintf(b, " %s.", r.Set)
	}
	if r.Proof != nil && !r.Proof.Counted {
		fmt.Fprintf(b, " Ledger %d logs, digest %016x; warehouse %d, %016x.", r.Proof.Want, r.Proof.WantDigest, r.Proof.Got, r.Proof.GotDigest)
	}
	for i, f := range r.Figures {
		fmt.Fprintf(b, "%s %s %s", map[bool]string{true: "", false: ";"}[i == 0], f.Name, f.String())
	}
	if len(r.Figures) > 0 {
		b.WriteString(".")
	}
	for _, n := range r.Notes {
		fmt.Fprintf(b, " %s.", n)
	}
	if r.Fault != "" {
		fmt.Fprintf(b, " FAULT: %s", strings.Join(strings.Fields(r.Fault), " "))
	}
	b.WriteString("\n\n")
}

// table is one of the report's.
type table struct {
	title string
	head  []string
	rows  [][]string
}

func (t *table) markdown(b *strings.Builder) {
	if len(t.rows) == 0 {
		return
	}
	fmt.Fprintf(b, "## %s\n\n| %s |\n|%s\n", t.title, strings.Join(t.head, " | "), strings.Repeat("---|", len(t.head)))
	for _, row := range t.rows {
		fmt.Fprintf(b, "| %s |\n", strings.Join(row, " | "))
	}
	b.WriteString("\n")
}

// tables are the report's, the empty ones too.
func tables(r *Run) []table {
	wanted := table{title: "What is wanted", head: []string{"scenario", "what", "measured", "wanted", ""}}
	rates := table{title: "Rates", head: []string{"scenario", "logs", "s", "logs/s", "daemon CPU-s per million logs", "ClickHouse CPU-s per million logs", "daemon MiB", "ClickHouse MiB", "requests", "complete"}}
	stages := table{title: "Where the daemon's time went, in seconds (what runs side by side counts side by side)", head: []string{"scenario"}}
	times := table{title: "Latency", head: []string{"scenario", "until", "times", "p50", "p99", "most"}}
	for i := range r.Results {
		one := &r.Results[i]
		for _, x := range one.Ratios {
			wanted.rows = append(wanted.rows, []string{one.Scenario, x.What, x.measured(), x.bound(), x.verdict()})
		}
		rates.rows = append(rates.rows, one.rates())
		for _, l := range one.Latency {
			times.rows = append(times.rows, []string{one.Scenario, l.What, fmt.Sprint(l.Count), short(l.P50).String(), short(l.P99).String(), short(l.Max).String()})
		}
		if len(one.Stages) > 0 {
			stages.stages(one)
		}
	}
	return []table{wanted, rates, stages, times}
}

func (t *table) stages(r *Result) {
	row := []string{r.Scenario}
	for _, s := range r.Stages {
		if len(t.rows) == 0 {
			t.head = append(t.head, s.Name)
		}
		row = append(row, fmt.Sprintf("%.1f", s.Value))
	}
	t.rows = append(t.rows, row)
}

// rates is the result's row in that table.
func (r *Result) rates() []string {
	row := []string{r.Scenario, orDash(r.Logs > 0, count(float64(r.Logs))), fmt.Sprintf("%.2f", r.Took.Seconds()), orDash(r.Rate > 0, count(r.Rate))}
	cpu, memory := make([]string, 0, 2), make([]string, 0, 2)
	for _, u := range []*Usage{r.Daemon, r.Engine} {
		cpu = append(cpu, orDash(u != nil && r.Logs > 0, fmt.Sprintf("%.1f", u.PerMillion(r.Logs))))
		memory = append(memory, orDash(u != nil && u.Peak > 0, fmt.Sprint(u.peak()>>20)))
	}
	row = append(append(row, cpu...), memory...)
	return append(row, orDash(r.Requests > 0, count(float64(r.Requests))), r.complete())
}

func (u *Usage) peak() uint64 {
	if u == nil {
		return 0
	}
	return u.Peak
}

// complete says whether all is there, and how that is known.
func (r *Result) complete() string {
	switch {
	case r.Fault != "":
		return "FAULT"
	case r.Proof == nil:
		return "-"
	case !r.Proof.Holds():
		return "NO"
	case r.Proof.Counted:
		return "by number"
	}
	return fmt.Sprintf("by digest, %.0f %% decoded", 100*r.Proof.Decoded)
}

func orDash(yes bool, text string) string {
	if yes {
		return text
	}
	return "-"
}

func (r Ratio) bound() string {
	switch {
	case r.Want == 0:
		return "-"
	case r.Most:
		return fmt.Sprintf("at most %.2f", r.Want)
	}
	return fmt.Sprintf("at least %.2f", r.Want)
}

func (r Ratio) verdict() string {
	switch {
	case r.Want == 0:
		return ""
	case r.Holds():
		return "holds"
	}
	return "does not hold"
}
