package clickhouse

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"superindex/chain"
)

// osoID is Open Source Observer's, as the registry makes it.
func osoID(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "")))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// listed are the rows of a snapshot with one project, which lists artifacts.
func listed(artifacts ...[3]string) (rows []chain.Row) {
	rows = append(rows, chain.Row{Kind: "projects", ID: "s/p", Body: []byte(`{"project_id":"P","project_name":"p","display_name":"P","description":""}`)})
	for i, a := range artifacts {
		body := fmt.Sprintf(`{"artifact_id":%q,"artifact_source":%q,"artifact_namespace":%q,"artifact_name":%q,"artifact_type":"T","tags":[],"project_id":"P","project_name":"p"}`,
			osoID(a[0], a[1], a[2]), a[0], a[1], a[2])
		rows = append(rows, chain.Row{Kind: "artifacts_by_project", ID: fmt.Sprint("s/p/", i), Body: []byte(body)})
	}
	return append(rows, chain.Row{Kind: "snapshots", ID: "s", Body: []byte(`{"registry_commit":"c"}`)})
}

const osoDay = 20_777 * 86_400 // 2026-11-20

func row(kind, id, body string) chain.Row {
	return chain.Row{Kind: kind, ID: id, Time: osoDay, Body: []byte(body)}
}

