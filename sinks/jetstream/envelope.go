package jetstream

import (
	"strconv"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/chain"
)

// envelope is a message on its way; header, values and body are reused.
type envelope struct {
	message
	msg    nats.Msg
	msgID  string     // Nats-Msg-Id
	values [20]string // what msg.Header's values are cut from
	used   int
	size   int // of the headers as they are sent
}

func newEnvelope() *envelope { return &envelope{msg: nats.Msg{Header: nats.Header{}}} }

func (e *envelope) reset() {
	clear(e.msg.Header)
	e.used, e.size = 0, len("NATS/1.0\r\n\r\n")
}

func (e *envelope) set(key, value string) {
	e.values[e.used] = value
	e.msg.Header[key] = e.values[e.used : e.used+1 : e.used+1]
	e.used++
	e.size += len(key) + len(value) + len(": \r\n")
}

// stepTexts are the headers that all messages of a step have.
type stepTexts struct{ seq, journal, digest string }

func textsOf(s *chain.Step) stepTexts {
	return stepTexts{strconv.FormatUint(uint64(s.Seq), 10), s.Journal.String(), digestText(s.Digest)}
}

// stamp sets the headers that name the message within its stream.
func (e *envelope) stamp(stream string, s stepTexts) {
	e.reset()
	e.msg.Subject, e.msg.Reply, e.msg.Data = e.subject, "", e.body
	e.set(headerSeq, s.seq)
	e.set(headerIndex, strconv.Itoa(e.index))
	e.set(headerKind, e.kind)
	e.set(headerJournal, s.journal)
	e.set(headerDigest, s.digest)
	e.msgID = messageID(stream, s.seq, e.index)
	e.set(jetstream.MsgIDHeader, e.msgID)
	for _, h := range [...]struct{ key, value string }{
		{headerEvent, e.event}, {headerSignature, e.signature}, {headerID, e.id}, {headerTruncated, e.truncated},
	} {
		if h.value != "" {
			e.set(h.key, h.value)
		}
	}
	if e.time != 0 {
		e.set(headerTime, strconv.FormatUint(e.time, 10))
	}
	if e.end {
		e.set(headerEnd, "true")
	}
}
