package clickhouse

import (
	"strings"
	"testing"

	"superindex/chain"
)

// observed is a step of a feed's rows.
func observed(h *history, feed string, rows ...chain.Row) chain.Step {
	step := h.step()
	step.Rows = &chain.Rows{Feed: feed, Rows: rows}
	return step
}

// TestTheFeedsViews: what was not delivered is in no view but coverage; what came
// again is there once, in its newest version; ids are Open Source Observer's.
func TestTheFeedsViews(t *testing.T) {
	w, h := newWarehouse(t), newHistory("feeds")
	h.stream.ChainID = 0
	const day = 20_777 * 86_400 // 2026-11-20
	w.write(w.sink(), observed(h, "npm",
		chain.Row{Kind: "downloads", ID: "@x/b/2026-11-20", Time: day, Body: []byte(`{"package":"@x/b","day":"2026-11-20","downloads":7}`)},
		chain.Row{Kind: "coverage", ID: "downloads/@x/b/day/20777", Time: day, Body: []byte(`{"dataset":"downloads","resource":"@x/b","range_from":20777,"range_to":20777,"unit":"day","status":"complete","reason":""}`)},
		chain.Row{Kind: "coverage", ID: "downloads/@x/b/day/20778", Time: day + 86_400, Body: []byte(`{"dataset":"downloads","resource":"@x/b","range_from":20778,"range_to":20778,"unit":"day","status":"missing","reason":"late"}`)},
		chain.Row{Kind: "releases", ID: "@x/b@1.0.0", Time: day, Body: []byte(`{"package":"@x/b","version":"1.0.0","published_at":"2026-11-20T01:02:03.5Z"}`)},
		chain.Row{Kind: "maintainers", ID: "@x/b", Time: day, Body: []byte(`{"package":"@x/b","maintainers":["al","zoe"]}`)},
	), observed(h, "npm",
		chain.Row{Kind: "downloads", ID: "@x/b/2026-11-20", Time: day, Body: []byte(`{"package":"@x/b","day":"2026-11-20","downloads":8}`)},
	), observed(h, "open_collective",
		chain.Row{Kind: "transactions", ID: "a", Time: day, Body: []byte(`{"id":"a","group":"g","type":"CREDIT","kind":"CONTRIBUTION","amount":20.10,"currency":"EUR","net_amount":null,"account":"babel"}`)},
		chain.Row{Kind: "transactions", ID: "b", Time: day, Body: []byte(`{"id":"b","group":"h","type":"DEBIT","kind":"CONTRIBUTION","amount":-20.1,"currency":"EUR","net_amount":-0.30,"is_refund":true,"refund_id":"a","account":"babel"}`)},
	))
	w.want("SELECT toString((artifact_id = base64Encode(SHA256('NPMx@x/b')), package, day, downloads)) FROM raw_npm_downloads", "(1,'@x/b','2026-11-20',8)")
	w.want("SELECT toString((package, version, published_at)) FROM raw_npm_releases", "('@x/b','1.0.0','2026-11-20 01:02:03.500')")
	w.want("SELECT toString((package, maintainers)) FROM raw_npm_maintainers", "('@x/b',['al','zoe'])")
	w.want("SELECT toString((source, dataset, resource, range_from, unit, level, status, reason, from_time, to_time)) FROM coverage ORDER BY range_from",
		"('npm','downloads','@x/b',20777,'day','none','complete','','2026-11-20 00:00:00','2026-11-21 00:00:00')",
		"('npm','downloads','@x/b',20778,'day','none','missing','late','2026-11-21 00:00:00','2026-11-22 00:00:00')")
	w.want("SELECT toString((artifact_id = base64Encode(SHA256('OPEN_COLLECTIVEbabel')), id, movement, type, amount, currency, net_amount, is_refund, is_refunded)) FROM raw_open_collective_transactions ORDER BY id",
		"(1,'a','g','CREDIT',20.1,'EUR',NULL,false,true)", "(1,'b','h','DEBIT',-20.1,'EUR',-0.3,true,false)")
	w.want("SELECT name || ' ' || type FROM system.columns WHERE database = currentDatabase() AND table = 'coverage' ORDER BY position LIMIT 10",
		"source LowCardinality(String)", "dataset LowCardinality(String)", "watch_set String", "range_from UInt64", "range_to UInt64",
		"unit Enum8('block' = 1, 'hour' = 2, 'day' = 3)", "level Enum8('none' = 1, 'sample' = 2, 'link' = 3, 'bloom' = 4, 'receipts' = 5)",
		"status Enum8('complete' = 1, 'unproven' = 2, 'missing' = 3)", "reason String", "seq UInt64")
}

