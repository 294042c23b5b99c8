package poller

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
)

// Metrics are those of every feed.
type Metrics struct {
	requests *prometheus.CounterVec
	success  *prometheus.Desc

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
	on.MustRegister(m.requests, m)
	return m
}

func (m *Metrics) follow(p *Poller) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.pollers[p.feed.Name()] = p
}

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(out chan<- *prometheus.Desc) { out <- m.success }

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(out chan<- prometheus.Metric) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.pollers {
		if st := p.State(); !st.LastSuccess.IsZero() {
			out <- prometheus.MustNewConstMetric(m.success, prometheus.GaugeValue, float64(st.LastSuccess.Unix()), st.Feed)
		}
	}
}
