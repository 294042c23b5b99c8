package e2e

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
	"github.com/nats-io/nats.go/jetstream"

	"superindex/indexer"
	"superindex/internal/chance"
	"superindex/internal/sources"
)

// The feeds' world: packages with and without a scope, an account, and days that the
// source never delivered.
const (
	scoped, unscoped = 12, 30
	history          = 700 // days, so that packages need several slices
	bookings         = 2300
	work             = 240 // commits, issues, pull requests and stars of each repository
)

// feedWorld is two sources on loopback, two servers that outlive the indexer, and the
// config of an indexer between them.
type feedWorld struct {
	*testing.T
	*servers
	bin, config string
	warehouse   driver.Conn
	packages    []string
	first       time.Time // day
	code        *sources.GitHub

	mu     sync.Mutex
	asked  int
	killAt int           // the request at which the indexer is killed; 0 is none
	before bool          // it is answered
	pause  time.Duration // between the answer and the kill: while it commits, or relays
	victim *exec.Cmd
}

func newFeedWorld(t *testing.T) *feedWorld {
	t.Helper()
	w := &feedWorld{T: t, bin: build(t), first: time.Now().UTC().Truncate(24*time.Hour).AddDate(0, 0, -history)}
	w.servers = newServers(t, t.TempDir())
	for i := range scoped {
		w.packages = append(w.packages, fmt.Sprintf("@x/p%d", i))
	}
	for i := range unscoped {
		w.packages = append(w.packages, fmt.Sprintf("p%d", i))
	}
	today := time.Now() // also after midnight
	npm := httptest.NewServer(w.counted(&sources.NPM{Now: func() time.Time { return today }, Count: w.downloads}))
	t.Cleanup(npm.Close)
	collective := &sources.OpenCollective{}
	collective.Book("babel", w.bookings()...)
	money := httptest.NewServer(w.counted(collective))
	t.Cleanup(money.Close)
	archive := httptest.NewServer(w.counted(&sources.GHArchive{Lines: w.hour}))
	t.Cleanup(archive.Close)
	w.code = &sources.GitHub{Now: time.Now, Requests: 1_000_000, Points: 1_000_000}
	w.code.Add(sources.Sample(1, "org/one", today.Add(-time.Hour), work), sources.Sample(2, "org/two", today.Add(-time.Hour), work), sources.Sample(3, "other/three", today.Add(-time.Hour), work))
	github := httptest.NewServer(w.counted(w.code))
	t.Cleanup(github.Close)
	w.config = w.write(w.engine.DSN(), npm.URL, money.URL, archive.URL, github.URL)
	w.warehouse = dialWarehouse(t, w.engine.DSN())
	return w
}

// downloads is what the source says: 3 and more, but one day without a figure.
func (w *feedWorld) downloads(name string, day time.Time) (uint64, bool) {
	n := int(day.Sub(w.first).Hours()) / 24
	return uint64(3 + (n+len(name))%5), n != 100
}

// archived are the hours of GitHub's events that are asked for, of which the source
// never had one.
func (w *feedWorld) archived() (from time.Time, hours, missing int) {
	return w.first.AddDate(0, 0, history-1), 24, 17
}

// hour is an hour's file: stars of a repository that is listed, and of one that is not.
func (w *feedWorld) hour(at time.Time) (lines []string, ok bool) {
	from, _, missing := w.archived()
	n := int(at.Sub(from).Hours())
	for i := range 3 {
		for _, repo := range []string{"Acme/tool", "other/tool"} {
			id := fmt.Sprint(repo, n, "-", i)
			lines = append(lines, sources.Happening{ID: id, Type: "WatchEvent", Repo: repo, Actor: "a", At: at.Add(time.Minute), Payload: map[string]any{"action": "started"}}.Line())
		}
	}
	return lines, n != missing
}

// bookings are one dollar each, an hour apart, and one of them refunded.
func (w *feedWorld) bookings() (all []sources.Transaction) {
	for i := range bookings {
		m := sources.Money{Value: 1.10, Currency: "USD"}
		all = append(all, sources.Transaction{
			ID: fmt.Sprint("t", i), Group: fmt.Sprint("g", i), Type: "CREDIT", Kind: "CONTRIBUTION", Amount: m, Net: m, InHost: m,
			CreatedAt: w.first.Add(time.Duration(i) * time.Hour),
		})
	}
	back := all[7]
	back.ID, back.Type, back.IsRefund, back.Refund = "back", "DEBIT", true, &sources.ID{ID: "t7"}
	back.Amount.Value, back.CreatedAt = -1.10, back.CreatedAt.Add(time.Minute)
	euro := all[8]
	euro.ID, euro.Amount, euro.CreatedAt = "euro", sources.Money{Value: 5.25, Currency: "EUR"}, euro.CreatedAt.Add(time.Minute)
	return append(all, back, euro)
}

