package clickhouse

import (
	"github.com/ClickHouse/ch-go/proto"

	"superindex/chain"
)

// blockRows are rows of raw_blocks.
type blockRows struct {
	origin
	number      proto.ColUInt64
	hash        text
	parent      text
	time        seconds
	txs, logs   counts
	watchedLogs proto.ColUInt32
}

func newBlocks() *table {
	r := &blockRows{origin: newOrigin(), txs: newCounts(), logs: newCounts()}
	return newTable("raw_blocks", r.count, r.add, append(
		r.origin.columns(),
		in("number", &r.number),
		in("hash", &r.hash),
		in("parent_hash", &r.parent),
		in("time", &r.time),
		in("tx_count", r.txs),
		in("log_count", r.logs),
		in("watched_log_count", &r.watchedLogs),
	))
}

func (r *blockRows) count(step *chain.Step) int {
	if step.Apply == nil {
		return 0
	}
	return len(step.Apply.Blocks)
}

func (r *blockRows) add(step *chain.Step, from, to int) {
	blocks := step.Apply.Blocks[from:to]
	r.origin.add(step, len(blocks))
	for i := range blocks {
		b := &blocks[i]
		r.number.Append(b.Number)
		r.hash.hex(b.Hash[:])
		r.parent.hash(&b.Parent)
		r.time.add(b.Time)
		r.txs.add(b.Txs)
		r.logs.add(b.Logs)
		r.watchedLogs.Append(b.WatchedLogs)
	}
}

// observationRows are rows of raw_rows.
type observationRows struct {
	feed, kind, stream *words[string]
	id, body           text
	time               seconds
	seq, digest        proto.ColUInt64
	ord                proto.ColUInt32
}

func newObservations() *table {
	r := &observationRows{feed: newWords[string](), kind: newWords[string](), stream: newWords[string]()}
	return newTable("raw_rows", r.count, r.add, proto.Input{
		in("feed", r.feed),
		in("kind", r.kind),
		in("id", &r.id),
		in("stream", r.stream),
		in("time", &r.time),
		in("body", &r.body),
		in("seq", &r.seq),
		in("digest", &r.digest),
		in("ord", &r.ord),
	})
}

func (r *observationRows) count(step *chain.Step) int {
	if step.Rows == nil {
		return 0
	}
	return len(step.Rows.Rows)
}

func (r *observationRows) add(step *chain.Step, from, to int) {
	rows := step.Rows.Rows[from:to]
	word(r.feed, step.Rows.Feed, len(rows))
	word(r.stream, step.Stream.Name, len(rows))
	r.seq = repeated(r.seq, uint64(step.Seq), len(rows))
	r.digest = repeated(r.digest, step.Digest, len(rows))
	for i := range rows {
		row := &rows[i]
		word(r.kind, row.Kind, 1)
		r.id.string(row.ID)
		r.time.add(row.Time)
		r.body.bytes(row.Body)
		r.ord.Append(uint32(from + i))
	}
}
