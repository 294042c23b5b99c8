package jetstream

import (
	"bytes"
	"encoding/json"
	"strconv"
	"time"

	"superindex/chain"
)

// The bodies are written by hand into one buffer: an event is formatted some
// hundred thousand times a second.

// eventRow is what an event's body shows beside the event itself.
type eventRow struct {
	stream    chain.Stream
	seq       chain.Seq
	finality  string
	projects  []string
	truncated bool // without data and args
}

// appendEvent appends the columns of the view `events`, and `projects`.
func appendEvent(b []byte, e *chain.Event, row eventRow) []byte {
	b = appendStream(b, row.stream, row.seq)
	b = appendKey(b, "block_number", e.Block.Number)
	b = appendHash(b, "block_hash", e.Block.Hash)
	b = appendTime(b, "block_time", e.Time)
	b = appendHash(b, "tx_hash", e.TxHash)
	b = appendKey(b, "tx_index", uint64(e.TxIndex))
	b = appendKey(b, "log_index", uint64(e.Index))
	b = append(e.Address.AppendText(append(b, `,"address":"`...)), '"')
	b = appendString(append(b, `,"event":`...), e.Name)
	b = appendString(append(b, `,"signature":`...), e.Signature)
	b = appendString(append(b, `,"decoding":`...), e.Decoding.String())
	b = appendTopics(append(b, `,"topics":`...), e.Topics)
	b = appendString(append(b, `,"finality":`...), row.finality)
	b = appendStrings(append(b, `,"projects":`...), row.projects)
	if row.truncated {
		return append(b, `,"args":null,"data":null}`...)
	}
	b = append(b, `,"args":`...)
	if len(e.Args) == 0 {
		b = append(b, `{}`...)
	} else {
		b = append(b, e.Args...)
	}
	return append(chain.AppendHex(append(b, `,"data":"`...), e.Data), `"}`...)
}

// appendRow appends a row's body, a JSON object, with `projects` as its last key;
// nil projects leave it as it is.
func appendRow(b, body []byte, projects []string) []byte {
	object := bytes.TrimRight(body, " \n\r\t")
	if projects == nil || len(object) < 2 || object[0] != '{' || object[len(object)-1] != '}' {
		return append(b, body...)
	}
	inner := bytes.TrimRight(object[:len(object)-1], " \n\r\t")
	b = append(b, inner...)
	if len(inner) > 1 {
		b = append(b, ',')
	}
	return append(appendStrings(append(b, `"projects":`...), projects), '}')
}

func appendRevert(b []byte, s *chain.Step) []byte {
	r := s.Revert
	b = appendStream(b, s.Stream, s.Seq)
	b = appendRef(b, "to", r.To)
	b = appendRef(b, "from", r.From)
	b = appendKey(b, "depth", r.Depth())
	b = appendString(append(b, `,"cause":`...), r.Cause.String())
	return append(appendTime(b, "time", r.Time), '}')
}

func appendFinality(b []byte, s *chain.Step) []byte {
	a := s.Apply
	basis := "tags"
	if a.Assumed {
		basis = "assumed"
	}
	b = appendStream(b, s.Stream, s.Seq)
	b = appendRef(b, "head", a.Last)
	b = appendRef(b, "safe", a.Safe)
	b = appendRef(b, "finalized", a.Final)
	b = appendString(append(b, `,"basis":`...), basis)
	return append(appendString(append(b, `,"watch":`...), a.Watch.String()), '}')
}

// appendRefill appends one message of a fill: rows is how many events the whole
// fill has, published whether they are in the stream before it.
func appendRefill(b []byte, s *chain.Step, addresses []chain.Address, published bool) []byte {
	f := s.Fill
	b = appendStream(b, s.Stream, s.Seq)
	b = append(strconv.AppendUint(append(b, `,"from":{"number":`...), f.From, 10), '}')
	b = appendRef(b, "to", f.To)
	b = appendKey(b, "rows", uint64(len(f.Events)))
	b = strconv.AppendBool(append(b, `,"published":`...), published)
	b = append(b, `,"addresses":[`...)
	for i, a := range addresses {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(a.AppendText(append(b, '"')), '"')
	}
	return append(b, `]}`...)
}

func appendStream(b []byte, s chain.Stream, seq chain.Seq) []byte {
	b = appendString(append(b, `{"network":`...), s.Name)
	b = appendKey(b, "chain_id", s.ChainID)
	return appendKey(b, "seq", uint64(seq))
}

func appendKey(b []byte, key string, n uint64) []byte {
	return strconv.AppendUint(appendName(b, key), n, 10)
}

func appendName(b []byte, key string) []byte {
	return append(append(append(b, `,"`...), key...), `":`...)
}

func appendHash(b []byte, key string, h chain.Hash) []byte {
	return append(h.AppendText(append(appendName(b, key), '"')), '"')
}

// appendRef appends null for the zero BlockRef: it means that none is known.
func appendRef(b []byte, key string, r chain.BlockRef) []byte {
	b = appendName(b, key)
	if r == (chain.BlockRef{}) {
		return append(b, `null`...)
	}
	b = strconv.AppendUint(append(b, `{"number":`...), r.Number, 10)
	return append(appendHash(b, "hash", r.Hash), '}')
}

func appendTime(b []byte, key string, seconds uint64) []byte {
	b = append(appendName(b, key), '"')
	return append(time.Unix(int64(seconds), 0).UTC().AppendFormat(b, time.RFC3339), '"')
}

func appendTopics(b []byte, topics []chain.Hash) []byte {
	b = append(b, '[')
	for i, t := range topics {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(t.AppendText(append(b, '"')), '"')
	}
	return append(b, ']')
}

func appendStrings(b []byte, texts []string) []byte {
	b = append(b, '[')
	for i, t := range texts {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, t)
	}
	return append(b, ']')
}

// appendString quotes text for JSON.
func appendString(b []byte, text string) []byte {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			quoted, _ := json.Marshal(text) // a string always can
			return append(b, quoted...)
		}
	}
	return append(append(append(b, '"'), text...), '"')
}