// counted counts requests, and kills the indexer at the one that was drawn, before or
// after it is answered.
func (w *feedWorld) counted(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		w.asked++
		now, before, pause := w.asked == w.killAt, w.before, w.pause
		w.mu.Unlock()
		if now && before {
			w.kill()
		}
		next.ServeHTTP(rw, r)
		if now && !before {
			if f, ok := rw.(http.Flusher); ok {
				f.Flush()
			}
			time.Sleep(pause)
			w.kill()
		}
	})
}

func (w *feedWorld) kill() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := w.victim.Process.Signal(syscall.SIGKILL); err != nil {
		w.Error(err)
	}
}

func (w *feedWorld) write(dsn, npm, money, archive, github string) string {
	w.Helper()
	dir := w.TempDir()
	folder := filepath.Join(dir, "oss", "data", "projects", "p")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		w.Fatal(err)
	}
	listed := "version: 7\nname: project\ndisplay_name: Project\ngithub:\n  - url: https://github.com/acme\n  - url: https://github.com/Org\n  - url: https://github.com/other/three\n  - url: https://github.com/other/none\nopen_collective:\n  - url: https://opencollective.com/babel\nnpm:\n"
	for _, name := range w.packages {
		listed += "  - url: https://www.npmjs.com/package/" + name + "\n"
	}
	config := fmt.Sprintf(`data_dir: %s
registry: {oss_directory: %s}
networks: {devchain: {chain_id: 901, rpc: [{name: none, url: "http://127.0.0.1:1"}]}}
sinks: {clickhouse: {dsn: %q}, nats: {url: %q}}
poller:
  npm: {url: %q, per_hour: 3600000, from: %s}
  open_collective: {url: %q, per_hour: 3600000}
  gharchive: {url: %q, per_hour: 3600000}
  github: {url: %q, per_hour: 3600000, every: 24h, tokens: [one, two]}
`, filepath.Join(dir, "data"), filepath.Join(dir, "oss"), dsn, w.nats.URL(), npm, w.first.Format(time.DateOnly), money, archive, github)
	for path, text := range map[string]string{filepath.Join(folder, "project.yaml"): listed, filepath.Join(dir, "superindex.yaml"): config} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			w.Fatal(err)
		}
	}
	return filepath.Join(dir, "superindex.yaml")
}

// poll runs one round of a feed, of GH Archive a backfill, to its end or, with rng,
// until it is killed at one of the next requests.
func (w *feedWorld) poll(feed string, most int, rng *rand.Rand) (killed bool) {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), 3*time.Minute)
	defer cancel()
	args := []string{"--config", w.config, "poll", "--feed", feed, "--once"}
	if feed == "gharchive" {
		from, hours, _ := w.archived()
		to := from.Add(time.Duration(hours) * time.Hour)
		args = []string{"--config", w.config, "backfill", "--feed", feed, "--from", from.Format(time.DateOnly), "--to", to.Format(time.DateOnly)}
	}
	cmd := exec.CommandContext(ctx, w.bin, args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	w.mu.Lock()
	w.victim, w.killAt = cmd, 0
	if rng != nil {
		w.killAt, w.before, w.pause = w.asked+1+rng.IntN(most), rng.IntN(2) == 0, time.Duration(rng.IntN(20))*time.Millisecond
	}
	err := cmd.Start()
	w.mu.Unlock() // now there is somebody to kill
	if err == nil {
		err = cmd.Wait()
	}
	killed = cmd.ProcessState != nil && !cmd.ProcessState.Exited()
	if err != nil && !killed || ctx.Err() != nil {
		w.Fatalf("poll --feed %s: %v\n%s", feed, err, out.String())
	}
	return killed
}

// published counts the feeds' messages by subject and id.
func (w *feedWorld) published() (subjects, ids map[string]int) {
	w.Helper()
	stream := dialStream(w.T, w.nats.URL(), indexer.Feeds)
	consumer, err := stream.CreateConsumer(w.Context(), jetstream.ConsumerConfig{
		FilterSubjects: []string{"superindex.feed.npm.>", "superindex.feed.open_collective.>", "superindex.feed.gharchive.events", "superindex.feed.github.>"}, AckPolicy: jetstream.AckNonePolicy,
	})
	if err != nil {
		w.Fatal(err)
	}
	info, err := consumer.Info(w.Context())
	if err != nil {
		w.Fatal(err)
	}
	subjects, ids = map[string]int{}, map[string]int{}
	for left := int(info.NumPending); left > 0; {
		batch, err := consumer.Fetch(min(left, 5000), jetstream.FetchMaxWait(time.Minute))
		if err != nil {
			w.Fatal(err)
		}
		for m := range batch.Messages() {
			subjects[m.Subject()]++
			if !strings.HasSuffix(m.Subject(), ".github.coverage") && !bytes.HasSuffix(m.Data(), []byte(`"projects":["project"]}`)) {
				w.Fatalf("a message does not name its project: %s", m.Data())
			}
			ids[m.Subject()+" "+m.Headers().Get("Superindex-Id")+" "+string(m.Data())]++
			left--
		}
	}
	return subjects, ids
}

