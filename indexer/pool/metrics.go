package pool

import "github.com/prometheus/client_golang/prometheus"

// Collector shows to Prometheus which endpoints are up. It is safe for concurrent use.
type Collector struct{ pools func() map[string]*Pool }

// NewCollector shows the networks' pools, and is to be registered once. pools is asked
// at each scrape; nobody changes what it returns.
func NewCollector(pools func() map[string]*Pool) *Collector { return &Collector{pools} }

var descUp = prometheus.NewDesc("superindex_rpc_endpoint_up", "1 while an endpoint answers as it should.", []string{"network", "endpoint"}, nil)

// Describe implements prometheus.Collector.
func (c *Collector) Describe(out chan<- *prometheus.Desc) { out <- descUp }

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	for network, p := range c.pools() {
		for _, e := range p.Endpoints() {
			up := 0.0
			if e.Up {
				up = 1
			}
			out <- prometheus.MustNewConstMetric(descUp, prometheus.GaugeValue, up, network, e.Name)
		}
	}
}
