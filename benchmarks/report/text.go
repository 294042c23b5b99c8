package report

import (
	"fmt"
	"strings"
	"time"
)

// Line is a result in one line, for a terminal.
func Line(r Result) string {
	if r.Fault != "" {
		return r.Scenario + ": FAULT: " + r.Fault
	}
	parts := []string{r.Scenario + ":"}
	if r.Rate > 0 {
		parts = append(parts, fmt.Sprintf("%s logs/s (%s logs in %.2f s)", count(r.Rate), count(float64(r.Logs)), r.Took.Seconds()))
	}
	if r.Daemon != nil {
		parts = append(parts, fmt.Sprintf("daemon %.1f CPU-s, %s", r.Daemon.CPU, mebibytes(r.Daemon.Peak)))
	}
	if r.Engine != nil {
		parts = append(parts, fmt.Sprintf("ClickHouse %.1f CPU-s, %s", r.Engine.CPU, mebibytes(r.Engine.Peak)))
	}
	for _, f := range r.Stages {
		parts = append(parts, fmt.Sprintf("%s %.1f s", f.Name, f.Value))
	}
	for _, l := range r.Latency {
		parts = append(parts, fmt.Sprintf("%s p50 %v p99 %v", l.What, short(l.P50), short(l.P99)))
	}
	for _, f := range r.Figures {
		parts = append(parts, f.Name+" "+f.String())
	}
	for _, x := range r.Ratios {
		parts = append(parts, x.String())
	}
	return strings.Join(parts, "  ")
}

// String is the figure without its name.
func (f Figure) String() string {
	if f.Text != "" {
		return f.Text
	}
	return strings.TrimSpace(count(f.Value) + " " + f.Unit)
}

// String is the ratio with what is wanted.
func (r Ratio) String() string {
	text := r.What + ": " + r.measured()
	if r.Want == 0 {
		return text
	}
	return fmt.Sprintf("%s (%s: %s)", text, r.bound(), r.verdict())
}

// measured is its value, and where there are several laps those of all.
func (r Ratio) measured() string {
	text := fmt.Sprintf("%.2f", r.Value)
	if len(r.Laps) < 2 {
		return text
	}
	laps := make([]string, len(r.Laps))
	for i, v := range r.Laps {
		laps[i] = fmt.Sprintf("%.2f", v)
	}
	return fmt.Sprintf("%s [%s]", text, strings.Join(laps, " "))
}

// count writes a number for people: 1,234,567 or 12.3 or 0.042.
func count(v float64) string {
	switch {
	case v >= 1000:
		digits := fmt.Sprintf("%.0f", v)
		for i := len(digits) - 3; i > 0; i -= 3 {
			digits = digits[:i] + "," + digits[i:]
		}
		return digits
	case v == float64(int(v)):
		return fmt.Sprintf("%.0f", v)
	case v >= 10:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.3g", v)
}

func mebibytes(n uint64) string { return fmt.Sprintf("%d MiB", n>>20) }

// short is a duration of three digits or so.
func short(d time.Duration) time.Duration {
	switch {
	case d > time.Second:
		return d.Round(10 * time.Millisecond)
	case d > 10*time.Millisecond:
		return d.Round(100 * time.Microsecond)
	}
	return d.Round(time.Microsecond)
}