func (w *feedWorld) want(query string, want string) {
	w.Helper()
	var got string
	if err := w.warehouse.QueryRow(w.Context(), "SELECT toString(("+query+"))").Scan(&got); err != nil || got != want {
		w.Errorf("%s: got %s, want %s, %v", query, got, want, err)
	}
}

// TestFeedsThroughKills: Shows 2, 4 and 5 of the feeds. The indexer is killed with -9
// at twenty seeded requests. What it brought in the end is in both sinks, once, and
// SQL says the known numbers.
func TestFeedsThroughKills(t *testing.T) {
	rng, w := chance.New(t), newFeedWorld(t)
	kills := 0
	for tries := 0; kills < 20 && tries < 60; tries++ {
		feed, most := "npm", 5
		switch rng.IntN(6) {
		case 0:
			feed, most = "open_collective", 2
		case 1, 2:
			feed = "gharchive"
		case 3, 4:
			feed, most = "github", 5
		}
		if w.poll(feed, most, rng) {
			kills++
		}
	}
	if kills < 20 {
		t.Errorf("killed %d times: the rounds were over before", kills)
	}
	w.poll("npm", 0, nil)
	w.poll("open_collective", 0, nil)
	w.poll("gharchive", 0, nil)
	w.poll("github", 0, nil)
	w.check()
	w.checkCode()
	t.Logf("%d kills, %d requests", kills, w.asked)
}

func (w *feedWorld) check() {
	w.Helper()
	missing := w.first.AddDate(0, 0, 100)
	days, sum := 0, uint64(0)
	for _, name := range w.packages {
		for day := range history {
			if n, ok := w.downloads(name, w.first.AddDate(0, 0, day)); ok {
				days, sum = days+1, sum+n
			}
		}
	}
	w.want("SELECT (count(), sum(downloads)) FROM superindex.raw_npm_downloads", fmt.Sprintf("(%d,%d)", days, sum))
	w.want("SELECT (sum(d.downloads), uniqExact(p.project_name)) FROM superindex.raw_npm_downloads AS d JOIN superindex.artifacts_by_project AS p USING artifact_id",
		fmt.Sprintf("(%d,1)", sum))
	day := missing.Format(time.DateOnly)
	w.want("SELECT count() FROM superindex.raw_npm_downloads WHERE day = '"+day+"'", "0")
	const covers = "SELECT (status, uniqExact(resource)) FROM superindex.coverage WHERE source = 'npm' AND toDateTime('%s', 'UTC') >= from_time AND toDateTime('%[1]s', 'UTC') < to_time GROUP BY status"
	w.want(fmt.Sprintf(covers, day+" 00:00:00"), fmt.Sprintf("('missing',%d)", len(w.packages)))
	w.want(fmt.Sprintf(covers, missing.AddDate(0, 0, 1).Format(time.DateOnly)+" 00:00:00"), fmt.Sprintf("('complete',%d)", len(w.packages)))

	w.want("SELECT (count(), uniqExact(id)) FROM superindex.raw_open_collective_transactions", fmt.Sprintf("(%d,%d)", bookings+2, bookings+2))
	w.want("SELECT groupArray((currency, total)) FROM (SELECT currency, sum(amount) AS total FROM superindex.raw_open_collective_transactions GROUP BY currency ORDER BY currency)",
		fmt.Sprintf("[('EUR',5.25),('USD',%.1f)]", (bookings-1)*1.10))
	w.want("SELECT groupArray((id, is_refund, is_refunded)) FROM (SELECT * FROM superindex.raw_open_collective_transactions WHERE is_refund OR is_refunded ORDER BY id)",
		"[('back',true,false),('t7',false,true)]")
	w.want("SELECT any(p.project_name) FROM superindex.raw_open_collective_transactions AS t JOIN superindex.artifacts_by_project AS p USING artifact_id", "project")

	_, hours, _ := w.archived()
	stars := 3 * (hours - 1)
	w.want("SELECT (count(), uniqExact(id)) FROM superindex.raw_gharchive_events", fmt.Sprintf("(%d,%d)", stars, stars))
	w.want("SELECT groupArray((status, n)) FROM (SELECT status, count() AS n FROM superindex.coverage WHERE source = 'gharchive' GROUP BY status ORDER BY status)",
		fmt.Sprintf("[('unproven',%d),('missing',1)]", hours-1)) // the files are thin
	w.want("SELECT groupArray((event_type, total)) FROM (SELECT e.event_type AS event_type, toUInt64(round(sum(e.amount) * 100)) AS total FROM superindex.oso_events AS e JOIN superindex.artifacts_by_project AS p ON p.artifact_id = e.to_artifact_id WHERE p.project_name = 'project' GROUP BY event_type ORDER BY event_type)",
		osoEvents(sum))
	w.want("SELECT sum(e.amount) FROM superindex.oso_events AS e JOIN superindex.artifacts_by_project AS p ON p.artifact_id = base64Encode(SHA256(concat('GITHUB', e.to_artifact_namespace))) WHERE e.event_type = 'STARRED' AND e.event_source = 'GHARCHIVE'",
		fmt.Sprint(stars))
	subjects, ids := w.published()
	if got := subjects["superindex.feed.npm.downloads"]; got != days {
		w.Errorf("%d messages of downloads, want %d", got, days)
	}
	if got := subjects["superindex.feed.open_collective.transactions"]; got != bookings+2 {
		w.Errorf("%d messages of transactions, want %d", got, bookings+2)
	}
	if got := subjects["superindex.feed.gharchive.events"]; got != stars {
		w.Errorf("%d messages of GitHub's events, want %d", got, stars)
	}
	for id, n := range ids {
		if n > 1 && !strings.Contains(id, "coverage") {
			w.Errorf("published %d times: %s", n, id)
		}
	}
}

