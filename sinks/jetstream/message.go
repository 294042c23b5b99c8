package jetstream

import (
	"fmt"
	"strconv"
	"strings"

	"superindex/chain"
)

// The headers of a message.
const (
	headerSeq       = "Superindex-Seq"
	headerIndex     = "Superindex-Index"
	headerKind      = "Superindex-Kind"
	headerEvent     = "Superindex-Event"
	headerSignature = "Superindex-Signature"
	headerTruncated = "Superindex-Truncated" // what the body lacks, since it was too large
	headerJournal   = "Superindex-Journal"
	headerDigest    = "Superindex-Digest" // of the step, 16 hex digits
	headerEnd       = "Superindex-End"    // on a step's last message
	headerID        = "Superindex-Id"     // of a feed's row
	headerTime      = "Superindex-Time"   // of a feed's row, seconds since 1970
	headerSynced    = "Superindex-Synced" // the sequence up to which the stream was on disk before this was sent
)

// refillAddresses is how many addresses one refill message names: 45 bytes each,
// far below any server's max_payload.
const refillAddresses = 1000

// message is one message of a step, without its headers.
type message struct {
	subject          string
	kind             string
	index            int
	end              bool
	truncated        string
	event, signature string
	id               string
	time             uint64
	body             []byte
}

// encoder makes the messages of one stream's steps. The number of messages of a
// step, their order and their indexes follow from the step alone.
type encoder struct {
	stream  chain.Stream
	prefix  string // of the subjects, with the last dot
	history bool
	owners  func(network string, a chain.Address) []string

	rowOwners func(feed string, row *chain.Row) []string
}

// indexes are the indexes of a step's messages: first to end, end not included.
// Without history a fill's events keep theirs, though nobody sees them.
func (e *encoder) indexes(s *chain.Step) (first, end int) {
	switch {
	case s.Apply != nil:
		return 0, len(s.Apply.Events) + 1 // the finality after it
	case s.Fill != nil:
		n := len(s.Fill.Events)
		if !e.history {
			first = n
		}
		return first, n + max(1, (len(s.Fill.Addresses)+refillAddresses-1)/refillAddresses)
	case s.Rows != nil:
		return 0, max(1, len(s.Rows.Rows))
	}
	return 0, 1
}

// message makes the message with that index into m, whose body is reused. short
// leaves out what makes it large.
func (e *encoder) message(m *message, s *chain.Step, index int, short bool) {
	_, end := e.indexes(s)
	*m = message{index: index, end: index == end-1, body: m.body[:0]}
	switch {
	case s.Revert != nil:
		m.kind, m.subject = "revert", e.prefix+"revert"
		m.body = appendRevert(m.body, s)
	case s.Rows != nil:
		e.row(m, s, short)
	case s.Fill != nil && index < len(s.Fill.Events):
		m.kind = "fill"
		e.event(m, s, &s.Fill.Events[index], "finalized", short)
	case s.Fill != nil:
		m.kind, m.subject = "fill", e.prefix+"refill"
		from := (index - len(s.Fill.Events)) * refillAddresses
		to := min(from+refillAddresses, len(s.Fill.Addresses))
		m.body = appendRefill(m.body, s, s.Fill.Addresses[from:to], e.history)
	case index < len(s.Apply.Events):
		m.kind = "apply"
		event := &s.Apply.Events[index]
		e.event(m, s, event, finality(s.Apply, event.Block.Number), short)
	default:
		m.kind, m.subject = "apply", e.prefix+"finality"
		m.body = appendFinality(m.body, s)
	}
}

func (e *encoder) event(m *message, s *chain.Step, event *chain.Event, finality string, short bool) {
	row := eventRow{stream: s.Stream, seq: s.Seq, finality: finality, truncated: short}
	if e.owners != nil {
		row.projects = e.owners(s.Stream.Name, event.Address)
	}
	if short {
		m.truncated = "data,args"
	}
	m.event, m.signature = event.Name, event.Signature
	m.subject = e.eventSubject(event)
	m.body = appendEvent(m.body, event, row)
}

func (e *encoder) eventSubject(event *chain.Event) string {
	b := make([]byte, 0, 192)
	b = append(append(b, e.prefix...), "event."...)
	b = append(event.Address.AppendText(b), '.')
	if len(event.Topics) == 0 {
		b = append(b, "anonymous"...)
	} else {
		b = event.Topics[0].AppendText(b)
	}
	return string(b)
}

// row makes the message of an observation; a step without any still has one, so
// that the stream's last message always names the last step.
func (e *encoder) row(m *message, s *chain.Step, short bool) {
	m.kind = "rows"
	prefix := e.prefix + "rows."
	if s.Stream.ChainID == 0 {
		prefix = e.prefix + token(s.Rows.Feed) + "."
	}
	if len(s.Rows.Rows) == 0 {
		m.subject, m.body = prefix+"none", append(m.body, `{}`...)
		return
	}
	r := &s.Rows.Rows[m.index]
	m.subject, m.id, m.time = prefix+token(r.Kind), r.ID, r.Time
	if short {
		m.truncated, m.body = "body", append(m.body, `{}`...)
		return
	}
	var projects []string
	if e.rowOwners != nil {
		projects = e.rowOwners(s.Rows.Feed, r)
	}
	m.body = appendRow(m.body, r.Body, projects)
}

// finality is the word for a block as of the step that brings it.
func finality(b *chain.Batch, number uint64) string {
	switch {
	case number <= b.Final.Number:
		return "finalized"
	case number <= b.Safe.Number:
		return "safe"
	}
	return "unsafe"
}

// StreamName is the name of the JetStream stream that takes a stream's messages.
func StreamName(s chain.Stream) string {
	if s.ChainID == 0 {
		return "SUPERINDEX_FEEDS"
	}
	return "SUPERINDEX_" + strings.Map(func(r rune) rune {
		if r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToUpper(s.Name))
}

// subjectPrefix is what all subjects of a stream begin with.
func subjectPrefix(s chain.Stream) string {
	if s.ChainID == 0 {
		return "superindex.feed."
	}
	return "superindex.evm." + token(s.Name) + "."
}

// token makes text one token of a subject: what NATS forbids becomes "_".
func token(text string) string {
	if text == "" {
		return "_"
	}
	return strings.Map(func(r rune) rune {
		if r <= ' ' || r == '.' || r == '*' || r == '>' || r == 0x7f {
			return '_'
		}
		return r
	}, text)
}

// messageID is the message's Nats-Msg-Id.
func messageID(stream, seq string, index int) string {
	b := make([]byte, 0, 64)
	b = append(append(b, stream...), '/')
	b = append(append(b, seq...), '/')
	return string(strconv.AppendInt(b, int64(index), 10))
}

func digestText(digest uint64) string { return fmt.Sprintf("%016x", digest) }
