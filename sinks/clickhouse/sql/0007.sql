-- raw_events keeps hashes, topics and data as the bytes that they are, and the view
-- makes text of them: as text they are twice as long, and to take them in, to compress
-- and to merge them is most of what an INSERT costs. ZSTD is for what is long and
-- differs. The rows are copied, whichever of the two forms they have: this file may
-- be run again at any time. A copy that was cut begins anew; one that is whole has
-- another name, and is not made again.

-- unless raw_events is there: an older version of this file was cut after its DROP
RENAME TABLE IF EXISTS raw_events_bytes TO raw_events;

-- unless raw_events_copied is there
CREATE TABLE IF NOT EXISTS raw_events_bytes AS raw_events;

-- unless raw_events_copied is there: the rest of a copy goes, and whoever may not drop a table learns it before the copying
DROP TABLE raw_events_bytes SYNC SETTINGS max_table_size_to_drop = 0;

-- unless raw_events_copied is there: what is copied is to be on the disk before the old table goes
CREATE TABLE raw_events_bytes
(
    chain_id     UInt64                 CODEC(Delta, Default),
    block_number UInt64                 CODEC(DoubleDelta, Default),
    log_index    UInt32                 CODEC(Delta, Default),
    block_hash   FixedString(32),
    block_time   DateTime('UTC')        CODEC(DoubleDelta, Default),
    tx_hash      FixedString(32),
    tx_index     UInt32                 CODEC(Delta, Default),
    address      LowCardinality(String),
    event        LowCardinality(String),
    signature    LowCardinality(String),
    decoding     Enum8('decoded' = 1, 'ambiguous' = 2, 'raw' = 3),
    args         String                 CODEC(ZSTD(1)),
    topics       Array(FixedString(32)) CODEC(ZSTD(1)),
    data         String                 CODEC(ZSTD(1)),
    network      LowCardinality(String),
    seq          UInt64,
    digest       UInt64,
    deleted      UInt8 DEFAULT 0,
    INDEX ix_address address                           TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_tx      concat('0x', lower(hex(tx_hash))) TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_time    block_time                        TYPE minmax             GRANULARITY 1,
    INDEX ix_seq     seq                               TYPE minmax             GRANULARITY 1
)
ENGINE = ReplacingMergeTree(seq)
PARTITION BY chain_id
PRIMARY KEY (chain_id, block_number, log_index)
ORDER BY (chain_id, block_number, log_index, block_hash)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1;

-- unless raw_events_copied is there
INSERT INTO raw_events_bytes (chain_id, block_number, log_index, block_hash, block_time, tx_hash, tx_index, address, event, signature,
                              decoding, args, topics, data, network, seq, digest, deleted)
SELECT chain_id, block_number, log_index,
       if(length(block_hash) = 66, unhex(substring(block_hash, 3)), toString(block_hash)),
       block_time,
       if(length(tx_hash) = 66, unhex(substring(tx_hash, 3)), toString(tx_hash)),
       tx_index, address, event, signature, decoding, args,
       arrayMap(t -> toFixedString(if(length(t) = 66, unhex(substring(t, 3)), toString(t)), 32), topics),
       if(length(block_hash) = 66, unhex(substring(data, 3)), data),
       network, seq, digest, deleted
FROM raw_events
SETTINGS insert_deduplicate = 0;

-- unless raw_events_copied is there
RENAME TABLE raw_events_bytes TO raw_events_copied;

-- if raw_events_copied is there
DROP TABLE IF EXISTS raw_events SYNC SETTINGS max_table_size_to_drop = 0;

-- if raw_events_copied is there
RENAME TABLE raw_events_copied TO raw_events;

ALTER TABLE raw_events RESET SETTING fsync_after_insert, fsync_part_directory;

CREATE OR REPLACE VIEW events AS
WITH (SELECT (groupArray(chain_id), groupArray(safe_number), groupArray(finalized_number)) FROM positions FINAL) AS heads
SELECT network, chain_id, block_number, concat('0x', lower(hex(block_hash))) AS block_hash, block_time,
       concat('0x', lower(hex(tx_hash))) AS tx_hash, tx_index, log_index,
       address, event, signature, decoding, args,
       arrayMap(t -> concat('0x', lower(hex(t))), topics) AS topics, concat('0x', lower(hex(data))) AS data,
       CAST(multiIf(block_number <= transform(chain_id, heads.1, heads.3, toUInt64(0)), 'finalized',
                    block_number <= transform(chain_id, heads.1, heads.2, toUInt64(0)), 'safe', 'unsafe'),
            'Enum8(''unsafe'' = 1, ''safe'' = 2, ''finalized'' = 3)') AS finality,
       seq
FROM raw_events FINAL
WHERE NOT deleted
SETTINGS use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 0,
         do_not_merge_across_partitions_select_final = 1;
