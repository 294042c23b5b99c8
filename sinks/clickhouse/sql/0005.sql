-- GH Archive: GitHub's public events by the hour, a hint for history. An hour without
-- rows is not an hour without events: coverage says which it is.

-- What the source does not say is NULL, such as whether a pull request was merged,
-- and has_commits is false where a push does not say its commits, as since 2025-10-07.
-- repo is as it was named then.
CREATE VIEW IF NOT EXISTS raw_gharchive_events AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(repo), '/', '')))) AS artifact_id,
       e.id AS id, e.type AS type, e.action AS action, time AS created_at, e.repo_id AS repo_id, e.repo AS repo,
       e.actor_id AS actor_id, e.actor AS actor, e.number AS number, e.merged AS merged, e.author_association AS author_association,
       e.ref AS ref, e.size AS size, if(has_commits, e.commits, []) AS commits, has_commits, seq
FROM
(
    SELECT time, seq, JSONType(body, 'commits') = 'Array' AS has_commits,
           JSONExtract(body, 'Tuple(id String, type LowCardinality(String), action LowCardinality(String), repo_id UInt64, repo String, actor_id UInt64, actor String, number UInt64, merged Nullable(Bool), author_association LowCardinality(String), ref String, size Nullable(UInt64), commits Array(String))') AS e
    FROM raw_rows FINAL
    WHERE feed = 'gharchive' AND kind = 'events'
);

-- An hour's file, as it was read.
CREATE VIEW IF NOT EXISTS raw_gharchive_hours AS
SELECT time AS hour, h.lines AS lines, h.kept AS kept, h.unread AS unread, h.bytes AS bytes, h.sha256 AS sha256,
       parseDateTimeBestEffortOrNull(h.first, 'UTC') AS first_event, parseDateTimeBestEffortOrNull(h.last, 'UTC') AS last_event, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(lines UInt64, kept UInt64, unread UInt64, bytes UInt64, sha256 String, first String, last String)') AS h
    FROM raw_rows FINAL
    WHERE feed = 'gharchive' AND kind = 'hours'
);