// TestGHArchivesViews: what an event does not say is NULL, and not zero.
func TestGHArchivesViews(t *testing.T) {
	w, h := newWarehouse(t), newHistory("feeds")
	h.stream.ChainID = 0
	const at = 1_705_294_800 // 2024-01-15 05:00:00
	w.write(w.sink(), observed(h, "gharchive",
		chain.Row{Kind: "events", ID: "1", Time: at, Body: []byte(`{"id":"1","type":"PushEvent","action":"","created_at":"2024-01-15T05:00:00Z","repo_id":9,"repo":"Acme/X.y","actor_id":7,"actor":"Al","number":0,"merged":null,"author_association":"","ref":"refs/heads/main","size":2,"commits":["a","b"]}`)},
		chain.Row{Kind: "events", ID: "2", Time: at + 1, Body: []byte(`{"id":"2","type":"PushEvent","action":"","created_at":"2025-11-15T05:00:00Z","repo_id":9,"repo":"acme/x.y","actor_id":7,"actor":"Al","number":0,"merged":null,"author_association":"","ref":"refs/heads/main","size":null,"commits":null}`)},
		chain.Row{Kind: "events", ID: "3", Time: at + 2, Body: []byte(`{"id":"3","type":"PullRequestEvent","action":"closed","created_at":"2024-01-15T05:00:02Z","repo_id":9,"repo":"acme/x.y","actor_id":7,"actor":"Al","number":5,"merged":true,"author_association":"NONE","ref":"","size":null,"commits":null}`)},
		chain.Row{Kind: "hours", ID: "2024-01-15T05", Time: at, Body: []byte(`{"hour":"2024-01-15T05:00:00Z","lines":2000,"kept":3,"unread":1,"bytes":99,"sha256":"ab","first":"2024-01-15T05:00:00Z","last":"2024-01-15T05:59:59Z"}`)},
		chain.Row{Kind: "coverage", ID: "events//hour/473693", Time: at, Body: []byte(`{"dataset":"events","resource":"","range_from":473693,"range_to":473693,"unit":"hour","status":"unproven","reason":"1 of 2000 lines cannot be read"}`)},
		chain.Row{Kind: "coverage", ID: "events//hour/473694", Time: at + 3600, Body: []byte(`{"dataset":"events","resource":"","range_from":473694,"range_to":473694,"unit":"hour","status":"missing","reason":"the source has no file of the hour"}`)},
	))
	w.want("SELECT toString((artifact_id = base64Encode(SHA256('GITHUBacmex.y')), id, type, action, created_at, repo_id, repo, actor, number, merged, ref, size, commits, has_commits)) FROM raw_gharchive_events ORDER BY id",
		"(1,'1','PushEvent','','2024-01-15 05:00:00',9,'Acme/X.y','Al',0,NULL,'refs/heads/main',2,['a','b'],1)",
		"(1,'2','PushEvent','','2024-01-15 05:00:01',9,'acme/x.y','Al',0,NULL,'refs/heads/main',NULL,[],0)",
		"(1,'3','PullRequestEvent','closed','2024-01-15 05:00:02',9,'acme/x.y','Al',5,true,'',NULL,[],0)")
	w.want("SELECT toString((hour, lines, kept, unread, bytes, sha256, first_event, last_event)) FROM raw_gharchive_hours",
		"('2024-01-15 05:00:00',2000,3,1,99,'ab','2024-01-15 05:00:00','2024-01-15 05:59:59')")
	w.want("SELECT toString((status, from_time, to_time)) FROM coverage ORDER BY range_from",
		"('unproven','2024-01-15 05:00:00','2024-01-15 06:00:00')", "('missing','2024-01-15 06:00:00','2024-01-15 07:00:00')")
}

