package main

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

var metricName = regexp.MustCompile("`(superindex_[a-z_]+)`")

// metricsAreThoseOfTheDocs compares a scrape after a reorg with the table of
// docs/status.md: names and labels.
func metricsAreThoseOfTheDocs(t *testing.T, from prometheus.Gatherer) {
	t.Helper()
	want, got := documentedMetrics(t), scraped(t, from)
	for _, name := range slices.Sorted(maps.Keys(want)) {
		if name == "superindex_fault" || name == "superindex_coverage_ratio" || strings.HasPrefix(name, "superindex_feed_") { // there is none, and no feed has anything to ask
			continue
		}
		if want[name] != got[name] {
			t.Errorf("%s has the labels %q, docs/status.md says %q", name, got[name], want[name])
		}
	}
	for name := range got {
		if _, known := want[name]; !known {
			t.Errorf("docs/status.md does not name %s", name)
		}
	}
}

// documentedMetrics are the labels, sorted, of the metrics in the table of docs/status.md.
func documentedMetrics(t *testing.T) map[string]string {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "status.md"))
	if err != nil {
		t.Fatal(err)
	}
	labels := map[string]string{}
	for line := range strings.Lines(string(page)) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		for _, name := range metricName.FindAllStringSubmatch(cells[1], -1) {
			labels[name[1]] = sortedWords(strings.TrimSpace(cells[2]))
		}
	}
	return labels
}

// scraped are the labels of the metrics that a scrape shows.
func scraped(t *testing.T, from prometheus.Gatherer) map[string]string {
	t.Helper()
	families, err := from.Gather()
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, f := range families {
		if !strings.HasPrefix(f.GetName(), "superindex_") {
			continue
		}
		var labels []string
		for _, l := range f.Metric[0].Label {
			labels = append(labels, l.GetName())
		}
		got[f.GetName()] = strings.Join(labels, ", ")
	}
	return got
}

func sortedWords(list string) string {
	words := strings.Split(list, ", ")
	slices.Sort(words)
	return strings.Join(words, ", ")
}
