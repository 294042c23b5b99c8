package clickhouse

import (
	"testing"

	"superindex/chain"
)

func TestViewsHaveTheContractsColumns(t *testing.T) {
	w := newWarehouse(t)
	w.sink()
	for view, want := range map[string][]string{
		"events": {
			"network LowCardinality(String)", "chain_id UInt64", "block_number UInt64", "block_hash String", "block_time DateTime('UTC')",
			"tx_hash String", "tx_index UInt32", "log_index UInt32", "address LowCardinality(String)", "event LowCardinality(String)",
			"signature LowCardinality(String)", "decoding Enum8('decoded' = 1, 'ambiguous' = 2, 'raw' = 3)", "args String",
			"topics Array(String)", "data String", "finality Enum8('unsafe' = 1, 'safe' = 2, 'finalized' = 3)", "seq UInt64",
		},
		"transactions": {
			"network LowCardinality(String)", "chain_id UInt64", "block_number UInt64", "block_hash String", "block_time DateTime('UTC')",
			"tx_hash String", "tx_index UInt32", "from_address String", "to_address String", "contract_created String", "status UInt8",
			"gas_used UInt64", "effective_gas_price UInt256", "l1_fee UInt256", "method String",
			"finality Enum8('unsafe' = 1, 'safe' = 2, 'finalized' = 3)", "seq UInt64",
		},
		"blocks": {
			"network LowCardinality(String)", "chain_id UInt64", "number UInt64", "hash String", "parent_hash String", "time DateTime('UTC')",
			"tx_count Nullable(UInt32)", "log_count Nullable(UInt32)", "watched_log_count UInt32",
			"finality Enum8('unsafe' = 1, 'safe' = 2, 'finalized' = 3)", "seq UInt64",
		},
		"reorgs": {
			"network LowCardinality(String)", "chain_id UInt64", "time DateTime('UTC')", "from_number UInt64", "to_number UInt64",
			"depth UInt64", "seq UInt64",
		},
		"finality": {
			"network LowCardinality(String)", "chain_id UInt64", "safe_number UInt64", "safe_hash String", "finalized_number UInt64",
			"finalized_hash String", "basis Enum8('tags' = 1, 'assumed' = 2)", "updated_at DateTime('UTC')",
		},
	} {
		w.want("SELECT name || ' ' || type FROM system.columns WHERE database = currentDatabase() AND table = '"+view+"' ORDER BY position", want...)
	}
}

func TestAnEventsRow(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	step := h.apply(7, 7, 'a', 3)
	e := step.Apply.Events
	e[1].Decoding, e[1].Topics, e[1].Data = chain.Ambiguous, nil, nil
	e[2].Decoding, e[2].Name, e[2].Signature, e[2].Args = chain.Raw, "", "", nil
	w.write(w.sink(), step)

	block, tx := e[0].Block.Hash.String(), e[0].TxHash.String()
	w.want(`SELECT toString((network, block_number, block_hash, block_time, tx_hash, tx_index, address, event, signature, decoding))
FROM events WHERE log_index = 0`,
		"('op',7,'"+block+"','2023-11-14 22:13:34','"+tx+"',0,'0x0001000000000000000000000000000000000000','Transfer','Transfer(address,address,uint256)','decoded')")
	w.want("SELECT toString((args, topics, data, finality)) FROM events WHERE log_index = 0",
		`('`+string(e[0].Args)+`',['`+e[0].Topics[0].String()+`','`+e[0].Topics[1].String()+`','`+e[0].Topics[2].String()+`'],'`+block+`','unsafe')`)
	w.want("SELECT toString((decoding, topics, data)) FROM events WHERE log_index = 1", "('ambiguous',[],'0x')")
	w.want("SELECT toString((decoding, event, signature, args)) FROM events WHERE log_index = 2", "('raw','','','')")
	w.want("SELECT toString(seq) FROM events", "1099511627777", "1099511627777", "1099511627777")
}

func TestABlocksRow(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	step := h.apply(7, 8, 'a', 3)
	step.Apply.Blocks[1].Parent = chain.Hash{} // only its logs were read
	w.write(w.sink(), step)
	w.want("SELECT toString((number, hash, parent_hash, time, tx_count, log_count, watched_log_count, finality)) FROM blocks ORDER BY number",
		"(7,'"+h.ref(7, 'a').Hash.String()+"','"+h.ref(6, 'a').Hash.String()+"','2023-11-14 22:13:34',2,NULL,3,'unsafe')",
		"(8,'"+h.ref(8, 'a').Hash.String()+"','','2023-11-14 22:13:36',2,NULL,3,'unsafe')")
}

