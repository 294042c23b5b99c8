package poller

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are those of every feed.
type Metrics struct {
	requests *prometheus.CounterVec
	success  *prometheus.Desc
	coverage *prometheus.Desc

	mu      sync.Mutex
	pollers map[string]*Poller // by feed: another registry snapshot makes another poller of the same feed
}

// NewMetrics registers the feeds' metrics.
func NewMetrics(on prometheus.Registerer) *Metrics {
	m := &Metrics{
		pollers: map[string]*Poller{},
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "superindex_feed_requests_total", Help: "Requests to a feed's source, by outcome.",
		}, []string{"feed", "outcome"}),
		success: prometheus.NewDesc("superindex_feed_last_success_timestamp_seconds",
			"When an answer of the feed's source was last committed, since the start.", []string{"feed"}, nil),
	}
	m.coverage = prometheus.NewDesc("superindex_coverage_ratio",
		"Which part of the hours or days that were asked for is complete.", []string{"source", "dataset"}, nil)
	on.MustRegister(m.requests, m)
	return m
}

func (m *Metrics) follow(p *Poller) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pollers[p.feed.Name()] = p
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) { out <- m.success; out <- m.coverage }

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for feed, p := range m.pollers {
		for dataset, ratio := range p.ratios() {
			out <- prometheus.MustNewConstMetric(m.coverage, prometheus.GaugeValue, ratio, feed, dataset)
		}
		if st := p.State(); !st.LastSuccess.IsZero() {
			out <- prometheus.MustNewConstMetric(m.success, prometheus.GaugeValue, float64(st.LastSuccess.Unix()), st.Feed)
		}
	}
}