// TestEveryEventInOpenSourceObserversShape: each source's events have its words, and
// join with artifacts_by_project by what they were done to.
func TestEveryEventInOpenSourceObserversShape(t *testing.T) {
	w, h, f := newWarehouse(t), newHistory("op"), newHistory("feeds")
	f.stream.ChainID = 0
	sink := w.sink()
	step := withTransactions(h.apply(7, 7, 'a', 1), 4)
	txs := step.Apply.Transactions
	txs[1].Status, txs[2].Method = 0, [4]byte{}
	txs[3].To, txs[3].Created = nil, &chain.Address{0xcc}
	w.write(sink, step)
	const of = `"repository_id":9,"repository":"Acme/X.y"`
	w.write(sink, observed(f, "registry", listed([3]string{"OP", "", chain.Address{0x70}.String()}, [3]string{"OP", "", step.Apply.Events[0].Address.String()},
		[3]string{"NPM", "x", "@x/b"}, [3]string{"OPEN_COLLECTIVE", "", "babel"}, [3]string{"GITHUB", "acme", "x.y"})...),
		observed(f, "npm", row("downloads", "1", `{"package":"@x/b","day":"2026-11-20","downloads":7}`)),
		observed(f, "open_collective",
			row("transactions", "a", `{"id":"a","type":"CREDIT","amount":20.10,"currency":"USD","account":"babel","from_account":"giver","to_account":"babel"}`),
			row("transactions", "b", `{"id":"b","type":"DEBIT","amount":-5.5,"currency":"USD","account":"babel","from_account":"babel","to_account":"taker"}`),
			row("transactions", "c", `{"id":"c","type":"CREDIT","amount":9,"currency":"EUR","account":"babel"}`)),
		observed(f, "github",
			row("commits", "1", `{`+of+`,"sha":"aa","author_login":"Al"}`), row("commits", "2", `{`+of+`,"sha":"bb","author_email_hash":"e1"}`),
			row("issues", "1", `{`+of+`,"id":1,"number":4,"author_login":"Al"}`), row("pull_requests", "1", `{`+of+`,"id":2,"number":5,"author_login":"Al"}`),
			row("issue_events", "1", `{`+of+`,"number":4,"event":"reopened","actor_login":"Al"}`), row("issue_events", "2", `{`+of+`,"number":5,"is_pull_request":true,"event":"merged","actor_login":"Al"}`),
			row("reviews", "1", `{`+of+`,"id":3,"author_login":"Al"}`), row("issue_comments", "1", `{`+of+`,"id":4,"author_login":"Al"}`), row("review_comments", "1", `{`+of+`,"id":5,"author_login":"Al"}`),
			row("releases", "1", `{`+of+`,"id":6,"author_login":"Al","published_at":"2026-11-19T01:02:03Z"}`), row("releases", "2", `{`+of+`,"id":7,"author_login":"Al"}`),
			row("stars", "1", `{`+of+`,"login":"Al"}`), row("forks", "1", `{`+of+`,"id":8,"login":"Al"}`)),
		observed(f, "gharchive",
			row("events", "1", `{"id":"1","type":"PushEvent","repo_id":9,"repo":"acme/x.y","actor":"Al","ref":"refs/heads/main","commits":["aa","bb"]}`),
			chain.Row{Kind: "events", ID: "2", Time: osoDay + 1, Body: []byte(`{"id":"2","type":"PushEvent","repo_id":9,"repo":"acme/x.y","actor":"Bo","ref":"refs/heads/master","commits":["bb"]}`)},
			row("events", "3", `{"id":"3","type":"PushEvent","repo_id":9,"repo":"acme/x.y","actor":"Bo","ref":"refs/heads/dev","commits":["cc"]}`),
			row("events", "4", `{"id":"4","type":"PushEvent","repo_id":9,"repo":"acme/x.y","actor":"Bo","ref":"refs/heads/main","commits":null}`),
			row("events", "5", `{"id":"5","type":"PullRequestEvent","action":"closed","merged":true,"repo_id":9,"repo":"acme/x.y","actor":"Bo"}`),
			row("events", "6", `{"id":"6","type":"PullRequestEvent","action":"closed","merged":null,"repo_id":9,"repo":"acme/x.y","actor":"Bo"}`),
			row("events", "7", `{"id":"7","type":"PullRequestEvent","action":"labeled","repo_id":9,"repo":"acme/x.y","actor":"Bo"}`),
			row("events", "8", `{"id":"8","type":"IssuesEvent","action":"opened","repo_id":9,"repo":"acme/x.y","actor":"Bo"}`),
			row("events", "9", `{"id":"9","type":"WatchEvent","action":"started","repo_id":9,"repo":"acme/x.y","actor":"Bo"}`)),
	)
	w.want("SELECT toString((event_source, event_type, count(), sum(amount), groupUniqArray(from_artifact_name != ''))) FROM oso_events AS e JOIN artifacts_by_project AS p ON p.artifact_id = e.to_artifact_id WHERE p.project_name = 'p' GROUP BY event_source, event_type ORDER BY event_source, event_type",
		"('GHARCHIVE','COMMIT_CODE',2,2,[1])", "('GHARCHIVE','ISSUE_OPENED',1,1,[1])", "('GHARCHIVE','PULL_REQUEST_CLOSED',2,2,[1])", "('GHARCHIVE','PULL_REQUEST_MERGED',1,1,[1])", "('GHARCHIVE','STARRED',1,1,[1])",
		"('GITHUB','COMMIT_CODE',2,2,[1])", "('GITHUB','FORKED',1,1,[1])", "('GITHUB','ISSUE_COMMENT',1,1,[1])", "('GITHUB','ISSUE_OPENED',1,1,[1])", "('GITHUB','ISSUE_REOPENED',1,1,[1])",
		"('GITHUB','PULL_REQUEST_MERGED',1,1,[1])", "('GITHUB','PULL_REQUEST_OPENED',1,1,[1])", "('GITHUB','PULL_REQUEST_REVIEW',1,1,[1])", "('GITHUB','PULL_REQUEST_REVIEW_COMMENT',1,1,[1])",
		"('GITHUB','RELEASE_PUBLISHED',1,1,[1])", "('GITHUB','STARRED',1,1,[1])",
		"('NPM','DOWNLOADS',1,7,[0])", "('OP','CONTRACT_INVOCATION',1,1,[1])", "('OP','FAILED_TRANSACTION',1,1,[1])", "('OP','LOG_EMITTED',1,1,[0])", "('OP','TRANSACTION',1,1,[1])", "('OPEN_COLLECTIVE','CREDIT',1,20.1,[1])")
	w.want("SELECT toString((event_type, amount, to_artifact_name, to_artifact_id = '"+osoID("OPEN_COLLECTIVE", "taker")+"')) FROM oso_events AS e JOIN artifacts_by_project AS p ON p.artifact_id = e.from_artifact_id",
		"('DEBIT',5.5,'taker',1)")
	w.want("SELECT toString((time, event_source_id, to_artifact_namespace, to_artifact_name, from_artifact_namespace, from_artifact_name, from_artifact_id = '"+osoID("GITHUB", "al", "al")+"')) FROM oso_events WHERE event_type = 'COMMIT_CODE' ORDER BY event_source, event_source_id",
		"('2026-11-20 00:00:00','aa','acme','x.y','al','al',1)", "('2026-11-20 00:00:00','bb','acme','x.y','al','al',1)",
		"('2026-11-20 00:00:00','aa','acme','x.y','al','al',1)", "('2026-11-20 00:00:00','bb','acme','x.y','e1','e1',0)")
	w.want("SELECT toString((time, event_type, to_artifact_name, from_artifact_name, to_artifact_id = concat('', base64Encode(SHA256(concat('OP', to_artifact_name)))))) FROM oso_events WHERE event_source = 'OP' AND to_artifact_name = '"+chain.Address{0xcc}.String()+"'",
		"('2023-11-14 22:13:34','TRANSACTION','"+chain.Address{0xcc}.String()+"','"+txs[3].From.String()+"',1)")
	w.want("SELECT name || ' ' || type FROM system.columns WHERE database = currentDatabase() AND table = 'oso_events' ORDER BY position",
		"time DateTime('UTC')", "event_type LowCardinality(String)", "event_source LowCardinality(String)", "event_source_id String",
		"to_artifact_id String", "to_artifact_namespace String", "to_artifact_name String",
		"from_artifact_id String", "from_artifact_namespace String", "from_artifact_name String", "amount Float64")
}

