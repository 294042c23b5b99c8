package clickhouse

import (
	"slices"
	"strings"
	"unsafe"

	"superindex/chain"
)

func insertInto(table string, columns []string) string {
	return "INSERT INTO " + table + " (" + strings.Join(columns, ", ") + ")"
}

// texts collects a column of text in one buffer: a string a row would be an
// allocation a row.
type texts struct {
	buffer []byte
	ends   []int
	values []string
}

func (t *texts) end() { t.ends = append(t.ends, len(t.buffer)) }

func (t *texts) bytes(b []byte) {
	t.buffer = append(t.buffer, b...)
	t.end()
}

func (t *texts) hex(b []byte) {
	t.buffer = appendHex(t.buffer, b)
	t.end()
}

func (t *texts) hash(h chain.Hash) {
	t.buffer = h.AppendText(t.buffer)
	t.end()
}

// strings are the texts. They lie in the buffer: they are good until reset.
func (t *texts) strings() []string {
	from := 0
	t.values = t.values[:0]
	for _, to := range t.ends {
		t.values = append(t.values, unsafe.String(unsafe.SliceData(t.buffer[from:]), to-from))
		from = to
	}
	return t.values
}

// grow makes room for n more texts of size bytes in all.
func (t *texts) grow(n, size int) {
	t.buffer = slices.Grow(t.buffer, size)
	t.ends = slices.Grow(t.ends, n)
}

func (t *texts) reset() { t.buffer, t.ends = t.buffer[:0], t.ends[:0] }

// origin is what the rows of a network's step have in common.
type origin struct {
	chainID []uint64
	network []string
	seq     []uint64
	digest  []uint64
}

func (o *origin) add(step *chain.Step) {
	o.chainID = append(o.chainID, step.Stream.ChainID)
	o.network = append(o.network, step.Stream.Name)
	o.seq = append(o.seq, uint64(step.Seq))
	o.digest = append(o.digest, step.Digest)
}

func (o *origin) reset() {
	o.chainID, o.network, o.seq, o.digest = o.chainID[:0], o.network[:0], o.seq[:0], o.digest[:0]
}

// blockRows are rows of raw_blocks.
type blockRows struct {
	origin
	number      []uint64
	hash        texts
	parent      texts
	time        []int64
	txs, logs   []*uint32
	watchedLogs []uint32
}

var blockColumns = []string{
	"chain_id", "network", "seq", "digest", "number", "hash", "parent_hash", "time", "tx_count", "log_count", "watched_log_count",
}

func (r *blockRows) values() []any {
	return []any{
		r.chainID, r.network, r.seq, r.digest, r.number, r.hash.strings(), r.parent.strings(), r.time, r.txs, r.logs, r.watchedLogs,
	}
}

func (r *blockRows) add(step *chain.Step, blocks []chain.Block) {
	for i := range blocks {
		b := &blocks[i]
		r.origin.add(step)
		r.number = append(r.number, b.Number)
		r.hash.hash(b.Hash)
		r.parent.bytes([]byte(hashText(b.Parent)))
		r.time = append(r.time, int64(b.Time))
		r.txs = append(r.txs, nullable(b.Txs))
		r.logs = append(r.logs, nullable(b.Logs))
		r.watchedLogs = append(r.watchedLogs, b.WatchedLogs)
	}
}

func (r *blockRows) reset() {
	r.origin.reset()
	r.hash.reset()
	r.parent.reset()
	r.number, r.time, r.watchedLogs = r.number[:0], r.time[:0], r.watchedLogs[:0]
	r.txs, r.logs = r.txs[:0], r.logs[:0]
}

// nullable is nil for a count that was not read.
func nullable(c chain.Count) *uint32 {
	if n, ok := c.Get(); ok {
		return &n
	}
	return nil
}

// observationRows are rows of raw_rows.
type observationRows struct {
	feed, kind, id, stream []string
	time                   []int64
	body                   texts
	seq, digest            []uint64
	ord                    []uint32
}

var observationColumns = []string{"feed", "kind", "id", "stream", "time", "body", "seq", "digest", "ord"}

func (r *observationRows) values() []any {
	return []any{r.feed, r.kind, r.id, r.stream, r.time, r.body.strings(), r.seq, r.digest, r.ord}
}

func (r *observationRows) add(step *chain.Step) {
	for i := range step.Rows.Rows {
		row := &step.Rows.Rows[i]
		r.feed = append(r.feed, step.Rows.Feed)
		r.kind = append(r.kind, row.Kind)
		r.id = append(r.id, row.ID)
		r.stream = append(r.stream, step.Stream.Name)
		r.time = append(r.time, int64(row.Time))
		r.body.bytes(row.Body)
		r.seq = append(r.seq, uint64(step.Seq))
		r.digest = append(r.digest, step.Digest)
		r.ord = append(r.ord, uint32(i))
	}
}

func (r *observationRows) size() int { return len(r.body.buffer) }

func (r *observationRows) reset() {
	r.feed, r.kind, r.id, r.stream = r.feed[:0], r.kind[:0], r.id[:0], r.stream[:0]
	r.time, r.seq, r.digest, r.ord = r.time[:0], r.seq[:0], r.digest[:0], r.ord[:0]
	r.body.reset()
}
