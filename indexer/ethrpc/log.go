package ethrpc

import (
	"errors"
	"fmt"

	"superindex/chain"
	"superindex/indexer"
)

// log is a log as the node writes it. What only watched logs need is not read yet,
// but known to be JSON.
type log struct {
	Address     chain.Address
	BlockNumber quantity
	BlockHash   chain.Hash
	Timestamp   quantity // newer nodes only
	TxIndex     quantity
	Index       quantity
	Removed     bool
	had         uint16 // a bit for each member that is there

	txHash value
	topics [maxTopics]value
	count  int // of topics
	data   value

	// Of a log that fitted a mold: where its first topic's quote is, the others being
	// topicBytes apart. Then topics are not set, and there are nothing but digits in what
	// is not read yet. 0: it was read as it stands.
	first int
}

// maxTopics is how many the EVM allows.
const maxTopics = 4

func (l *log) ref() chain.BlockRef { return chain.BlockRef{Number: l.BlockNumber.n, Hash: l.BlockHash} }

// read reads the log that is next. Until the cursor moves on, what is not read yet
// can be.
func (l *log) read(c *cursor, s *shape) {
	c.mark = c.at
	size := s.read(l, c.buf[c.at:])
	if size == 0 && len(c.buf)-c.at < mostOften && c.fill() { // it may not have been all there
		size = s.read(l, c.buf[c.at:])
	}
	if size > 0 {
		c.at += size
		return
	}
	*l = log{}
	s.count = 0
	c.enter('{')
	for first := true; ; first = false {
		key := c.key(first)
		if key == nil {
			break
		}
		m := named(key)
		l.has(m, c.peek())
		from := c.at - c.mark
		l.member(c, m)
		s.took(m, from, c.at-c.mark)
	}
	if c.err == nil {
		s.learn(l, c.buf[c.mark:c.at])
	}
}

// has takes down whether a member is there, by its value's first byte. Null is as good
// as none, but for topics and data, which nodes write so where they are empty.
func (l *log) has(m member, first byte) {
	l.had |= 1 << m
	if first == 'n' && m != topics && m != data {
		l.had &^= 1 << m
	}
}

// mostOften is more than nearly all logs have, in bytes as the node writes them.
const mostOften = 4 << 10

// member reads the value of one member.
func (l *log) member(c *cursor, m member) {
	switch m {
	case address:
		c.readFixed(l.Address[:], "address")
	case topics:
		l.readTopics(c)
	case data:
		l.data = c.value()
	case blockNumber:
		l.BlockNumber = c.readQuantity("blockNumber")
	case transactionHash:
		l.txHash = c.value()
	case transactionIndex:
		l.TxIndex = c.readQuantity("transactionIndex")
	case blockHash:
		c.readFixed(l.BlockHash[:], "blockHash")
	case blockTimestamp:
		l.Timestamp = c.readQuantity("blockTimestamp")
	case logIndex:
		l.Index = c.readQuantity("logIndex")
	case removed:
		l.Removed = c.readBoolean("removed")
	default:
		c.value()
	}
}

// readTopics takes down where the topics stand.
func (l *log) readTopics(c *cursor) {
	l.count = 0
	if c.peek() == 'n' {
		c.value()
		return
	}
	c.enter('[')
	if c.at < len(c.buf) && c.buf[c.at] == '"' { // as known nodes write them
		for l.topic(c.text()); c.at+1 < len(c.buf) && c.buf[c.at] == ',' && c.buf[c.at+1] == '"'; {
			c.at++
			l.topic(c.text())
		}
	}
	for first := l.count == 0; c.next(first); first = false {
		l.topic(c.value())
	}
}

func (l *log) topic(v value) {
	if l.count < maxTopics {
		l.topics[l.count] = v
	}
	l.count++
}

// neededOfLogs are members without which a watched log would go unseen, or in wrong.
const neededOfLogs = 1<<address | 1<<topics | 1<<data | 1<<transactionHash

func (l *log) check() error {
	if l.had&neededOfLogs != neededOfLogs {
		return errors.New("log without address, topics, data or transactionHash")
	}
	if !l.BlockNumber.ok || !l.Index.ok || !l.TxIndex.ok || l.BlockHash == (chain.Hash{}) {
		return errors.New("log without block, transaction or index")
	}
	if l.Index.n > 1<<31 || l.TxIndex.n > 1<<31 {
		return errors.New("log with an index above 2^31")
	}
	return nil
}

// arena is where an answer's watched logs are put.
type arena struct {
	*indexer.Memory
	shape shape // of the last logs
}

// newArena puts them into memory, or where that is nil into new one.
func newArena(memory *indexer.Memory) *arena {
	if memory == nil {
		memory = new(indexer.Memory)
	}
	return &arena{Memory: memory}
}

// fill reads what l has left unread into dst.
func (a *arena) fill(dst *chain.Log, c *cursor, l *log) error {
	if l.count > maxTopics {
		return fmt.Errorf("topics: more than %d", maxTopics)
	}
	dst.Topics = a.Topics(l.count)
	if l.first > 0 {
		return a.unhex(dst, c, l)
	}
	c.fixed(dst.TxHash[:], l.txHash, "transactionHash")
	for i := range dst.Topics {
		if !l.topics[i].isText() {
			return fmt.Errorf("topics: %w", errHex)
		}
		c.fixed(dst.Topics[i][:], l.topics[i], "topics")
	}
	dst.Data = a.hex(c, l.data)
	return c.err
}

// unhex is fill for a log that fitted a mold: all its digits are read in one go.
func (a *arena) unhex(dst *chain.Log, c *cursor, l *log) error {
	b := c.buf[c.mark:]
	var room [1 + maxTopics + 2]run // the hash, topics, the data and its end
	runs := room[:0]
	runs = appendRuns(runs, dst.TxHash[:], b[l.txHash.from+2:l.txHash.to])
	for i := range dst.Topics {
		runs = appendRuns(runs, dst.Topics[i][:], b[l.first+i*topicBytes+len(`"0x`):])
	}
	digits := b[l.data.from+2 : l.data.to]
	if len(digits)%2 != 0 {
		a.hex(c, l.data) // says so
		return c.err
	}
	if n := len(digits) / 2; n > 0 {
		dst.Data = a.Bytes(n)
	}
	if len(dst.Data) < runBytes {
		unhexWords(dst.Data, digits)
	} else {
		runs = appendRuns(runs, dst.Data, digits)
	}
	unhexRuns(runs)
	return nil
}

// hex reads 0x text. Null and "0x" are no bytes.
func (a *arena) hex(c *cursor, v value) []byte {
	if c.err != nil || v.kind == 'n' {
		return nil
	}
	text := c.clear(v)
	if !v.isText() || len(text) > 0 && !prefixed(text) || len(text)%2 != 0 {
		c.fail(fmt.Errorf("data: %w: %.24q", errHex, c.bytes(v)))
		return nil
	}
	if len(text) <= 2 {
		return nil
	}
	data := a.Bytes(len(text)/2 - 1)
	if !unhex(data, text[2:]) {
		c.fail(fmt.Errorf("data: %w: %.70q", errHex, text))
	}
	return data
}