func TestFinalityFollowsThePosition(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	const byBlock = "SELECT toString((block_number, finality)) FROM events ORDER BY block_number"
	const byHead = "SELECT toString((network, chain_id = 0, safe_number, safe_hash != '', finalized_number, finalized_hash != '', basis)) FROM finality"
	w.write(sink, h.apply(1, 4, 'a', 1))
	w.want(byBlock, "(1,'unsafe')", "(2,'unsafe')", "(3,'unsafe')", "(4,'unsafe')")
	w.want(byHead, "('op',0,0,0,0,0,'tags')")

	h.safe, h.final = h.ref(3, 'a'), h.ref(1, 'a')
	w.write(sink, h.apply(5, 4, 'a', 0)) // empty: it only moves the heads
	w.want(byBlock, "(1,'finalized')", "(2,'safe')", "(3,'safe')", "(4,'unsafe')")
	w.want("SELECT toString((number, finality)) FROM blocks ORDER BY number", "(1,'finalized')", "(2,'safe')", "(3,'safe')", "(4,'unsafe')")
	w.want(byHead, "('op',0,3,1,1,1,'tags')")

	w.write(sink, h.revert(2, 'a', chain.Reorg))
	w.want(byBlock, "(1,'finalized')", "(2,'safe')")
	w.want(byHead, "('op',0,2,1,1,1,'tags')")

	assumed := h.apply(3, 3, 'b', 1)
	assumed.Apply.Safe, assumed.Apply.Assumed = h.ref(3, 'b'), true
	w.write(sink, assumed)
	w.want(byBlock, "(1,'finalized')", "(2,'safe')", "(3,'safe')")
	w.want(byHead, "('op',0,3,1,1,1,'assumed')")
}

// The rows of the very first write can be seen before its position is there.
func TestRowsBeforeAnyPositionAreUnsafe(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	w.write(w.sink(), h.apply(1, 2, 'a', 1))
	w.exec("TRUNCATE TABLE positions")
	w.want("SELECT toString((block_number, finality)) FROM events ORDER BY ALL", "(1,'unsafe')", "(2,'unsafe')")
	w.want("SELECT toString((number, finality)) FROM blocks ORDER BY ALL", "(1,'unsafe')", "(2,'unsafe')")
}

// Two networks and a feed share the tables and nothing else.
func TestStreamsDoNotMix(t *testing.T) {
	w, one, two := newWarehouse(t), newHistory("one"), newHistory("two")
	sink := w.sink()
	w.write(sink, one.apply(1, 2, 'a', 1))
	two.final = two.ref(2, 'a')
	w.write(sink, two.apply(1, 2, 'a', 1))
	feeds := newHistory("feeds")
	feeds.stream.ChainID = 0
	rows := feeds.step()
	rows.Rows = &chain.Rows{Feed: "github"}
	w.write(sink, rows)
	w.write(sink, one.revert(1, 'a', chain.Reorg))
	w.want("SELECT toString((network, block_number, finality)) FROM events ORDER BY ALL", "('one',1,'unsafe')", "('two',1,'finalized')", "('two',2,'finalized')")
	w.want("SELECT network FROM finality ORDER BY ALL", "one", "two")
}

func TestTheReaderReadsTheViews(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	w.write(w.sink(), h.apply(1, 2, 'a', 2))
	database := w.read("SELECT currentDatabase()")[0]
	w.conn = w.connect(inDatabase(server.ReaderDSN(), database), database)
	w.want("SELECT toString((finality, count())) FROM events WHERE address = '0x0001000000000000000000000000000000000000' GROUP BY finality SETTINGS max_threads = 1", "('unsafe',2)")
	w.want("SELECT toString(count()) FROM raw_events", "4")
	for _, table := range []string{"transactions", "blocks", "reorgs", "finality"} {
		w.read("SELECT toString(count()) FROM " + table)
	}
}

// A user's filter must reach the key and the indexes through the view.
func TestFiltersReachTheIndexes(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	for from := uint64(1); from <= 401; from += 200 {
		w.write(sink, h.apply(from, from+199, 'a', 20))
	}
	for column, where := range map[string]string{
		"PrimaryKey": "chain_id = 1 AND block_number = 5",
		"ix_tx":      "tx_hash = '0x00'",
		"ix_address": "address = '0x00'",
		"ix_time":    "block_time > '2030-01-01'",
	} {
		w.want("SELECT toString(count() > 0) FROM (EXPLAIN indexes = 1 SELECT * FROM events WHERE "+where+") WHERE explain LIKE '%"+column+"%'", "1")
	}
}
