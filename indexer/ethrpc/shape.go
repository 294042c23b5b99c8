package ethrpc

import "encoding/binary"

// member is a member of a log.
type member uint8

const (
	none  member = iota // there is no further one
	other               // one that is not read
	address
	topics
	data
	blockNumber
	transactionHash
	transactionIndex
	blockHash
	blockTimestamp
	logIndex
	removed
)

// named finds a log's member.
func named(key []byte) member {
	switch string(key) {
	case "address":
		return address
	case "topics":
		return topics
	case "data":
		return data
	case "blockNumber":
		return blockNumber
	case "transactionHash":
		return transactionHash
	case "transactionIndex":
		return transactionIndex
	case "blockHash":
		return blockHash
	case "blockTimestamp":
		return blockTimestamp
	case "logIndex":
		return logIndex
	case "removed":
		return removed
	}
	return other
}

// shape is how the last log was written: its members in order, each with all that
// stood between the value before and its own. A node writes every log alike, so
// that one comparison a member finds what comes next; where it does not, the
// member is read as it stands, and learned.
type shape struct {
	members [12]written // a log has 10 or 11; more are not remembered
	block   repeated
}

// written is a member and the text before its value, in words of eight bytes.
type written struct {
	member
	size int // of the text; 0 where it is not known
	text [shapeWords]uint64
	mask [shapeWords]uint64 // of what of the words is the text
}

// shapeWords hold the longest name with its quotes, comma and colon.
const shapeWords = 3

// is reports whether b begins with the text.
func (w *written) is(b []byte) bool {
	if w.size == 0 || len(b) < 8*shapeWords {
		return false
	}
	return (binary.LittleEndian.Uint64(b)^w.text[0])&w.mask[0]|
		(binary.LittleEndian.Uint64(b[8:])^w.text[1])&w.mask[1]|
		(binary.LittleEndian.Uint64(b[16:])^w.text[2])&w.mask[2] == 0
}

// learn makes it the text, if it is not too long.
func (w *written) learn(m member, text []byte) {
	*w = written{}
	if len(text) > 8*shapeWords {
		return
	}
	w.member, w.size = m, len(text)
	for i, b := range text {
		w.text[i/8] |= uint64(b) << (i % 8 * 8)
		w.mask[i/8] |= 0xff << (i % 8 * 8)
	}
}

// next goes to the value of member i of the object that c is in.
func (s *shape) next(c *cursor, i int) member {
	if i < len(s.members) {
		if w := &s.members[i]; w.is(c.buf[c.at:]) {
			c.at += w.size
			return w.member
		}
	}
	start := c.at - c.mark
	key := c.key(i == 0)
	if key == nil {
		return none
	}
	m := named(key)
	if i < len(s.members) {
		s.members[i].learn(m, c.buf[c.mark+start:c.at])
	}
	return m
}
