-- The views of GitHub over raw_rows. A repository is followed by its number, through
-- renames: repository is its name when the row was brought, repository_id stays.
-- artifact_id is Open Source Observer's of the repository under that name.
CREATE VIEW IF NOT EXISTS raw_github_repositories AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.id AS repository_id, d.repository AS repository, d.node_id AS node_id, d.default_branch AS default_branch, d.language AS language, d.license AS license,
       parseDateTimeBestEffortOrNull(d.created_at, 'UTC') AS created_at, parseDateTimeBestEffortOrNull(d.pushed_at, 'UTC') AS pushed_at,
       d.stars AS stars, d.forks AS forks, d.is_fork AS is_fork, d.is_archived AS is_archived, d.is_disabled AS is_disabled, seq
FROM
(
    SELECT seq, JSONExtract(body, 'Tuple(id UInt64, repository String, node_id String, default_branch String, language LowCardinality(String), license LowCardinality(String), created_at String, pushed_at String, stars UInt64, forks UInt64, is_fork Bool, is_archived Bool, is_disabled Bool)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'repositories'
);

-- Which repositories an entry of oss-directory stands for: one, or all of an owner.
-- artifact_id is the entry's, so that it joins with artifacts_by_project.
CREATE VIEW IF NOT EXISTS raw_github_listings AS
SELECT base64Encode(SHA256(concat('GITHUB', d.owner, d.name))) AS artifact_id, d.owner AS owner, d.name AS name, arrayJoin(d.repository_ids) AS repository_id, seq
FROM
(
    SELECT seq, JSONExtract(body, 'Tuple(owner String, name String, repository_ids Array(UInt64))') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'listings'
);

-- Commits on the default branch. One that a fork shares with its origin is there once
-- for each: sha tells. author_login is empty where only an address is known, which
-- author_email_hash stands for: hex of the SHA-256 of it in lower case.
CREATE VIEW IF NOT EXISTS raw_github_commits AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.repository_id AS repository_id, d.repository AS repository, d.sha AS sha, time AS committed_at,
       parseDateTimeBestEffortOrNull(d.authored_at, 'UTC') AS authored_at, d.headline AS headline,
       d.author_login AS author_login, d.author_id AS author_id, d.author_name AS author_name, d.author_email_hash AS author_email_hash, d.author_email AS author_email,
       d.is_bot AS is_bot, d.committer_login AS committer_login, d.co_authors AS co_authors, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(repository_id UInt64, repository String, sha String, authored_at String, headline String, author_login String, author_id UInt64, author_name String, author_email_hash String, author_email String, is_bot Bool, committer_login String, co_authors Array(Tuple(login String, id UInt64, name String, email_hash String, is_bot Bool)))') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'commits'
);

CREATE VIEW IF NOT EXISTS raw_github_issues AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.repository_id AS repository_id, d.repository AS repository, d.id AS id, d.number AS number, d.title AS title, d.state AS state, d.state_reason AS state_reason,
       time AS created_at, parseDateTimeBestEffortOrNull(d.updated_at, 'UTC') AS updated_at, parseDateTimeBestEffortOrNull(d.closed_at, 'UTC') AS closed_at,
       d.author_login AS author_login, d.author_id AS author_id, d.author_association AS author_association, d.is_bot AS is_bot, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(repository_id UInt64, repository String, id UInt64, number UInt64, title String, state LowCardinality(String), state_reason LowCardinality(String), updated_at String, closed_at String, author_login String, author_id UInt64, author_association LowCardinality(String), is_bot Bool)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'issues'
);

CREATE VIEW IF NOT EXISTS raw_github_pull_requests AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.repository_id AS repository_id, d.repository AS repository, d.id AS id, d.number AS number, d.title AS title, d.state AS state, d.is_draft AS is_draft,
       time AS created_at, parseDateTimeBestEffortOrNull(d.updated_at, 'UTC') AS updated_at, parseDateTimeBestEffortOrNull(d.closed_at, 'UTC') AS closed_at,
       parseDateTimeBestEffortOrNull(d.merged_at, 'UTC') AS merged_at, d.merged_by AS merged_by, d.merge_commit AS merge_commit, d.base_branch AS base_branch,
       d.author_login AS author_login, d.author_id AS author_id, d.author_association AS author_association, d.is_bot AS is_bot, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(repository_id UInt64, repository String, id UInt64, number UInt64, title String, state LowCardinality(String), is_draft Bool, updated_at String, closed_at String, merged_at String, merged_by String, merge_commit String, base_branch String, author_login String, author_id UInt64, author_association LowCardinality(String), is_bot Bool)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'pull_requests'
);