// TestARepositorysEventsAreOfItsNameNow: through a rename, and for a project that
// lists all that an owner has; each event counts once for a project, however it lists
// the repository.
func TestARepositorysEventsAreOfItsNameNow(t *testing.T) {
	w, f := newWarehouse(t), newHistory("feeds")
	f.stream.ChainID = 0
	w.write(w.sink(), observed(f, "registry", listed([3]string{"GITHUB", "acme", ""}, [3]string{"GITHUB", "acme", "new"}, [3]string{"GITHUB", "one", "old"})...),
		observed(f, "github",
			row("repositories", "9", `{"id":9,"repository":"Acme/New"}`), row("repositories", "8", `{"id":8,"repository":"two/Moved"}`), row("repositories", "7", `{"id":7,"repository":"acme/third"}`),
			row("listings", "1", `{"owner":"acme","name":"","repository_ids":[9,7]}`), row("listings", "2", `{"owner":"acme","name":"new","repository_ids":[9]}`),
			row("listings", "3", `{"owner":"one","name":"old","repository_ids":[8]}`),
			row("commits", "1", `{"repository_id":9,"repository":"acme/before","sha":"aa","author_login":"al"}`), row("commits", "2", `{"repository_id":9,"repository":"Acme/New","sha":"bb","author_login":"al"}`),
			row("stars", "1", `{"repository_id":8,"repository":"one/old","login":"al"}`), row("stars", "2", `{"repository_id":7,"repository":"acme/third","login":"al"}`)),
		observed(f, "gharchive",
			row("events", "1", `{"id":"1","type":"WatchEvent","repo_id":9,"repo":"acme/before","actor":"bo"}`), row("events", "2", `{"id":"2","type":"WatchEvent","repo_id":6,"repo":"acme/gone","actor":"bo"}`)))
	w.want("SELECT toString((event_source, event_type, to_artifact_namespace, to_artifact_name, count())) FROM oso_events AS e JOIN artifacts_by_project AS p ON p.artifact_id = e.to_artifact_id GROUP BY ALL ORDER BY ALL",
		"('GHARCHIVE','STARRED','acme','new',1)", "('GITHUB','COMMIT_CODE','acme','new',2)", "('GITHUB','STARRED','acme','third',1)", "('GITHUB','STARRED','two','moved',1)")
	w.want("SELECT toString((artifact_namespace, artifact_name, artifact_id = base64Encode(SHA256(concat('GITHUB', artifact_namespace, artifact_name))), artifact_type, project_name, registry_commit)) FROM artifacts_by_project ORDER BY ALL",
		"('acme','',1,'T','p','c')", "('acme','new',1,'T','p','c')", "('acme','third',1,'REPOSITORY','p','c')", "('one','old',1,'T','p','c')", "('two','moved',1,'REPOSITORY','p','c')")
	w.want("SELECT name || ' ' || type FROM system.columns WHERE database = currentDatabase() AND table = 'artifacts_by_project' ORDER BY position",
		"artifact_id String", "artifact_source LowCardinality(String)", "artifact_namespace String", "artifact_name String", "artifact_type LowCardinality(String)",
		"tags Array(String)", "listed_as LowCardinality(String)", "project_id String", "project_name String", "registry_commit Nullable(String)")
	w.want("SELECT toString(count()) FROM artifacts", "5")
}

