-- Coverage of chains beside that of feeds: what was read of a network, from its first
-- block to the head, for the watch set whose history is whole. It is unproven: that it
-- is complete is known block by block where headers and receipts are read, and not from
-- these tables.
DROP VIEW IF EXISTS coverage;

CREATE VIEW IF NOT EXISTS coverage AS
SELECT feed AS source, c.dataset AS dataset, '' AS watch_set, c.range_from AS range_from, c.range_to AS range_to,
       CAST(c.unit, 'Enum8(''block'' = 1, ''hour'' = 2, ''day'' = 3)') AS unit,
       CAST('none', 'Enum8(''none'' = 1, ''sample'' = 2, ''link'' = 3, ''bloom'' = 4, ''receipts'' = 5)') AS level,
       CAST(c.status, 'Enum8(''complete'' = 1, ''unproven'' = 2, ''missing'' = 3)') AS status,
       c.reason AS reason, seq, c.resource AS resource,
       toDateTime(c.range_from * if(c.unit = 'day', 86400, 3600), 'UTC') AS from_time,
       toDateTime((c.range_to + 1) * if(c.unit = 'day', 86400, 3600), 'UTC') AS to_time
FROM
(
    SELECT feed, seq, JSONExtract(body, 'Tuple(dataset LowCardinality(String), resource String, range_from UInt64, range_to UInt64, unit String, status String, reason String)') AS c
    FROM raw_rows FINAL
    WHERE kind = 'coverage'
)
UNION ALL
SELECT p.network AS source, toLowCardinality('logs') AS dataset, p.watch AS watch_set, b.first AS range_from, p.head_number AS range_to,
       CAST('block', 'Enum8(''block'' = 1, ''hour'' = 2, ''day'' = 3)') AS unit,
       CAST('none', 'Enum8(''none'' = 1, ''sample'' = 2, ''link'' = 3, ''bloom'' = 4, ''receipts'' = 5)') AS level,
       CAST('unproven', 'Enum8(''complete'' = 1, ''unproven'' = 2, ''missing'' = 3)') AS status,
       'read, and not verified' AS reason, p.seq AS seq, '' AS resource, b.from_time AS from_time, b.to_time AS to_time
FROM (SELECT chain_id, network, min(number) AS first, min(time) AS from_time, max(time) AS to_time FROM blocks GROUP BY chain_id, network) AS b
INNER JOIN (SELECT network, chain_id, watch, head_number, seq FROM positions FINAL WHERE chain_id != 0) AS p ON p.chain_id = b.chain_id AND p.network = b.network;
