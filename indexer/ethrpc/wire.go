package ethrpc

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"superindex/chain"
)

// quantity is a number as nodes write it: "0x1a", with leading zeros or not, a
// plain 26, or null.
type quantity struct {
	n  uint64
	ok bool // false for null, and where the field is missing
}

// UnmarshalJSON reads any of the forms.
func (q *quantity) UnmarshalJSON(b []byte) (err error) {
	*q = quantity{}
	text, base := string(bytes.Trim(b, `"`)), 10
	if text == "null" {
		return nil
	}
	if len(text) > 2 && text[0] == '0' && text[1]|0x20 == 'x' {
		text, base = text[2:], 16
	}
	if q.n, err = strconv.ParseUint(text, base, 64); err != nil {
		return fmt.Errorf("quantity %.24q: %w", b, errors.Unwrap(err))
	}
	q.ok = true
	return nil
}

// skipped takes any JSON value and keeps nothing of it.
type skipped struct{}

// UnmarshalJSON does nothing.
func (*skipped) UnmarshalJSON([]byte) error { return nil }

// header is what is read of a block.
type header struct {
	Number       quantity   `json:"number"`
	Hash         chain.Hash `json:"hash"`
	Parent       chain.Hash `json:"parentHash"`
	Timestamp    quantity   `json:"timestamp"`
	Bloom        bloom      `json:"logsBloom"`
	Transactions *[]skipped `json:"transactions"` // hashes or objects: they are only counted
}

func (h *header) ref() chain.BlockRef { return chain.BlockRef{Number: h.Number.n, Hash: h.Hash} }

// block is the header as the engine keeps it.
func (h *header) block() chain.Block {
	b := chain.Block{BlockRef: h.ref(), Parent: h.Parent, Time: h.Timestamp.n}
	if h.Transactions != nil {
		b.Txs = chain.Known(len(*h.Transactions))
	}
	return b
}

// check refuses a header that lacks what everything else rests on.
func (h *header) check() error {
	if !h.Number.ok || !h.Timestamp.ok || h.Hash == (chain.Hash{}) {
		return errors.New("block without number, hash or time")
	}
	return nil
}

// bloom is whether a block's logs bloom has a bit set, which it has if and only
// if the block has a log.
type bloom bool

// UnmarshalText reads 0x text.
func (b *bloom) UnmarshalText(text []byte) error {
	*b = len(bytes.Trim(text, "0xX")) > 0
	return nil
}

// log is a log as the node writes it. One value is used for a whole answer: what
// only watched logs need stays unread in buffers that are used again.
type log struct {
	Address     chain.Address `json:"address"`
	BlockNumber quantity      `json:"blockNumber"`
	BlockHash   chain.Hash    `json:"blockHash"`
	Timestamp   quantity      `json:"blockTimestamp"` // newer nodes only
	TxHash      chain.Hash    `json:"transactionHash"`
	TxIndex     quantity      `json:"transactionIndex"`
	Index       quantity      `json:"logIndex"`
	Removed     bool          `json:"removed"`
	Topics      raw           `json:"topics"`
	Data        raw           `json:"data"`
}

// reset clears the log and keeps its buffers.
func (l *log) reset() { *l = log{Topics: l.Topics[:0], Data: l.Data[:0]} }

func (l *log) ref() chain.BlockRef { return chain.BlockRef{Number: l.BlockNumber.n, Hash: l.BlockHash} }

func (l *log) check() error {
	if !l.BlockNumber.ok || !l.Index.ok || !l.TxIndex.ok || l.BlockHash == (chain.Hash{}) {
		return errors.New("log without block, transaction or index")
	}
	if l.Index.n > 1<<31 || l.TxIndex.n > 1<<31 {
		return errors.New("log with an index above 2^31")
	}
	return nil
}

// raw is JSON kept as it came, in a buffer that is used again.
type raw []byte

// UnmarshalJSON copies b.
func (r *raw) UnmarshalJSON(b []byte) error {
	*r = append((*r)[:0], b...)
	return nil
}

// arena holds the topics and data of an answer's watched logs: a few large
// pieces in place of two small ones a log.
type arena struct {
	topics []chain.Hash
	bytes  []byte
}

// Sizes of the pieces: a range of few logs should not cost much.
const (
	topicsPiece = 1 << 10 // 32 KiB
	bytesPiece  = 64 << 10
	maxTopics   = 4
)

// parse reads the parts of a watched log that were left unread. They are known to
// be JSON.
func (a *arena) parse(l *log) (topics []chain.Hash, data []byte, err error) {
	a.topics = room(a.topics, maxTopics, topicsPiece)
	start := len(a.topics)
	for rest := bytes.Trim(l.Topics, "[] \t\r\n"); len(rest) > 0 && string(rest) != "null"; {
		var topic []byte
		topic, rest, _ = bytes.Cut(rest, []byte(","))
		var hash chain.Hash
		if err := hash.UnmarshalText(bytes.Trim(topic, "\" \t\r\n")); err != nil {
			return nil, nil, fmt.Errorf("topics: %w", err)
		}
		if a.topics = append(a.topics, hash); len(a.topics)-start > maxTopics {
			return nil, nil, fmt.Errorf("topics: more than %d", maxTopics)
		}
	}
	data, err = a.hex(l.Data)
	return a.topics[start:len(a.topics):len(a.topics)], data, err
}

// hex reads a JSON string of 0x text. Missing, null and "0x" are no bytes.
func (a *arena) hex(b []byte) ([]byte, error) {
	text := bytes.Trim(b, `"`)
	if len(text) == 0 || string(text) == "null" {
		return nil, nil
	}
	if len(text) < 2 || text[0] != '0' || text[1]|0x20 != 'x' {
		return nil, fmt.Errorf("data: no 0x text: %.24q", b)
	}
	a.bytes = room(a.bytes, hex.DecodedLen(len(text)-2), bytesPiece)
	start := len(a.bytes)
	all, err := hex.AppendDecode(a.bytes, text[2:])
	if err != nil {
		return nil, fmt.Errorf("data: %w", err)
	}
	a.bytes = all
	return all[start:len(all):len(all)], nil
}

// room returns piece where n more elements fit into it, else a new one.
func room[T any](piece []T, n, size int) []T {
	if cap(piece)-len(piece) >= n {
		return piece
	}
	return make([]T, 0, max(n, size))
}
