package ethrpc

import (
	"encoding/binary"

	"superindex/chain"
)

// fit is where what differs stands in a log that fits a mold, counted from the log's
// first byte.
type fit struct {
	parts     [3]int // where they begin
	topics    int    // the first one's quote
	count     int    // of topics
	from, to  int    // of data, without its quotes
	size      int    // of the log
	sameBlock bool   // what all logs of a block share is as in the last log that fitted the mold
}

// Between a topic's quote and the next one's are so many bytes.
const topicBytes = len(`"0x`+`",`) + 2*len(chain.Hash{})

// fitsWords is fits, eight bytes at once.
func (m *mold) fitsWords(f *fit, b []byte) bool {
	at := 0
	f.sameBlock = true
	for i, p := range m.parts {
		size := p.stripes * stripeBytes
		if size == 0 || len(b)-at < size || !m.alike(f, b[at:at+size], p.from) {
			return false
		}
		f.parts[i] = at
		at += p.size
		switch {
		case i == len(m.between):
			f.size = at
			return true
		case m.between[i] == topics:
			at = f.hexTopics(b, at)
		default:
			at = f.hexData(b, at)
		}
		if at == 0 {
			break
		}
	}
	return false
}

// alike compares some stripes with the mold's from at on.
func (m *mold) alike(f *fit, b []byte, at int) bool {
	var wrong, other uint64
	for i := 0; i < len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		differs := x ^ binary.LittleEndian.Uint64(m.text[at+i:])
		wrong |= differs & binary.LittleEndian.Uint64(m.fixed[at+i:])
		wrong |= noDigits(x) & tops & binary.LittleEndian.Uint64(m.digits[at+i:])
		other |= differs & binary.LittleEndian.Uint64(m.block[at+i:])
	}
	f.sameBlock = f.sameBlock && other == 0
	return wrong == 0
}

// hexData takes down the data at b[at:] and returns where it ends; 0 if it is not as
// known nodes write it.
func (f *fit) hexData(b []byte, at int) (end int) {
	if len(b)-at < len(`"0x"`) || string(b[at:at+3]) != `"0x` {
		return 0
	}
	f.from, f.to = at+1, at+3+hexRun(b[at+3:])
	if f.to == len(b) || b[f.to] != '"' {
		return 0
	}
	return f.to + 1
}

// hexTopics is hexData for the topics.
func (f *fit) hexTopics(b []byte, at int) (end int) {
	const digits = 2 * len(chain.Hash{})
	if at == len(b) || b[at] != '[' {
		return 0
	}
	at++
	f.topics, f.count = at, 0
	for more := true; more && len(b)-at >= topicBytes && b[at] == '"' && f.count < maxTopics; f.count++ {
		text := b[at : at+topicBytes]
		if string(text[:3]) != `"0x` || hexRun(text[3:]) != digits || text[3+digits] != '"' {
			return 0
		}
		at += topicBytes
		if more = text[topicBytes-1] == ','; !more {
			at--
		}
	}
	if at == len(b) || b[at] != ']' || b[at-1] == ',' {
		return 0
	}
	return at + 1
}
