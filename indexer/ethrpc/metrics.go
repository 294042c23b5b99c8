package ethrpc

import (
	"errors"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"superindex/chain"
	"superindex/indexer"
)

// Metrics count what is asked of the endpoints. One is shared by all clients.
type Metrics struct {
	status   *indexer.Status
	requests *prometheus.CounterVec
	duration *prometheus.HistogramVec
}

// NewMetrics registers the metrics. Where the time of a network goes is counted in status.
func NewMetrics(reg prometheus.Registerer, status *indexer.Status) *Metrics {
	m := &Metrics{
		status: status,
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "superindex_rpc_requests_total",
			Help: "Calls made of an endpoint, those of a batch one by one.",
		}, []string{"network", "endpoint", "method", "outcome"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "superindex_rpc_request_duration_seconds",
			Help:    "Time of one HTTP request with its answer, by the last method of its batch.",
			Buckets: prometheus.ExponentialBuckets(0.001, 2, 16),
		}, []string{"network", "endpoint", "method"}),
	}
	reg.MustRegister(m.requests, m.duration)
	return m
}

// observe counts one HTTP request, which took so long, and of that so long to parse:
// err is of all of it, a call's own error of that call. A nil Metrics counts nothing.
func (m *Metrics) observe(o Options, calls []*call, took, parsing time.Duration, err error) {
	if m == nil {
		return
	}
	for _, c := range calls {
		m.requests.WithLabelValues(o.Network, o.Name, c.method, outcome(errors.Join(err, c.err))).Inc()
	}
	last := calls[len(calls)-1].method
	m.duration.WithLabelValues(o.Network, o.Name, last).Observe(took.Seconds())
	spent := m.status.Stages(o.Network)
	spent.Add(indexer.WaitRPC, took-parsing)
	spent.Add(indexer.Parse, parsing)
}

// outcome is the label's value for an error.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case chain.IsFatal(err):
		return "refused"
	case VerdictOf(err).Kind == Limited, VerdictOf(err).Kind == Overloaded:
		return "busy"
	case errors.Is(err, indexer.ErrTooLarge):
		return "too_large"
	case errors.Is(err, indexer.ErrAbsent):
		return "absent"
	case errors.Is(err, indexer.ErrTorn):
		return "torn"
	}
	return "error"
}
