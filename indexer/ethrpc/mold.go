package ethrpc

// mold is what logs of one form have in common: three parts around their topics and
// their data, whose lengths differ.
type mold struct {
	parts   [3]part
	between [2]member // topics and data, or data and topics
	holes   [moldHoles]hole
	count   int // of the holes
	stripes [moldStripes]stripe
	like    log // with what stands outside of the holes
}

// part is a run of bytes that is as long in each log; its size is 0 where nothing is
// known.
type part struct {
	size     int
	from, to int // its stripes
}

// hole is where the digits of a member stand in a part.
type hole struct {
	member
	part, at, digits int
}

// moldHoles are enough for the members of a log, each of which has one at most.
const moldHoles = 8

// moldStripes are enough for the logs of known nodes, which have 300 bytes beside
// their topics and data.
const moldStripes = 20

// stripe is some bytes of a mold: as in text where fixed is 0xff, a hex digit where
// digits is 0xff. Behind the end of a part both are 0.
type stripe struct{ text, fixed, digits [stripeBytes]byte }

const stripeBytes = 32

// read reads the log that b begins with, if it fits, and returns its length; else 0,
// and then l may hold anything.
func (m *mold) read(l *log, b []byte, block *repeated) (size int) {
	var starts [len(m.parts)]int
	*l = m.like
	at := 0
	for i := range m.parts {
		p := &m.parts[i]
		stripes := p.to - p.from
		if p.size == 0 || len(b)-at < stripes*stripeBytes || !alike(&b[at], &m.stripes[p.from], stripes) {
			return 0
		}
		starts[i] = at
		at += p.size
		if i == len(m.between) {
			break
		}
		if at = l.between(m.between[i], b, at); at == 0 {
			return 0
		}
	}
	for i := range m.count {
		h := &m.holes[i]
		from := starts[h.part] + h.at
		l.take(h.member, b, from, from+h.digits, block)
	}
	return at
}

// between takes down the topics or the data at b[at:] and returns where they end; 0
// if they are not as known nodes write them.
func (l *log) between(m member, b []byte, at int) (end int) {
	if m == topics {
		return l.hexTopics(b, at)
	}
	if len(b)-at < len(`"0x"`) || b[at] != '"' || b[at+1] != '0' || b[at+2] != 'x' {
		return 0
	}
	end = at + 3 + hexRun(b[at+3:])
	if end == len(b) || b[end] != '"' {
		return 0
	}
	l.data = value{from: int32(at + 1), to: int32(end), kind: '"'}
	return end + 1
}

// hexTopics is between for the topics.
func (l *log) hexTopics(b []byte, at int) (end int) {
	const digits, size = 64, len(`"0x`) + 64 + len(`"`)
	if at == len(b) || b[at] != '[' {
		return 0
	}
	for at++; len(b)-at > size && b[at] == '"' && l.count < maxTopics; at++ {
		text := b[at : at+size]
		if text[1] != '0' || text[2] != 'x' || text[size-1] != '"' || hexRun(text[3:3+digits]) != digits {
			return 0
		}
		l.topic(value{from: int32(at + 1), to: int32(at + size - 1), kind: '"'})
		if at += size; b[at] != ',' {
			break
		}
	}
	if at == len(b) || b[at] != ']' || b[at-1] == ',' {
		return 0
	}
	return at + 1
}

// take reads the member whose digits are b[from:to].
func (l *log) take(m member, b []byte, from, to int, block *repeated) {
	switch m {
	case address:
		unhex(l.Address[:], b[from:to])
	case blockNumber:
		l.BlockNumber.n = numeral(b, from, to)
	case transactionHash:
		l.txHash = value{from: int32(from - len("0x")), to: int32(to), kind: '"'}
	case transactionIndex:
		l.TxIndex.n = numeral(b, from, to)
	case blockHash:
		block.read(&l.BlockHash, b[from:to])
	case blockTimestamp:
		l.Timestamp.n = numeral(b, from, to)
	case logIndex:
		l.Index.n = numeral(b, from, to)
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
			m.holes[m.count] = hole{w.member, n, w.from + len(`"0x`) - from, digits}
			m.count++
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
	p := part{size: len(text)}
	if n > 0 {
		p.from = m.parts[n-1].to
	}
	if p.to = p.from + (len(text)+stripeBytes-1)/stripeBytes; p.to > moldStripes {
		return false
	}
	m.parts[n] = p
	stripes := m.stripes[p.from:p.to]
	for i, b := range text {
		s, i := &stripes[i/stripeBytes], i%stripeBytes
		s.text[i], s.fixed[i] = b, 0xff
	}
	for _, h := range m.holes[:m.count] {
		for i := h.at; h.part == n && i < h.at+h.digits; i++ {
			s, i := &stripes[i/stripeBytes], i%stripeBytes
			s.fixed[i], s.digits[i] = 0, 0xff
		}
	}
	return true
}