// TestTheViewsOfGitHub: every view shows its rows, in their newest version, and what
// oss-directory lists joins with the repositories that it stands for.
func TestTheViewsOfGitHub(t *testing.T) {
	w, h := newWarehouse(t), newHistory("feeds")
	h.stream.ChainID = 0
	const at = 20_777 * 86_400 // 2026-11-20
	row := func(kind, id, body string) chain.Row {
		return chain.Row{Kind: kind, ID: id, Time: at, Body: []byte(`{"repository_id":7,"repository":"Org/Repo",` + body + `}`)}
	}
	w.write(w.sink(), observed(h, "github",
		chain.Row{Kind: "repositories", ID: "7", Time: at, Body: []byte(`{"id":7,"repository":"Org/Repo","stars":2,"created_at":"2020-01-02T03:04:05Z","is_fork":true}`)},
		chain.Row{Kind: "listings", ID: "org/", Time: at, Body: []byte(`{"owner":"org","name":"","repository_ids":[7,8]}`)},
		row("commits", "7/ab", `"sha":"ab","author_login":"al","author_id":1,"is_bot":false,"co_authors":[{"login":"","id":0,"name":"Zoe","email_hash":"ef","is_bot":true}]`),
		row("issues", "1", `"id":1,"number":2,"state":"OPEN","author_association":"NONE","updated_at":"2026-11-20T00:00:01Z"`),
		row("pull_requests", "3", `"id":3,"number":4,"state":"MERGED","merged_at":"2026-11-20T00:00:02Z","merged_by":"al","is_draft":false`),
		row("issue_events", "7/4/merged/1", `"number":4,"is_pull_request":true,"event":"merged","actor_login":"al","actor_id":1`),
		row("reviews", "5", `"id":5,"number":4,"state":"APPROVED","author_login":"bo"`),
		row("issue_comments", "6", `"id":6,"number":2,"is_pull_request":false,"author_login":"bo","is_bot":true`),
		row("review_comments", "6", `"id":6,"number":4,"is_pull_request":true,"author_login":"bo"`),
		row("releases", "9", `"id":9,"tag":"v1","published_at":"2026-11-20T00:00:03Z"`),
		row("stars", "7/1/1", `"login":"al","user_id":1`),
		row("forks", "10", `"id":10,"fork":"bo/repo","login":"bo","owner_id":2`),
	), observed(h, "github", row("issues", "1", `"id":1,"number":2,"state":"CLOSED","closed_at":"2026-11-20T00:00:04Z"`)))
	for query, want := range map[string]string{
		"repository_id, stars, created_at, pushed_at, is_fork FROM raw_github_repositories":           "(7,2,'2020-01-02 03:04:05',NULL,true)",
		"sha, author_login, co_authors.name, co_authors.is_bot, committed_at FROM raw_github_commits": "('ab','al',['Zoe'],[true],'2026-11-20 00:00:00')",
		"number, state, created_at, closed_at FROM raw_github_issues":                                 "(2,'CLOSED','2026-11-20 00:00:00','2026-11-20 00:00:04')",
		"number, state, merged_at, merged_by FROM raw_github_pull_requests":                           "(4,'MERGED','2026-11-20 00:00:02','al')",
		"number, event, is_pull_request, actor_login FROM raw_github_issue_events":                    "(4,'merged',true,'al')",
		"number, state, author_login FROM raw_github_reviews":                                         "(4,'APPROVED','bo')",
		"id, tag, published_at FROM raw_github_releases":                                              "(9,'v1','2026-11-20 00:00:03')",
		"repository_id, login, starred_at FROM raw_github_stars":                                      "(7,'al','2026-11-20 00:00:00')",
		"id, fork, login FROM raw_github_forks":                                                       "(10,'bo/repo','bo')",
		"artifact_id = base64Encode(SHA256('GITHUBorgrepo')) AS named, 1 FROM raw_github_stars":       "(1,1)",
	} {
		columns, from, _ := strings.Cut(query, " FROM ")
		w.want("SELECT toString(("+columns+")) FROM "+from, want)
	}
	w.want("SELECT toString((id, is_review, number, is_bot)) FROM raw_github_comments ORDER BY is_review", "(6,false,2,true)", "(6,true,4,false)")
	w.want("SELECT toString((artifact_id = base64Encode(SHA256('GITHUBorg')), name, repository_id)) FROM raw_github_listings ORDER BY repository_id", "(1,'',7)", "(1,'',8)")
}

// TestCoverageOfAChain: what was read of it is a row, and follows the head through a
// revert; it claims no more than that.
func TestCoverageOfAChain(t *testing.T) {
	w, h, other := newWarehouse(t), newHistory("op"), newHistory("two")
	sink := w.sink()
	const chains = "SELECT toString((source, dataset, watch_set != '', range_from, range_to, unit, level, status, resource, to_time - from_time)) FROM coverage ORDER BY source"
	w.want(chains)
	w.write(sink, h.apply(5, 9, 'a', 1))
	w.write(sink, other.apply(1, 1, 'a', 0))
	w.want(chains, "('op','logs',1,5,9,'block','none','unproven','',8)", "('two','logs',1,1,1,'block','none','unproven','',0)")
	w.write(sink, h.revert(7, 'a', chain.Reorg))
	w.want(chains, "('op','logs',1,5,7,'block','none','unproven','',4)", "('two','logs',1,1,1,'block','none','unproven','',0)")
	w.want("SELECT toString(count()) FROM coverage WHERE source = 'npm'", "0")
}
