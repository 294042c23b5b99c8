package clickhouse

import (
	"fmt"
	"strings"
	"testing"

	"superindex/chain"
)

// bytesVersion is the version that keeps hashes as bytes.
const bytesVersion = 7

// ofText is a warehouse as the version before had it, with the rows of another one,
// and each of them again as deleted, a thousand blocks higher.
func ofText(t *testing.T, from *warehouse) *warehouse {
	t.Helper()
	const columns = "chain_id, network, block_number, block_hash, block_time, tx_hash, tx_index, log_index, address, event, signature, decoding, args, topics, data, seq"
	w := newWarehouse(t)
	w.exec("CREATE TABLE migrations (version UInt32, applied_at DateTime('UTC') DEFAULT now()) ENGINE = MergeTree ORDER BY version")
	for version := uint32(1); version < bytesVersion; version++ {
		w.exec(toVersion(t, version)...)
		w.exec(fmt.Sprintf("INSERT INTO migrations (version) VALUES (%d)", version))
	}
	w.exec("INSERT INTO raw_events ("+columns+") SELECT "+columns+" FROM "+from.read("SELECT currentDatabase()")[0]+".events",
		"INSERT INTO raw_events SELECT * REPLACE (1000 + block_number AS block_number, 1 AS deleted) FROM raw_events")
	return w
}

func toVersion(t *testing.T, version uint32) []string {
	t.Helper()
	statements, err := statementsOf(version)
	if err != nil {
		t.Fatal(err)
	}
	return statements
}

// someRows is a warehouse of today, with the rows that its view shows.
func someRows(t *testing.T) (w *warehouse, rows []string) {
	t.Helper()
	w, h := newWarehouse(t), newHistory("op")
	raw := h.apply(4, 4, 'a', 2)
	raw.Apply.Events[1].Topics, raw.Apply.Events[1].Data = nil, nil
	w.write(w.sink(), h.apply(1, 3, 'a', 40), h.revert(2, 'a', chain.Reorg), h.apply(3, 3, 'b', 7), raw)
	return w, w.read(allRows)
}

const allRows = "SELECT toString(tuple(* EXCEPT finality)) FROM events ORDER BY ALL"

// A warehouse that keeps hashes as text is taken over with all its rows, wherever
// an earlier attempt was cut.
func TestAWarehouseOfTextIsTakenOver(t *testing.T) {
	from, want := someRows(t)
	last := toVersion(t, bytesVersion)
	for cut := range len(last) + 1 {
		w := ofText(t, from)
		w.exec(last[:cut]...)
		w.sink()
		w.want(allRows, want...)
		w.want("SELECT toString((count(), countIf(deleted))) FROM raw_events FINAL", fmt.Sprintf("(%d,%d)", 2*len(want), len(want)))
		w.want("SELECT name FROM system.tables WHERE database = currentDatabase() AND name LIKE 'raw_events%'", "raw_events")
		w.want("SELECT toString(countSubstrings(engine_full, 'fsync')) FROM system.tables WHERE database = currentDatabase() AND name = 'raw_events'", "0")
	}
}

// What was copied is not copied again, and what was copied in part is not kept.
func TestACopyIsMadeOnce(t *testing.T) {
	from, want := someRows(t)
	last := toVersion(t, bytesVersion)
	copied := 0
	for !strings.Contains(last[copied], "INSERT INTO") {
		copied++
	}
	for cut, changed := range map[int]string{
		copied + 2: "TRUNCATE TABLE raw_events",                                                            // the copy has another name: it is whole
		copied + 1: "INSERT INTO raw_events_bytes SELECT * REPLACE ('junk' AS data) FROM raw_events_bytes", // it has not: it may be cut
		0:          "RENAME TABLE raw_events TO raw_events_bytes",                                          // as an older version could leave it
	} {
		w := ofText(t, from)
		w.exec(last[:cut]...)
		w.exec(changed)
		w.sink()
		w.want(allRows, want...)
		w.want("SELECT toString(count()) FROM raw_events", fmt.Sprint(2*len(want)))
	}
}

// However large the table is, it may be dropped; whoever may not drop it is told before
// anything is copied.
func TestTheOldTableGoes(t *testing.T) {
	from, want := someRows(t)
	w := ofText(t, from)
	_, err := w.openAs("carrier", "DROP TABLE")
	fatal(t, err, "DROP TABLE", "docs/warehouse.md")
	w.want("SELECT toString(count()) FROM raw_events_bytes", "0")

	w.dsn += "?max_table_size_to_drop=1"
	w.sink()
	w.want(allRows, want...)
}
