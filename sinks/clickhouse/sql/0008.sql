-- Every event of every source in Open Source Observer's shape and words. Artifact ids
-- are those of artifacts_by_project. amount is 1, or the quantity where the source has
-- one: downloads, US dollars.
--
-- LOG_EMITTED is no word of Open Source Observer's: it knows internal invocations from
-- traces, of which a log is no proof. Transactions are there in receipts mode; one that
-- failed, or brought no input, invoked no contract. A pull request that was merged was
-- closed too. A repository's events are all of its name now. GH Archive has a source of
-- its own, GHARCHIVE, so that what GitHub says itself is not counted twice: sum over one
-- of the two. Other currencies than US dollars stay in raw_open_collective_transactions.
CREATE VIEW IF NOT EXISTS oso_events AS
SELECT block_time AS time, toLowCardinality('LOG_EMITTED') AS event_type, toLowCardinality(upper(network)) AS event_source,
       concat(tx_hash, '/', toString(log_index)) AS event_source_id,
       base64Encode(SHA256(concat(upper(network), address))) AS to_artifact_id, '' AS to_artifact_namespace, toString(address) AS to_artifact_name,
       '' AS from_artifact_id, '' AS from_artifact_namespace, '' AS from_artifact_name, toFloat64(1) AS amount
FROM events
UNION ALL
SELECT block_time AS time,
       toLowCardinality(multiIf(status = 0, 'FAILED_TRANSACTION', to_address = '' OR method = '0x00000000', 'TRANSACTION', 'CONTRACT_INVOCATION')) AS event_type,
       toLowCardinality(upper(network)) AS event_source, base64Encode(SHA256(concat(upper(network), tx_hash))) AS event_source_id,
       base64Encode(SHA256(concat(upper(network), to_artifact_name))) AS to_artifact_id, '' AS to_artifact_namespace,
       if(to_address = '', contract_created, to_address) AS to_artifact_name,
       base64Encode(SHA256(concat(upper(network), from_address))) AS from_artifact_id, '' AS from_artifact_namespace, from_address AS from_artifact_name,
       toFloat64(1) AS amount
FROM transactions
UNION ALL
SELECT toDateTime(day, 'UTC') AS time, toLowCardinality('DOWNLOADS') AS event_type, toLowCardinality('NPM') AS event_source,
       concat(package, '/', toString(day)) AS event_source_id, artifact_id AS to_artifact_id,
       if(startsWith(package, '@'), substring(splitByChar('/', package)[1], 2), package) AS to_artifact_namespace, package AS to_artifact_name,
       '' AS from_artifact_id, '' AS from_artifact_namespace, '' AS from_artifact_name, toFloat64(downloads) AS amount
FROM raw_npm_downloads
UNION ALL
SELECT created_at AS time, toLowCardinality(upper(type)) AS event_type, toLowCardinality('OPEN_COLLECTIVE') AS event_source, id AS event_source_id,
       if(to_artifact_name = '', '', base64Encode(SHA256(concat('OPEN_COLLECTIVE', to_artifact_name)))) AS to_artifact_id, '' AS to_artifact_namespace,
       if(type = 'CREDIT', toString(account), to_account) AS to_artifact_name,
       if(from_artifact_name = '', '', base64Encode(SHA256(concat('OPEN_COLLECTIVE', from_artifact_name)))) AS from_artifact_id, '' AS from_artifact_namespace,
       if(type = 'DEBIT', toString(account), from_account) AS from_artifact_name, abs(toFloat64(t.amount)) AS amount
FROM raw_open_collective_transactions AS t
WHERE currency = 'USD'
UNION ALL
SELECT time, toLowCardinality(event_type) AS event_type, toLowCardinality(event_source) AS event_source, event_source_id,
       base64Encode(SHA256(concat('GITHUB', to_artifact_namespace, to_artifact_name))) AS to_artifact_id,
       splitByChar('/', if(r.name = '', e.name, r.name))[1] AS to_artifact_namespace, splitByChar('/', if(r.name = '', e.name, r.name))[2] AS to_artifact_name,
       if(actor = '', '', base64Encode(SHA256(concat('GITHUB', actor, actor)))) AS from_artifact_id, actor AS from_artifact_namespace, actor AS from_artifact_name,
       toFloat64(1) AS amount
