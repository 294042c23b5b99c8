-- The registry's views over raw_rows. A snapshot's rows have ids that begin with
-- the snapshot's; its last row, of kind snapshots, closes it. Every view shows the
-- snapshot that was closed last. An earlier one is read in raw_rows by its id.

CREATE VIEW IF NOT EXISTS registry_snapshots AS
SELECT id AS snapshot, seq, time AS fetched, r.registry_commit AS registry_commit, r.digest AS digest, r.source AS source,
       r.networks AS networks, r.projects AS projects, r.collections AS collections, r.malformed AS malformed
FROM
(
    SELECT id, seq, time,
           JSONExtract(body, 'Tuple(registry_commit String, digest String, source String, networks Array(String), projects UInt64, collections UInt64, malformed UInt64)') AS r
    FROM raw_rows FINAL
    WHERE feed = 'registry' AND kind = 'snapshots'
);

CREATE VIEW IF NOT EXISTS projects AS
SELECT r.project_id AS project_id, r.project_name AS project_name, r.display_name AS display_name, r.description AS description,
       (SELECT argMax(registry_commit, seq) FROM registry_snapshots) AS registry_commit
FROM
(
    SELECT JSONExtract(body, 'Tuple(project_id String, project_name String, display_name String, description String)') AS r
    FROM raw_rows FINAL
    WHERE feed = 'registry' AND kind = 'projects' AND startsWith(id, (SELECT concat(argMax(snapshot, seq), '/') FROM registry_snapshots))
);

CREATE VIEW IF NOT EXISTS collections AS
SELECT r.collection_id AS collection_id, r.collection_name AS collection_name, r.display_name AS display_name, r.description AS description,
       (SELECT argMax(registry_commit, seq) FROM registry_snapshots) AS registry_commit
FROM
(
    SELECT JSONExtract(body, 'Tuple(collection_id String, collection_name String, display_name String, description String)') AS r
    FROM raw_rows FINAL
    WHERE feed = 'registry' AND kind = 'collections' AND startsWith(id, (SELECT concat(argMax(snapshot, seq), '/') FROM registry_snapshots))
);

CREATE VIEW IF NOT EXISTS projects_by_collection AS
SELECT r.collection_id AS collection_id, r.collection_name AS collection_name, r.project_id AS project_id, r.project_name AS project_name,
       (SELECT argMax(registry_commit, seq) FROM registry_snapshots) AS registry_commit
FROM
(
    SELECT JSONExtract(body, 'Tuple(collection_id String, collection_name String, project_id String, project_name String)') AS r
    FROM raw_rows FINAL
    WHERE feed = 'registry' AND kind = 'projects_by_collection' AND startsWith(id, (SELECT concat(argMax(snapshot, seq), '/') FROM registry_snapshots))
);

-- listed_as is what the directory's file says: any_evm where the artifact's own
-- network is not listed.
CREATE VIEW IF NOT EXISTS artifacts_by_project AS
SELECT r.artifact_id AS artifact_id, r.artifact_source AS artifact_source, r.artifact_namespace AS artifact_namespace,
       r.artifact_name AS artifact_name, r.artifact_type AS artifact_type, r.tags AS tags, r.listed_as AS listed_as,
       r.project_id AS project_id, r.project_name AS project_name,
       (SELECT argMax(registry_commit, seq) FROM registry_snapshots) AS registry_commit
FROM
(
    SELECT JSONExtract(body, 'Tuple(artifact_id String, artifact_source LowCardinality(String), artifact_namespace String, artifact_name String, artifact_type LowCardinality(String), tags Array(String), listed_as LowCardinality(String), project_id String, project_name String)') AS r
    FROM raw_rows FINAL
    WHERE feed = 'registry' AND kind = 'artifacts_by_project' AND startsWith(id, (SELECT concat(argMax(snapshot, seq), '/') FROM registry_snapshots))
);

-- CONTRACT is the least of the types of an address, so that one project's
-- contract is a contract.
CREATE VIEW IF NOT EXISTS artifacts AS
SELECT artifact_id, any(s) AS artifact_source, any(ns) AS artifact_namespace, any(n) AS artifact_name, min(t) AS artifact_type,
       arraySort(groupUniqArrayArray(tags)) AS tags, any(c) AS registry_commit
FROM
(
    SELECT artifact_id, artifact_source AS s, artifact_namespace AS ns, artifact_name AS n, artifact_type AS t, tags, registry_commit AS c
    FROM artifacts_by_project
)
GROUP BY artifact_id;
