package indexer

import (
	"github.com/prometheus/client_golang/prometheus"

	"superindex/reorg"
)

// Collector shows the status and the journal to Prometheus. It holds nothing of
// its own: what a scrape says is what the status says at that moment.
type Collector struct {
	status  *Status
	journal *reorg.Journal
}

// NewCollector is to be registered once.
func NewCollector(status *Status, journal *reorg.Journal) *Collector {
	return &Collector{status, journal}
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("superindex_"+name, help, labels, nil)
}

var (
	descHead      = describe("head_block", "Heads by tag; indexed is the last block in the journal.", "network", "tag")
	descTime      = describe("indexed_block_timestamp_seconds", "Time of the last block in the journal.", "network")
	descEvents    = describe("events_total", "Events taken into the journal since the start.", "network")
	descBlocks    = describe("blocks_total", "Blocks taken into the journal since the start.", "network")
	descReorgs    = describe("reorgs_total", "Reorgs since the start.", "network")
	descStage     = describe("stage_seconds_total", "Time spent, by stage; what runs side by side counts side by side.", "network", "stage")
	descBytes     = describe("journal_bytes", "Bytes of steps that are kept.", "stream")
	descQuota     = describe("journal_quota_bytes", "Bytes of steps that may be kept.", "stream")
	descLag       = describe("sink_lag_steps", "Steps between the journal's head and what the sink holds.", "stream", "sink")
	descWrites    = describe("sink_writes_total", "Writes into the sink since the start, by outcome.", "stream", "sink", "outcome")
	descWriteTime = describe("sink_write_seconds_total", "Time spent writing into the sink.", "stream", "sink")
	descFault     = describe("fault", "1 while something stands in the way of a part of a network.", "network", "part")
)

// Describe implements prometheus.Collector: the collector is unchecked, since its
// labels come and go with the networks.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	for _, n := range c.status.Snapshot() {
		if n.ChainID != 0 {
			c.network(out, n)
		}
		c.stream(out, n)
	}
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func (c *Collector) network(out chan<- prometheus.Metric, n NetworkStatus) {
	gauge(out, descHead, float64(n.Latest.Number), n.Network, "latest")
	gauge(out, descHead, float64(n.Safe.Number), n.Network, "safe")
	gauge(out, descHead, float64(n.Final.Number), n.Network, "finalized")
	gauge(out, descHead, float64(n.Indexed.Number), n.Network, "indexed")
	if !n.IndexedTime.IsZero() {
		gauge(out, descTime, float64(n.IndexedTime.Unix()), n.Network)
	}
	counter(out, descEvents, float64(n.Events), n.Network)
	counter(out, descBlocks, float64(n.Blocks), n.Network)
	counter(out, descReorgs, float64(n.Reorgs), n.Network)
	for stage, spent := range n.spent {
		counter(out, descStage, spent.Seconds(), n.Network, Stage(stage).String())
	}
}

func (c *Collector) stream(out chan<- prometheus.Metric, n NetworkStatus) {
	for part := range n.Faults {
		gauge(out, descFault, 1, n.Network, part)
	}
	st, err := c.journal.Stat(n.Network)
	if err == nil {
		gauge(out, descBytes, float64(st.Bytes), n.Network)
		gauge(out, descQuota, float64(st.Quota), n.Network)
	}
	for _, s := range n.Sinks {
		if err == nil && s.Seq > 0 && st.Head >= s.Seq {
			gauge(out, descLag, float64(st.Head-s.Seq), n.Network, s.Name)
		}
		counter(out, descWrites, float64(s.Writes-s.Failed), n.Network, s.Name, "ok")
		counter(out, descWrites, float64(s.Failed), n.Network, s.Name, "failed")
		counter(out, descWriteTime, s.Seconds, n.Network, s.Name)
	}
}