// TestWhatWasNotDeliveredIsNotZero: a day and an hour that the sources did not deliver
// are missing in coverage, and no row, zero or other, of any view that shows what
// happened then. A zero that the source said is one.
func TestWhatWasNotDeliveredIsNotZero(t *testing.T) {
	w, f := newWarehouse(t), newHistory("feeds")
	f.stream.ChainID = 0
	covered := func(kind, resource, unit string, at uint64, status string) chain.Row {
		body := fmt.Sprintf(`{"dataset":%q,"resource":%q,"range_from":%d,"range_to":%[3]d,"unit":%q,"status":%q,"reason":"late"}`, kind, resource, at, unit, status)
		return chain.Row{Kind: "coverage", ID: fmt.Sprint(kind, resource, at), Time: at, Body: []byte(body)}
	}
	const day, hour = osoDay / 86_400, osoDay/3600 + 5
	w.write(w.sink(), observed(f, "npm",
		row("downloads", "b/2026-11-20", `{"package":"b","day":"2026-11-20","downloads":0}`), covered("downloads", "b", "day", day, "complete"), covered("downloads", "b", "day", day+1, "missing"),
	), observed(f, "gharchive",
		chain.Row{Kind: "events", ID: "1", Time: hour * 3600, Body: []byte(`{"id":"1","type":"WatchEvent","repo":"acme/x","actor":"a"}`)},
		covered("events", "", "hour", hour, "complete"), covered("events", "", "hour", hour+1, "missing")))
	for _, q := range []string{
		"SELECT day AS at FROM raw_npm_downloads", "SELECT toStartOfHour(created_at) AS at FROM raw_gharchive_events", "SELECT hour AS at FROM raw_gharchive_hours",
		"SELECT toStartOfHour(time) AS at FROM oso_events",
	} {
		w.want("SELECT toString(count()) FROM ("+q+") WHERE toDateTime(at, 'UTC') IN (SELECT from_time FROM coverage WHERE status = 'missing')", "0")
	}
	w.want("SELECT toString((event_source, time, amount)) FROM oso_events ORDER BY event_source", "('GHARCHIVE','2026-11-20 05:00:00',1)", "('NPM','2026-11-20 00:00:00',0)")
	w.want("SELECT toString((source, from_time, to_time, reason)) FROM coverage WHERE status = 'missing' ORDER BY source",
		"('gharchive','2026-11-20 06:00:00','2026-11-20 07:00:00','late')", "('npm','2026-11-21 00:00:00','2026-11-22 00:00:00','late')")
}
