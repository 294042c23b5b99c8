CREATE TABLE IF NOT EXISTS raw_events
(
    chain_id     UInt64                 CODEC(Delta, ZSTD(1)),
    block_number UInt64                 CODEC(DoubleDelta, ZSTD(1)),
    log_index    UInt32                 CODEC(Delta, ZSTD(1)),
    block_hash   String                 CODEC(ZSTD(1)),
    block_time   DateTime('UTC')        CODEC(DoubleDelta, ZSTD(1)),
    tx_hash      String                 CODEC(ZSTD(1)),
    tx_index     UInt32                 CODEC(Delta, ZSTD(1)),
    address      LowCardinality(String),
    event        LowCardinality(String),
    signature    LowCardinality(String),
    decoding     Enum8('decoded' = 1, 'ambiguous' = 2, 'raw' = 3) CODEC(ZSTD(1)),
    args         String                 CODEC(ZSTD(1)),
    topics       Array(String)          CODEC(ZSTD(1)),
    data         String                 CODEC(ZSTD(1)),
    network      LowCardinality(String),
    seq          UInt64                 CODEC(ZSTD(1)),
    digest       UInt64                 CODEC(ZSTD(1)),
    deleted      UInt8 DEFAULT 0        CODEC(ZSTD(1)),
    INDEX ix_address address    TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_tx      tx_hash    TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_time    block_time TYPE minmax             GRANULARITY 1,
    INDEX ix_seq     seq        TYPE minmax             GRANULARITY 1
)
ENGINE = ReplacingMergeTree(seq)
PARTITION BY chain_id
PRIMARY KEY (chain_id, block_number, log_index)
ORDER BY (chain_id, block_number, log_index, block_hash);

CREATE TABLE IF NOT EXISTS raw_blocks
(
    chain_id          UInt64           CODEC(Delta, ZSTD(1)),
    number            UInt64           CODEC(DoubleDelta, ZSTD(1)),
    hash              String           CODEC(ZSTD(1)),
    parent_hash       String           CODEC(ZSTD(1)),
    time              DateTime('UTC')  CODEC(DoubleDelta, ZSTD(1)),
    tx_count          Nullable(UInt32) CODEC(ZSTD(1)),
    log_count         Nullable(UInt32) CODEC(ZSTD(1)),
    watched_log_count UInt32           CODEC(ZSTD(1)),
    network           LowCardinality(String),
    seq               UInt64           CODEC(ZSTD(1)),
    digest            UInt64           CODEC(ZSTD(1)),
    deleted           UInt8 DEFAULT 0  CODEC(ZSTD(1)),
    INDEX ix_time time TYPE minmax GRANULARITY 1,
    INDEX ix_seq  seq  TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(seq)
PARTITION BY chain_id
PRIMARY KEY (chain_id, number)
ORDER BY (chain_id, number, hash);

CREATE TABLE IF NOT EXISTS raw_reorgs
(
    chain_id    UInt64,
    network     LowCardinality(String),
    time        DateTime('UTC'),
    from_number UInt64,
    to_number   UInt64,
    depth       UInt64,
    seq         UInt64,
    digest      UInt64 CODEC(ZSTD(1))
)
ENGINE = ReplacingMergeTree(seq)
ORDER BY (chain_id, network, seq);

CREATE TABLE IF NOT EXISTS raw_rows
(
    feed   LowCardinality(String),
    kind   LowCardinality(String),
    id     String          CODEC(ZSTD(1)),
    stream LowCardinality(String),
    time   DateTime('UTC') CODEC(Delta, ZSTD(1)),
    body   String          CODEC(ZSTD(1)),
    seq    UInt64          CODEC(ZSTD(1)),
    digest UInt64          CODEC(ZSTD(1)),
    ord    UInt32          CODEC(ZSTD(1)),
    INDEX ix_seq seq TYPE minmax GRANULARITY 1
)
ENGINE = ReplacingMergeTree(seq)
ORDER BY (feed, kind, id, stream);

CREATE TABLE IF NOT EXISTS positions
(
    network          LowCardinality(String),
    chain_id         UInt64,
    journal          String,
    seq              UInt64,
    digest           UInt64,
    head_number      UInt64,
    head_hash        String,
    safe_number      UInt64,
    safe_hash        String,
    finalized_number UInt64,
    finalized_hash   String,
    basis            Enum8('tags' = 1, 'assumed' = 2),
    watch            String,
    updated_at       DateTime('UTC') DEFAULT now()
)
ENGINE = ReplacingMergeTree(seq)
ORDER BY (network, chain_id);

CREATE VIEW IF NOT EXISTS events AS
WITH (SELECT (groupArray(chain_id), groupArray(safe_number), groupArray(finalized_number)) FROM positions FINAL) AS heads
SELECT network, chain_id, block_number, block_hash, block_time, tx_hash, tx_index, log_index,
       address, event, signature, decoding, args, topics, data,
       CAST(multiIf(block_number <= transform(chain_id, heads.1, heads.3, toUInt64(0)), 'finalized',
                    block_number <= transform(chain_id, heads.1, heads.2, toUInt64(0)), 'safe', 'unsafe'),
            'Enum8(''unsafe'' = 1, ''safe'' = 2, ''finalized'' = 3)') AS finality,
       seq
FROM raw_events FINAL
WHERE NOT deleted
SETTINGS use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 0,
         do_not_merge_across_partitions_select_final = 1;

CREATE VIEW IF NOT EXISTS blocks AS
WITH (SELECT (groupArray(chain_id), groupArray(safe_number), groupArray(finalized_number)) FROM positions FINAL) AS heads
SELECT network, chain_id, number, hash, parent_hash, time, tx_count, log_count, watched_log_count,
       CAST(multiIf(number <= transform(chain_id, heads.1, heads.3, toUInt64(0)), 'finalized',
                    number <= transform(chain_id, heads.1, heads.2, toUInt64(0)), 'safe', 'unsafe'),
            'Enum8(''unsafe'' = 1, ''safe'' = 2, ''finalized'' = 3)') AS finality,
       seq
FROM raw_blocks FINAL
WHERE NOT deleted
SETTINGS use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 0,
         do_not_merge_across_partitions_select_final = 1;

CREATE VIEW IF NOT EXISTS reorgs AS
SELECT network, chain_id, time, from_number, to_number, depth, seq
FROM raw_reorgs FINAL;

CREATE VIEW IF NOT EXISTS finality AS
SELECT network, chain_id, safe_number, safe_hash, finalized_number, finalized_hash, basis, updated_at
FROM positions FINAL
WHERE chain_id != 0;
