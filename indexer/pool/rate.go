package pool

import (
	"math"
	"time"
)

// rate finds how many calls a second an endpoint bears. What went through between
// two refusals, over the time between them, is what it bears, however it counts:
// that rate is taken, and raised from time to time, with every refusal in smaller
// steps and less often. Additive increase and halving, as TCP has it, would use
// three quarters of what is allowed: a provider's limit stands still, so that it can
// be found, and then only be looked at again. It is pure.
type rate struct {
	most   float64   // never above; 0: no bound
	now    float64   // 0: no limit was met
	low    float64   // what was borne before the last raise; 0 where none came since the last refusal
	passed int       // calls since the last refusal
	cut    time.Time // when that was; zero: never
	raised time.Time // when the rate was last changed
	finer  int       // how often the steps were halved
	free   int       // raises since the last refusal

	bore    float64       // calls a second that went through between the last two refusals
	calm    time.Duration // from a refusal to the first raise, at least; 0 while what is borne is not known
	guessed bool          // now is a part of what was tried: nothing had gone well
}

const (
	rateWait    = 2 * time.Second // until the first raise; doubled with the steps halved
	rateStep    = 0.5             // the first raise
	rateFinest  = 7               // the last are by a 250th, after 4 minutes
	rateUsed    = 0.8             // less of the rate was used: that it was borne says nothing
	rateProof   = 5 * time.Second // between two refusals, for what went through to say something
	rateSame    = 0.035           // two such findings are one where they differ by less than this part
	rateStock   = 1.06            // times what is borne: what was borne for longer than a raise came from a stock
	rateCalm    = time.Minute     // calm, at first and at most
	rateCalmest = 8 * time.Minute
	rateLeast   = 0.1 // calls a second
)

// refused: at this rate, of which good calls a second went well of late, one was
// refused. tried is how many a second were made of late: where none of them went well,
// half of that is where the search begins.
func (r *rate) refused(now time.Time, good, tried float64) {
	bears, since := good, now.Sub(r.cut)
	proven := !r.cut.IsZero() && since >= rateProof
	if proven {
		bears, r.guessed = float64(r.passed)/since.Seconds(), false
		r.agree(bears)
	}
	switch {
	case r.now == 0 && bears == 0:
		r.now, r.guessed = max(tried/2, rateLeast), true
	case r.now == 0:
		r.now = bears
	case r.guessed:
		r.now = max(bears, r.now/2)
		r.guessed = r.now > bears
	default:
		r.now = r.lowered(bears, proven)
		r.finer = min(r.finer+1, rateFinest)
	}
	r.now = max(r.now, r.least()) // 0 would be no limit
	r.cut, r.raised, r.passed, r.free, r.low = now, now, 0, 0, 0
}

// least is the lowest rate that is tried.
func (r *rate) least() float64 {
	if r.most > 0 {
		return min(r.most, rateLeast)
	}
	return rateLeast
}

// lowered is the rate after a refusal. An endpoint that lets calls through from a
// stock bears more than it will for as long as that lasts. One that refuses again and
// again, whatever the rate is, proves nothing by that.
func (r *rate) lowered(bears float64, proven bool) float64 {
	switch {
	case r.calm == 0 || !proven:
		bears = max(bears, r.low, 0.7*r.now)
	case r.low <= rateStock*bears:
		bears = max(bears, r.low)
	}
	return min(bears, 0.985*r.now)
}

// agree: what was borne between two refusals is known when it is the same twice.
func (r *rate) agree(bears float64) {
	if math.Abs(bears-r.bore) < rateSame*bears {
		r.calm = min(max(2*r.calm, rateCalm), rateCalmest)
	} else {
		r.calm = 0
	}
	r.bore = bears
}

// borne: so many calls went well, as good calls a second did of late.
func (r *rate) borne(now time.Time, calls int, good float64) {
	r.passed += calls
	wait := rateWait << r.finer
	if r.free == 0 {
		wait = max(wait, r.calm)
	}
	if r.now == 0 || now.Sub(r.raised) < wait || good < rateUsed*r.now {
		return
	}
	r.low = r.now
	r.now *= 1 + rateStep/float64(int(1)<<r.finer)
	if r.most > 0 {
		r.now = min(r.now, r.most)
	}
	r.raised = now
	if r.free++; r.free > 2 { // the limit is elsewhere
		r.finer = max(r.finer-1, 0)
	}
}

// meter counts the calls of the last seconds. It is pure.
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
