package ethrpc

// mold is what logs of one form have in common: three parts around their topics and
// their data, whose lengths differ. A part is compared in stripes of 32 bytes, with
// four texts that lie one behind the other, part by part; behind the end of a part
// they are 0.
type mold struct {
	text   [moldBytes]byte // the parts of the last log that fitted, as far as they count
	fixed  [moldBytes]byte // 0xff where any log that fits has the same
	digits [moldBytes]byte // 0xff where it has a hex digit, of either case
	block  [moldBytes]byte // 0xff where these are of a member that all logs of a block share

	parts   [3]part
	between [2]member     // topics and data, or data and topics
	holes   [removed]hole // by member
	like    log           // with what stands outside of the holes, and the last block's members
}

// part is a run of bytes that is as long in each log; it has no stripes where nothing
// is known.
type part struct {
	size    int
	from    int // its first byte in the mold's texts
	stripes int
}

// hole is where the digits of a member stand in a part; it has none where each log has
// the same, or none.
type hole struct{ part, at, digits int }

// moldBytes are enough for the logs of known nodes, which have 300 bytes beside
// their topics and data.
const moldBytes = 20 * stripeBytes

const stripeBytes = 32

// read reads the log that b begins with, if it fits, and returns its length; else 0,
// and then l may hold anything.
func (m *mold) read(l *log, b []byte) (size int) {
	var f fit
	if len(b) == 0 || !m.fits(&f, b) {
		return 0
	}
	if !f.sameBlock {
		m.open(&f, b)
	}
	*l = m.like
	if from, to := m.digitsOf(address, &f); from < to {
		unhex(l.Address[:], b[from:to])
	}
	if from, to := m.digitsOf(transactionHash, &f); from < to {
		l.txHash = value{from: int32(from - len("0x")), to: int32(to), kind: '"'}
	}
	if from, to := m.digitsOf(transactionIndex, &f); from < to {
		l.TxIndex.n = numeral(b, from, to)
	}
	if from, to := m.digitsOf(logIndex, &f); from < to {
		l.Index.n = numeral(b, from, to)
	}
	l.count, l.first, l.data = f.count, f.topics, value{from: int32(f.from), to: int32(f.to), kind: '"'}
	return f.size
}

// digitsOf is where the digits of a member stand; from is to where it has no hole.
func (m *mold) digitsOf(w member, f *fit) (from, to int) {
	h := &m.holes[w]
	from = f.parts[h.part] + h.at
	return from, from + h.digits
}

// open takes down what all logs of a block share, from the first one of it that fits.
func (m *mold) open(f *fit, b []byte) {
	for _, w := range []member{blockNumber, blockHash, blockTimestamp} {
		from, to := m.digitsOf(w, f)
		if from == to {
			continue
		}
		switch w {
		case blockNumber:
			m.like.BlockNumber.n = numeral(b, from, to)
		case blockHash:
			unhex(m.like.BlockHash[:], b[from:to])
		case blockTimestamp:
			m.like.Timestamp.n = numeral(b, from, to)
		}
		h := &m.holes[w]
		copy(m.text[m.parts[h.part].from+h.at:], b[from:to])
	}
}

// cast makes the mold of a log and its text, with all its members; false if none can
// be made.
func (m *mold) cast(l *log, text []byte, all []written) bool {
	m.like = *l
	m.like.topics, m.like.count, m.like.data, m.like.txHash = [maxTopics]value{}, 0, value{}, value{}
	had, n, from := 0, 0, 0 // the members, the parts that are closed, the start of the next
	for _, w := range all {
		if w.member != other && had&(1<<w.member) != 0 {
			return false // one of the two counts
		}
		had |= 1 << w.member
		switch digits := w.digits(text[w.from:w.to]); {
		case w.member == topics, w.member == data:
			if !m.close(n, text[from:w.from]) {
				return false
			}
			m.between[n] = w.member
			n, from = n+1, w.to
		case digits > 0:
			m.holes[w.member] = hole{n, w.from + len(`"0x`) - from, digits}
		case w.member == address, w.member == blockHash, w.member == transactionHash:
			return false
		}
	}
	return n == len(m.between) && m.close(n, text[from:])
}

// digits is how many hex digits the text of a value has; 0 where it is not a text
// that holds as many as there may be.
func (m member) digits(text []byte) int {
	n, least, most := len(text)-len(`"0x"`), 1, 16
	switch m {
	case address:
		least, most = 40, 40
	case blockHash, transactionHash:
		least, most = 64, 64
	case blockNumber, transactionIndex, blockTimestamp, logIndex:
	default:
		return 0
	}
	if n < least || n > most || text[0] != '"' || text[1] != '0' || text[2] != 'x' {
		return 0
	}
	return n
}

// close makes text part n, with the holes that were found in it.
func (m *mold) close(n int, text []byte) bool {
	p := part{size: len(text), stripes: (len(text) + stripeBytes - 1) / stripeBytes}
	if n > 0 {
		before := m.parts[n-1]
		p.from = before.from + before.stripes*stripeBytes
	}
	if p.from+p.stripes*stripeBytes > moldBytes {
		return false
	}
	m.parts[n] = p
	copy(m.text[p.from:], text)
	fill(m.fixed[p.from:][:len(text)], 0xff)
	for w, h := range m.holes {
		if h.part != n {
			continue
		}
		from, to := p.from+h.at, p.from+h.at+h.digits
		clear(m.fixed[from:to])
		fill(m.digits[from:to], 0xff)
		if member(w).shared() {
			fill(m.block[from:to], 0xff)
		}
	}
	return true
}

func fill(b []byte, with byte) {
	for i := range b {
		b[i] = with
	}
}
