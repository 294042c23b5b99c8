package indexer

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"superindex/reorg"
)

// meters are the metrics that cannot be read off a status: distributions.
type meters struct {
	depth  *prometheus.HistogramVec
	writes *prometheus.HistogramVec
}

func newMeters() meters {
	return meters{
		depth: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "superindex_reorg_depth_blocks",
			Help:    "Blocks that a reorg took back.",
			Buckets: []float64{1, 2, 5, 10, 30, 100, 300, 1_000, 3_000, 10_000, 30_000, 100_000},
		}, []string{"network"}),
		writes: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "superindex_sink_write_duration_seconds",
			Help:    "Time of one write into a sink, failed ones included.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 18),
		}, []string{"sink"}),
	}
}

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
	descHead     = describe("head_block", "Heads by tag; indexed is the last block in the journal.", "network", "tag")
	descTime     = describe("indexed_block_timestamp_seconds", "Time of the last block in the journal.", "network")
	descHeadTime = describe("head_block_timestamp_seconds", "Time of the endpoint's newest block.", "network")
	descEvents   = describe("events_total", "Events taken into the journal since the start.", "network")
	descBlocks   = describe("blocks_total", "Blocks taken into the journal since the start.", "network")
	descReorgs   = describe("reorgs_total", "Reorgs since the start.", "network")
	descStage    = describe("stage_seconds_total", "Time spent, by stage; what runs side by side counts side by side.", "network", "stage")
	descBytes    = describe("journal_bytes", "Bytes of steps that are kept.", "stream")
	descQuota    = describe("journal_quota_bytes", "Bytes of steps that may be kept.", "stream")
	descLag      = describe("sink_lag_steps", "Steps between the journal's head and what the sink holds.", "stream", "sink")
	descStalled  = describe("stalled", "1 when work is waiting and nothing moved for 60 s or ten block times.", "stream", "stage")
	descFault    = describe("fault", "1 while something stands in the way of a part of a stream.", "stream", "part")
)

// Describe implements prometheus.Collector: the collector is unchecked, since its
// labels come and go with the networks.
func (c *Collector) Describe(chan<- *prometheus.Desc) {}

// Collect implements prometheus.Collector.
func (c *Collector) Collect(out chan<- prometheus.Metric) {
	c.status.meters.depth.Collect(out)
	c.status.meters.writes.Collect(out)
	for _, n := range c.status.Report(c.journal) {
		if n.ChainID != 0 {
			network(out, &n)
		}
		stream(out, &n)
	}
}

func gauge(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
}

func counter(out chan<- prometheus.Metric, d *prometheus.Desc, v float64, labels ...string) {
	out <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, v, labels...)
}

func network(out chan<- prometheus.Metric, n *NetworkReport) {
	gauge(out, descHead, float64(n.Latest.Number), n.Network, "latest")
	gauge(out, descHead, float64(n.Safe.Number), n.Network, "safe")
	gauge(out, descHead, float64(n.Final.Number), n.Network, "finalized")
	gauge(out, descHead, float64(n.Indexed.Number), n.Network, "indexed")
	if !n.IndexedTime.IsZero() {
		gauge(out, descTime, float64(n.IndexedTime.Unix()), n.Network)
	}
	if !n.LatestTime.IsZero() {
		gauge(out, descHeadTime, float64(n.LatestTime.Unix()), n.Network)
	}
	counter(out, descEvents, float64(n.Events), n.Network)
	counter(out, descBlocks, float64(n.Blocks), n.Network)
	counter(out, descReorgs, float64(n.Reorgs), n.Network)
	for stage, spent := range n.spent {
		counter(out, descStage, spent.Seconds(), n.Network, Stage(stage).String())
	}
}

func stream(out chan<- prometheus.Metric, n *NetworkReport) {
	for part := range n.Faults {
		gauge(out, descFault, 1, n.Network, part)
	}
	for _, stage := range n.stallStages() {
		stalled := 0.0
		if slices.Contains(n.Stalled, stage) {
			stalled = 1
		}
		gauge(out, descStalled, stalled, n.Network, stage)
	}
	if n.JournalQuota > 0 {
		gauge(out, descBytes, float64(n.JournalBytes), n.Network)
		gauge(out, descQuota, float64(n.JournalQuota), n.Network)
	}
	for _, s := range n.Sinks {
		if s.Seq > 0 {
			gauge(out, descLag, float64(s.Lag), n.Network, s.Name)
		}
	}
}
