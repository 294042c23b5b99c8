CREATE TABLE IF NOT EXISTS raw_transactions
(
    chain_id            UInt64          CODEC(Delta, ZSTD(1)),
    block_number        UInt64          CODEC(DoubleDelta, ZSTD(1)),
    tx_index            UInt32          CODEC(Delta, ZSTD(1)),
    block_hash          String          CODEC(ZSTD(1)),
    block_time          DateTime('UTC') CODEC(DoubleDelta, ZSTD(1)),
    tx_hash             String          CODEC(ZSTD(1)),
    from_address        String          CODEC(ZSTD(1)),
    to_address          String          CODEC(ZSTD(1)),
    contract_created    String          CODEC(ZSTD(1)),
    status              UInt8           CODEC(ZSTD(1)),
    gas_used            UInt64          CODEC(ZSTD(1)),
    effective_gas_price UInt256         CODEC(ZSTD(1)),
    l1_fee              UInt256         CODEC(ZSTD(1)),
    method              String          CODEC(ZSTD(1)),
    network             LowCardinality(String),
    seq                 UInt64          CODEC(ZSTD(1)),
    digest              UInt64          CODEC(ZSTD(1)),
    deleted             UInt8 DEFAULT 0 CODEC(ZSTD(1)),
    INDEX ix_tx   tx_hash      TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_from from_address TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_to   to_address   TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX ix_time block_time   TYPE minmax             GRANULARITY 1,
    INDEX ix_seq  seq          TYPE minmax             GRANULARITY 1
)
ENGINE = ReplacingMergeTree(seq)
PARTITION BY chain_id
PRIMARY KEY (chain_id, block_number, tx_index)
ORDER BY (chain_id, block_number, tx_index, block_hash);

CREATE VIEW IF NOT EXISTS transactions AS
WITH (SELECT (groupArray(chain_id), groupArray(safe_number), groupArray(finalized_number)) FROM positions FINAL) AS heads
SELECT network, chain_id, block_number, block_hash, block_time, tx_hash, tx_index,
       from_address, to_address, contract_created, status, gas_used, effective_gas_price, l1_fee, method,
       CAST(multiIf(block_number <= transform(chain_id, heads.1, heads.3, toUInt64(0)), 'finalized',
                    block_number <= transform(chain_id, heads.1, heads.2, toUInt64(0)), 'safe', 'unsafe'),
            'Enum8(''unsafe'' = 1, ''safe'' = 2, ''finalized'' = 3)') AS finality,
       seq
FROM raw_transactions FINAL
WHERE NOT deleted
SETTINGS use_skip_indexes_if_final = 1, use_skip_indexes_if_final_exact_mode = 0,
         do_not_merge_across_partitions_select_final = 1;
