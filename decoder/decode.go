package decoder

import "superindex/chain"

// Decode finds the layout of e.Log and sets the other fields of e, all of them
// whatever was there. It appends the arguments to buf and returns the longer buf;
// e.Args is that part of it, so neither may be written to while the event lives.
//
// It reads each byte of the log a bounded number of times for each layout that
// the topic0 has, appends at most that much (six bytes for one, and the names),
// keeps nothing and allocates only to grow buf. The Reason is Fits unless the
// event is raw.
func (t *Table) Decode(e *chain.Event, buf []byte) ([]byte, Reason) {
	e.Decoding, e.Name, e.Signature, e.Args = chain.Raw, "", "", nil
	a := attempt{log: &e.Log, start: len(buf), buf: buf}
	own := t.addresses[e.Address]
	if own != nil {
		a.named(own)
	}
	if a.best == nil {
		a.named(&t.general)
	}
	if own != nil && a.best == nil {
		a.anonymous(own.anonymous)
	}
	if a.best == nil {
		return a.buf, a.reason()
	}
	e.Decoding, e.Name, e.Signature = chain.Decoded, a.best.name, a.best.signature
	if a.fits > 1 {
		e.Decoding = chain.Ambiguous
	}
	e.Args = a.buf[a.start:len(a.buf):len(a.buf)]
	return a.buf, Fits
}

// attempt is one log's way through the layouts. Between two tries buf holds what
// was there before, and behind start the arguments under best.
type attempt struct {
	log   *chain.Log
	start int
	buf   []byte
	best  *Layout
	exact bool // best fits exactly
	fits  int  // how many fit as well as best
	why   Reason
}

// named tries the layouts of s that have the log's topic0.
func (a *attempt) named(s *set) {
	topics := a.log.Topics
	if len(topics) == 0 || len(topics) > 4 {
		return
	}
	known := s.named[topics[0]]
	if known == nil {
		return
	}
	a.fail(TopicCount)
	for _, l := range known[len(topics)-1] {
		a.try(l, topics[1:])
	}
}

// anonymous tries layouts that no topic0 vouches for; only an exact fit counts.
func (a *attempt) anonymous(layouts []*Layout) {
	for _, l := range layouts {
		if l.topics == len(a.log.Topics) {
			a.try(l, a.log.Topics)
		}
	}
	if !a.exact {
		a.best, a.buf = nil, a.buf[:a.start]
	}
}

// try reads the log under l and keeps what it gives if it is the better fit.
func (a *attempt) try(l *Layout, topics []chain.Hash) {
	kept := len(a.buf)
	r := reader{data: a.log.Data, out: a.buf, left: aliasing * len(a.log.Data), exact: true}
	why := r.event(l, topics)
	a.buf = r.out
	switch {
	case why != Fits:
		a.fail(why)
	case a.best == nil || r.exact && !a.exact:
		a.best, a.exact, a.fits = l, r.exact, 1
		if kept > a.start {
			a.buf = append(a.buf[:a.start], a.buf[kept:]...)
		}
		return
	case r.exact == a.exact:
		a.fits++
	}
	a.buf = a.buf[:kept]
}

// fail keeps the reason of the first layout that was tried.
func (a *attempt) fail(why Reason) {
	if a.why == Fits || a.why == TopicCount {
		a.why = why
	}
}

// reason is why nothing fits.
func (a *attempt) reason() Reason {
	switch {
	case a.why != Fits:
		return a.why
	case len(a.log.Topics) == 0:
		return NoTopic
	}
	return Unknown
}
