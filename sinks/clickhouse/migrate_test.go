package clickhouse

import (
	"fmt"
	"testing"

	"superindex/chain"
)

// bytesVersion is the version that keeps hashes as bytes.
const bytesVersion = 7

// A warehouse that keeps hashes as text is taken over with all its rows, wherever
// an earlier attempt was cut.
func TestAWarehouseOfTextIsTakenOver(t *testing.T) {
	from, h := newWarehouse(t), newHistory("op")
	raw := h.apply(4, 4, 'a', 2)
	raw.Apply.Events[1].Topics, raw.Apply.Events[1].Data = nil, nil
	from.write(from.sink(), h.apply(1, 3, 'a', 40), h.revert(2, 'a', chain.Reorg), h.apply(3, 3, 'b', 7), raw)
	const rows = "SELECT toString(tuple(* EXCEPT finality)) FROM events ORDER BY ALL"
	want := from.read(rows)
	const columns = "chain_id, network, block_number, block_hash, block_time, tx_hash, tx_index, log_index, address, event, signature, decoding, args, topics, data, seq"

	last, err := statementsOf(bytesVersion)
	if err != nil {
		t.Fatal(err)
	}
	for cut := range len(last) + 1 {
		w := newWarehouse(t)
		w.exec("CREATE TABLE migrations (version UInt32, applied_at DateTime('UTC') DEFAULT now()) ENGINE = MergeTree ORDER BY version")
		for version := uint32(1); version < bytesVersion; version++ {
			statements, err := statementsOf(version)
			if err != nil {
				t.Fatal(err)
			}
			w.exec(statements...)
			w.exec(fmt.Sprintf("INSERT INTO migrations (version) VALUES (%d)", version))
		}
		w.exec("INSERT INTO raw_events ("+columns+") SELECT "+columns+" FROM "+from.read("SELECT currentDatabase()")[0]+".events",
			"INSERT INTO raw_events SELECT * REPLACE (1000 + block_number AS block_number, 1 AS deleted) FROM raw_events")
		w.exec(last[:cut]...)
		w.sink()
		w.want(rows, want...)
		w.want("SELECT toString((count(), countIf(deleted))) FROM raw_events FINAL", fmt.Sprintf("(%d,%d)", 2*len(want), len(want)))
	}
}