// osoEvents are the sums of each type, by 100.
func osoEvents(downloads uint64) string {
	const all, half = 3 * work * 100, 3 * work / 2 * 100
	return fmt.Sprintf("[('COMMIT_CODE',%d),('CREDIT',%d),('DOWNLOADS',%d),('FORKED',%d),('ISSUE_CLOSED',%d),('ISSUE_COMMENT',%d),('ISSUE_OPENED',%d),"+
		"('PULL_REQUEST_CLOSED',%d),('PULL_REQUEST_MERGED',%d),('PULL_REQUEST_OPENED',%d),('PULL_REQUEST_REVIEW',%d),('PULL_REQUEST_REVIEW_COMMENT',%d),"+
		"('RELEASE_PUBLISHED',%d),('STARRED',%d)]",
		all, bookings*110, downloads*100, all/10, all/3, half, all, half, half, all, half, half, all/10, all)
}

// checkCode: what happened in the repositories of one project, whether it lists them or
// their owner, is what the source knows, and in the stream once.
func (w *feedWorld) checkCode() {
	w.Helper()
	const of = " WHERE repository_id IN (SELECT repository_id FROM superindex.raw_github_listings AS l JOIN superindex.artifacts_by_project AS p USING artifact_id WHERE p.project_name = 'project')"
	for view, n := range map[string]int{
		"commits": work, "issues": work, "pull_requests": work, "stars": work, "forks": work / 10, "releases": work / 10, "reviews": work / 2,
		"comments": work, "issue_events": work/3 + work, "repositories": 1,
	} {
		w.want("SELECT (count(), uniqExact(repository_id)) FROM superindex.raw_github_"+view+of, fmt.Sprintf("(%d,3)", 3*n))
	}
	w.want("SELECT (countIf(state = 'MERGED'), countIf(author_association = 'FIRST_TIME_CONTRIBUTOR')) FROM superindex.raw_github_pull_requests"+of, fmt.Sprintf("(%d,%d)", 3*work/2, 3*work))
	w.want("SELECT (countIf(author_login = ''), countIf(notEmpty(co_authors))) FROM superindex.raw_github_commits"+of, fmt.Sprintf("(%d,%d)", 3*work/4, 3*work/5))
	w.want("SELECT sum(stars) FROM superindex.raw_github_repositories", fmt.Sprint(3*work))
	w.want("SELECT count() FROM superindex.raw_github_commits WHERE author_email != '' OR position(author_name, '@') > 0", "0")
	w.want("SELECT (resource, any(status)) FROM superindex.coverage WHERE source = 'github' AND dataset = 'listings' AND resource LIKE 'other%' GROUP BY resource", "('other/none','missing')")
	w.want("SELECT (count(), countIf(status != 'complete')) FROM superindex.coverage WHERE source = 'github' AND dataset = 'activity'", "(3,0)")
	subjects, _ := w.published()
	for kind, n := range map[string]int{"commits": work, "pull_requests": work, "stars": work, "reviews": work / 2, "review_comments": work / 2} {
		if got := subjects["superindex.feed.github."+kind]; got != 3*n {
			w.Errorf("%d messages of %s, want %d", got, kind, 3*n)
		}
	}
}
