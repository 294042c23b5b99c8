-- The feeds' views over raw_rows. A row of a feed is its newest version by seq: an
-- observation that changed was brought again under its id. artifact_id is Open
-- Source Observer's: it joins with artifacts_by_project.

-- What was asked for, and how it came out. Hours and days are counted since 1970,
-- both ends included; from_time and to_time are the same range as moments, the end
-- excluded. What no row covers was not asked for. A range within another, and newer,
-- is the truer one.
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
);

-- A day without a row is not a day without downloads: coverage says which it is.
CREATE VIEW IF NOT EXISTS raw_npm_downloads AS
SELECT base64Encode(SHA256(concat('NPM', if(startsWith(package, '@'), substring(splitByChar('/', package)[1], 2), package), package))) AS artifact_id,
       d.package AS package, toDate(time) AS day, d.downloads AS downloads, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(package String, downloads UInt64)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'npm' AND kind = 'downloads'
);

CREATE VIEW IF NOT EXISTS raw_npm_releases AS
SELECT base64Encode(SHA256(concat('NPM', if(startsWith(package, '@'), substring(splitByChar('/', package)[1], 2), package), package))) AS artifact_id,
       d.package AS package, d.version AS version, parseDateTime64BestEffortOrNull(d.published_at, 3, 'UTC') AS published_at, seq
FROM
(
    SELECT seq, JSONExtract(body, 'Tuple(package String, version String, published_at String)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'npm' AND kind = 'releases'
);

CREATE VIEW IF NOT EXISTS raw_npm_maintainers AS
SELECT base64Encode(SHA256(concat('NPM', if(startsWith(package, '@'), substring(splitByChar('/', package)[1], 2), package), package))) AS artifact_id,
       d.package AS package, d.maintainers AS maintainers, seq
FROM
(
    SELECT seq, JSONExtract(body, 'Tuple(package String, maintainers Array(String))') AS d
    FROM raw_rows FINAL
    WHERE feed = 'npm' AND kind = 'maintainers'
);

-- One side of a movement of money; the two sides share movement. The source marks what
-- was refunded when it is asked; what was refunded since is known by its refund.
CREATE VIEW IF NOT EXISTS raw_open_collective_transactions AS
SELECT base64Encode(SHA256(concat('OPEN_COLLECTIVE', t.account))) AS artifact_id, t.id AS id, t.group AS movement,
       t.type AS type, t.kind AS kind, t.description AS description, time AS created_at,
       t.amount AS amount, t.currency AS currency, t.net_amount AS net_amount, t.net_currency AS net_currency,
       t.host_amount AS host_amount, t.host_currency AS host_currency, t.is_refund AS is_refund,
       t.is_refunded OR t.id IN
       (
           SELECT JSONExtractString(body, 'refund_id')
           FROM raw_rows FINAL
           WHERE feed = 'open_collective' AND kind = 'transactions' AND JSONExtractBool(body, 'is_refund')
       ) AS is_refunded,
       t.refund_id AS refund_id, t.account AS account, t.from_account AS from_account, t.to_account AS to_account, t.host AS host, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(id String, group String, type LowCardinality(String), kind LowCardinality(String), description String, amount Decimal(18, 2), currency LowCardinality(String), net_amount Nullable(Decimal(18, 2)), net_currency LowCardinality(String), host_amount Nullable(Decimal(18, 2)), host_currency LowCardinality(String), is_refund Bool, is_refunded Bool, refund_id String, account LowCardinality(String), from_account String, to_account String, host LowCardinality(String))') AS t
    FROM raw_rows FINAL
    WHERE feed = 'open_collective' AND kind = 'transactions'
);