FROM
(
    SELECT committed_at AS time, 'COMMIT_CODE' AS event_type, 'GITHUB' AS event_source, sha AS event_source_id, repository_id,
           lower(repository) AS name, lower(if(author_login = '', author_email_hash, author_login)) AS actor
    FROM raw_github_commits
    UNION ALL
    SELECT created_at, 'ISSUE_OPENED', 'GITHUB', toString(id), repository_id, lower(repository), lower(author_login) FROM raw_github_issues
    UNION ALL
    SELECT created_at, 'PULL_REQUEST_OPENED', 'GITHUB', toString(id), repository_id, lower(repository), lower(author_login) FROM raw_github_pull_requests
    UNION ALL
    SELECT created_at, concat(if(is_pull_request, 'PULL_REQUEST_', 'ISSUE_'), upper(event)), 'GITHUB',
           concat(toString(repository_id), '/', toString(number), '/', event, '/', toString(toUnixTimestamp(created_at))),
           repository_id, lower(repository), lower(actor_login)
    FROM raw_github_issue_events
    UNION ALL
    SELECT submitted_at, 'PULL_REQUEST_REVIEW', 'GITHUB', toString(id), repository_id, lower(repository), lower(author_login) FROM raw_github_reviews
    UNION ALL
    SELECT created_at, if(is_review, 'PULL_REQUEST_REVIEW_COMMENT', 'ISSUE_COMMENT'), 'GITHUB', toString(id), repository_id, lower(repository), lower(author_login)
    FROM raw_github_comments
    UNION ALL
    SELECT assumeNotNull(published_at), 'RELEASE_PUBLISHED', 'GITHUB', toString(id), repository_id, lower(repository), lower(author_login)
    FROM raw_github_releases
    WHERE isNotNull(published_at)
    UNION ALL
    SELECT starred_at, 'STARRED', 'GITHUB', concat(toString(repository_id), '/', login), repository_id, lower(repository), lower(login) FROM raw_github_stars
    UNION ALL
    SELECT created_at, 'FORKED', 'GITHUB', toString(id), repository_id, lower(repository), lower(login) FROM raw_github_forks
    UNION ALL
    SELECT created_at, arrayJoin(multiIf(
               type = 'WatchEvent', ['STARRED'],
               type = 'ForkEvent', ['FORKED'],
               type = 'ReleaseEvent' AND action = 'published', ['RELEASE_PUBLISHED'],
               type = 'IssuesEvent' AND action IN ('opened', 'closed', 'reopened'), [concat('ISSUE_', upper(action))],
               type = 'PullRequestEvent' AND (action = 'merged' OR action = 'closed' AND merged), ['PULL_REQUEST_MERGED', 'PULL_REQUEST_CLOSED'],
               type = 'PullRequestEvent' AND action IN ('opened', 'closed', 'reopened'), [concat('PULL_REQUEST_', upper(action))],
               type = 'IssueCommentEvent' AND action = 'created', ['ISSUE_COMMENT'],
               type = 'PullRequestReviewCommentEvent' AND action = 'created', ['PULL_REQUEST_REVIEW_COMMENT'],
               type = 'PullRequestReviewEvent' AND action IN ('created', 'submitted'), ['PULL_REQUEST_REVIEW'],
               [])),
           'GHARCHIVE', id, repo_id, lower(repo), lower(actor)
    FROM raw_gharchive_events
    UNION ALL
    SELECT min(created_at), 'COMMIT_CODE', 'GHARCHIVE', sha, repo_id, argMin(lower(repo), created_at), argMin(lower(actor), created_at)
    FROM raw_gharchive_events ARRAY JOIN commits AS sha
    WHERE type = 'PushEvent' AND ref IN ('refs/heads/main', 'refs/heads/master')
    GROUP BY repo_id, sha
) AS e
LEFT JOIN (SELECT repository_id, lower(repository) AS name FROM raw_github_repositories) AS r ON r.repository_id = e.repository_id;

-- What oss-directory lists and, of a GitHub entry, the repositories that it stands for
-- under their names now: all that an owner has, and one that was renamed.
DROP VIEW IF EXISTS artifacts_by_project;

CREATE VIEW IF NOT EXISTS artifacts_by_project AS
WITH listed AS
(
    SELECT r.artifact_id AS artifact_id, r.artifact_source AS artifact_source, r.artifact_namespace AS artifact_namespace,
           r.artifact_name AS artifact_name, r.artifact_type AS artifact_type, r.tags AS tags, r.listed_as AS listed_as,
           r.project_id AS project_id, r.project_name AS project_name,
           (SELECT argMax(registry_commit, seq) FROM registry_snapshots) AS registry_commit
    FROM
    (
        SELECT JSONExtract(body, 'Tuple(artifact_id String, artifact_source LowCardinality(String), artifact_namespace String, artifact_name String, artifact_type LowCardinality(String), tags Array(String), listed_as LowCardinality(String), project_id String, project_name String)') AS r
        FROM raw_rows FINAL
        WHERE feed = 'registry' AND kind = 'artifacts_by_project' AND startsWith(id, (SELECT concat(argMax(snapshot, seq), '/') FROM registry_snapshots))
    )
)
SELECT * FROM listed
UNION ALL
SELECT DISTINCT repository.artifact_id AS artifact_id, toLowCardinality('GITHUB') AS artifact_source,
       splitByChar('/', repository.name)[1] AS artifact_namespace, splitByChar('/', repository.name)[2] AS artifact_name,
       toLowCardinality('REPOSITORY') AS artifact_type, CAST([], 'Array(String)') AS tags, toLowCardinality('github') AS listed_as,
       entry.project_id AS project_id, entry.project_name AS project_name, entry.registry_commit AS registry_commit
FROM listed AS entry
INNER JOIN raw_github_listings AS stands_for ON stands_for.artifact_id = entry.artifact_id
INNER JOIN (SELECT repository_id, artifact_id, lower(repository) AS name FROM raw_github_repositories) AS repository ON repository.repository_id = stands_for.repository_id
WHERE (repository.artifact_id, entry.project_id) NOT IN (SELECT artifact_id, project_id FROM listed WHERE artifact_source = 'GITHUB');