-- That an issue or a pull request was closed, reopened or merged.
CREATE VIEW IF NOT EXISTS raw_github_issue_events AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.repository_id AS repository_id, d.repository AS repository, d.number AS number, d.is_pull_request AS is_pull_request, d.event AS event, time AS created_at,
       d.actor_login AS actor_login, d.actor_id AS actor_id, d.is_bot AS is_bot, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(repository_id UInt64, repository String, number UInt64, is_pull_request Bool, event LowCardinality(String), actor_login String, actor_id UInt64, is_bot Bool)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'issue_events'
);

CREATE VIEW IF NOT EXISTS raw_github_reviews AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.repository_id AS repository_id, d.repository AS repository, d.id AS id, d.number AS number, d.state AS state, time AS submitted_at,
       d.author_login AS author_login, d.author_id AS author_id, d.author_association AS author_association, d.is_bot AS is_bot, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(repository_id UInt64, repository String, id UInt64, number UInt64, state LowCardinality(String), author_login String, author_id UInt64, author_association LowCardinality(String), is_bot Bool)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'reviews'
);

-- Comments: of the talk below an issue or a pull request, and of reviews, on a line.
CREATE VIEW IF NOT EXISTS raw_github_comments AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.repository_id AS repository_id, d.repository AS repository, d.id AS id, CAST(kind = 'review_comments', 'Bool') AS is_review, d.number AS number, d.is_pull_request AS is_pull_request,
       time AS created_at, parseDateTimeBestEffortOrNull(d.updated_at, 'UTC') AS updated_at,
       d.author_login AS author_login, d.author_id AS author_id, d.author_association AS author_association, d.is_bot AS is_bot, seq
FROM
(
    SELECT kind, time, seq, JSONExtract(body, 'Tuple(repository_id UInt64, repository String, id UInt64, number UInt64, is_pull_request Bool, updated_at String, author_login String, author_id UInt64, author_association LowCardinality(String), is_bot Bool)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind IN ('issue_comments', 'review_comments')
);

CREATE VIEW IF NOT EXISTS raw_github_releases AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.repository_id AS repository_id, d.repository AS repository, d.id AS id, d.tag AS tag, d.name AS name, d.is_prerelease AS is_prerelease,
       time AS created_at, parseDateTimeBestEffortOrNull(d.published_at, 'UTC') AS published_at, d.author_login AS author_login, d.author_id AS author_id, d.is_bot AS is_bot, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(repository_id UInt64, repository String, id UInt64, tag String, name String, is_prerelease Bool, published_at String, author_login String, author_id UInt64, is_bot Bool)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'releases'
);

-- A star that was taken back stays: it is that somebody starred, not the sum, which
-- raw_github_repositories has.
CREATE VIEW IF NOT EXISTS raw_github_stars AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.repository_id AS repository_id, d.repository AS repository, d.login AS login, d.user_id AS user_id, time AS starred_at, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(repository_id UInt64, repository String, login String, user_id UInt64)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'stars'
);

CREATE VIEW IF NOT EXISTS raw_github_forks AS
SELECT base64Encode(SHA256(concat('GITHUB', replaceOne(lower(d.repository), '/', '')))) AS artifact_id,
       d.repository_id AS repository_id, d.repository AS repository, d.id AS id, d.fork AS fork, d.login AS login, d.owner_id AS owner_id, time AS created_at, seq
FROM
(
    SELECT time, seq, JSONExtract(body, 'Tuple(repository_id UInt64, repository String, id UInt64, fork String, login String, owner_id UInt64)') AS d
    FROM raw_rows FINAL
    WHERE feed = 'github' AND kind = 'forks'
);
