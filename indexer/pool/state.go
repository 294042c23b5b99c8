package pool

import (
	"time"

	"superindex/indexer"
)

// State is one endpoint at one instant.
type State struct {
	Name     string        `json:"name"`
	Up       bool          `json:"up"`
	Reason   string        `json:"reason,omitempty"` // why it is out, disputed or slowed down; empty when all is well
	Leads    bool          `json:"leads"`
	Heads    indexer.Heads `json:"heads,omitzero"` // as it showed them last; zero: it never did
	Seen     time.Time     `json:"seen,omitzero"`  // when that was
	Cap      uint64        `json:"block_cap"`
	Rate     float64       `json:"rate"` // calls a second that are let through; 0: it was never refused for its rate
	Requests uint64        `json:"requests"`
	Failed   uint64        `json:"failed"`
	P50      time.Duration `json:"latency_p50_ns"` // of the last 128 requests
	P99      time.Duration `json:"latency_p99_ns"`
}

// Endpoints is what is known of every endpoint, in the config's order.
func (p *Pool) Endpoints() []State {
	lead, now := p.leader(), time.Now()
	all := make([]State, len(p.all))
	for i, m := range p.all {
		all[i] = m.state(now)
		all[i].Leads = m == lead
	}
	return all
}

func (m *member) state(now time.Time) State {
	s := State{Name: m.Name, P50: m.Gate.latency(0.5), P99: m.Gate.latency(0.99)}
	s.Requests, s.Failed, s.Rate = m.Gate.counts()
	wait := m.Gate.shutFor(now)
	s.Cap = m.span.cap()
	m.mu.Lock()
	defer m.mu.Unlock()
	s.Heads, s.Seen, s.Up = m.heads, m.seen, m.err == nil
	switch {
	case m.err != nil:
		s.Reason = m.err.Error()
	case m.dispute != nil:
		s.Reason = m.dispute.err.Error()
	case wait > 0:
		s.Reason = (&ShutError{wait}).Error()
	}
	return s
}

var _ indexer.Source = (*Pool)(nil)
