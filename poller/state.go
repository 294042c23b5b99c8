package poller

import "time"

// State is a feed at one instant, for the status page.
type State struct {
	Feed        string    `json:"feed"`
	Note        string    `json:"note,omitempty"` // what users should know of how it runs here, or why it does not
	Resources   int       `json:"resources"`      // that are followed
	Due         int       `json:"due"`            // of them, now
	Failing     int       `json:"failing"`        // of them, whose last try failed
	Example     string    `json:"example,omitempty"`
	Next        time.Time `json:"next,omitzero"`         // when something is due
	LastSuccess time.Time `json:"last_success,omitzero"` // since the start
	Rows        uint64    `json:"rows"`                  // brought since the start
	Asks        uint64    `json:"asks"`                  // answered since the start
	RestsUntil  time.Time `json:"rests_until,omitzero"`  // zero unless it rests
	Fault       string    `json:"fault,omitempty"`
}

// State is where the feed is.
func (p *Poller) State() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	st, now := p.state, time.Now()
	for _, r := range p.all {
		if !followed(p.all, p.named, r) {
			continue
		}
		st.Resources++
		if r.Fault != "" {
			st.Failing++
			st.Example = r.ID + ": " + r.Fault
		}
		switch {
		case !r.Due.After(now):
			st.Due++
		case st.Next.IsZero() || r.Due.Before(st.Next):
			st.Next = r.Due
		}
	}
	if p.rest.Until.After(now) {
		st.RestsUntil, st.Fault = p.rest.Until, p.rest.Reason
	}
	return st
}

// fault takes down what stands in the way of the whole feed; nil when nothing does.
func (p *Poller) fault(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.Fault = ""
	if err != nil {
		p.state.Fault = err.Error()
	}
}

// succeeded takes down an answer that was committed. The source does not limit now.
func (p *Poller) succeeded(at time.Time, rows int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.state.LastSuccess = at
	p.state.Rows += uint64(rows)
	p.state.Asks++
	if !p.rest.Until.After(at) {
		p.rest = rest{}
	}
}
