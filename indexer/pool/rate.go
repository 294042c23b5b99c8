package pool

import "time"

// rate finds how many calls a second an endpoint bears. low was borne, high was
// refused; between them it bisects. Additive increase and halving, as TCP has it,
// would use three quarters of what is allowed: a provider's limit stands still, so
// that it can be found, and then only be looked at again from time to time. It is
// pure.
type rate struct {
	most      float64 // never above; 0: no bound
	now       float64 // 0: no limit was met
	low, high float64 // 0: not known
	since     time.Time
	hold      time.Duration // how long to stay where low and high have met
}

const (
	rateTrial  = 4 * time.Second  // a rate that was used for so long without a refusal is borne
	rateHold   = 30 * time.Second // until a limit that was found is tried again, at first
	rateHolds  = 10 * time.Minute // and in the end
	rateClose  = 0.03             // low and high have met
	rateSlower = 0.92             // what is left of a rate that was borne and is refused
	rateUsed   = 0.8              // less of the rate was used: that it was borne says nothing
)

// refused: at this rate, of which good calls a second went well, one was refused.
func (r *rate) refused(now time.Time, good float64) {
	if r.now == 0 {
		r.now, r.low = max(good, 1), max(good, 1)/2
	}
	r.high = r.now
	if r.low >= r.high {
		r.low = r.high * rateSlower * rateSlower
		r.now = r.high * rateSlower
	} else {
		r.now = (r.low + r.high) / 2
	}
	r.since = now
}

// borne: a request went well, and good calls a second did of late.
func (r *rate) borne(now time.Time, good float64) {
	if r.now == 0 || now.Sub(r.since) < rateTrial || good < rateUsed*r.now {
		return
	}
	r.low = r.now
	switch {
	case r.high == 0: // a limit that was only set, or one that is tried again
		r.now *= 1.05
	case r.high > r.low*(1+rateClose):
		r.now = (r.low + r.high) / 2
	case now.Sub(r.since) < max(r.hold, rateHold):
		return
	default:
		r.hold = min(2*max(r.hold, rateHold), rateHolds)
		r.now, r.high = r.high, 0
	}
	r.since = now
	if r.most > 0 {
		r.now = min(r.now, r.most)
	}
}

// meter counts the calls of the last seconds.
type meter struct {
	seconds [meterSeconds]struct {
		at    int64 // since the epoch
		calls int
	}
	first time.Time
}

const meterSeconds = 5

func (m *meter) add(now time.Time, calls int) {
	if m.first.IsZero() {
		m.first = now
	}
	at := now.Unix()
	s := &m.seconds[at%meterSeconds]
	if s.at != at {
		s.at, s.calls = at, 0
	}
	s.calls += calls
}

// rate is calls a second over the window, or since the first.
func (m *meter) rate(now time.Time) float64 {
	calls := 0
	for _, s := range m.seconds {
		if now.Unix()-s.at < meterSeconds {
			calls += s.calls
		}
	}
	span := float64(meterSeconds-1) + float64(now.Nanosecond())/1e9
	return float64(calls) / max(1, min(span, now.Sub(m.first).Seconds()))
}
