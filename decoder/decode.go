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
	var a attempt // field by field: a literal would be copied, before its stores have settled
	a.log, a.start, a.data, a.out = &e.Log, len(buf), e.Data, buf
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
		e.Decoding, e.Name, e.Signature, e.Args = chain.Raw, "", "", nil
		return a.out, a.reason()
	}
	e.Decoding, e.Name, e.Signature = chain.Decoded, a.best.name, a.best.signature
	if a.fits > 1 {
		e.Decoding = chain.Ambiguous
	}
	e.Args = a.out[a.start:len(a.out):len(a.out)]
	return a.out, Fits
}

// attempt is one log's way through the layouts. Between two tries out holds what
// was there before, and behind start the arguments under best.
type attempt struct {
	reader
	log    *chain.Log
	start  int
	best   *Layout
	strict bool // best fits exactly
	fits   int  // how many fit as well as best
	why    Reason
}

// named tries the layouts of s that have the log's topic0.
func (a *attempt) named(s *set) {
	topics := a.log.Topics
	if len(topics) == 0 || len(topics) > 4 {
		return
	}
	known := s.find(&topics[0])
	if known == nil {
		return
	}
	a.fail(TopicCount)
	for _, l := range known.layouts[len(topics)-1] {
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
	if !a.strict {
		a.best, a.out = nil, a.out[:a.start]
	}
}

// try reads the log under l and keeps what it gives if it is the better fit.
func (a *attempt) try(l *Layout, topics []chain.Hash) {
	kept := len(a.out)
	a.left, a.reach, a.exact = aliasing*len(a.data), 0, true
	why := a.event(l, topics)
	switch {
	case why != Fits:
		a.fail(why)
	case a.best == nil || a.exact && !a.strict:
		a.best, a.strict, a.fits = l, a.exact, 1
		if kept > a.start {
			a.out = append(a.out[:a.start], a.out[kept:]...)
		}
		return
	case a.exact == a.strict:
		a.fits++
	}
	a.out = a.out[:kept]
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
