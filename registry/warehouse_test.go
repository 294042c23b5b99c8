package registry

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"superindex/internal/assets"
	engine "superindex/internal/embedded/clickhouse"
)

func TestMain(m *testing.M) {
	engine.Child()
	os.Exit(m.Run())
}

// warehouse is a real engine that holds the table of rows, as the sink makes it,
// and the registry's views over it.
type warehouse struct {
	testing.TB
	clickhouse.Conn
	seq uint64
}

func newWarehouse(t testing.TB) *warehouse {
	t.Helper()
	lib, err := assets.Find(assets.LibChDB)
	if err != nil {
		t.Skip("needs the real engine:", err)
	}
	server, err := engine.Start(t.Context(), engine.Options{Lib: lib, Dir: t.TempDir(), Listen: "127.0.0.1:0", MaxMemory: 2 << 30})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	o, err := clickhouse.ParseDSN(server.DSN())
	if err != nil {
		t.Fatal(err)
	}
	o.Auth.Database = "default"
	conn, err := clickhouse.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	w := &warehouse{TB: t, Conn: conn}
	for _, s := range append(rawRows(t), statements(t, filepath.Join("..", "sinks", "clickhouse", "sql", "0002.sql"))...) {
		w.do(s)
	}
	return w
}

// rawRows is the statement that makes the table, from the sink's own file.
func rawRows(t testing.TB) []string {
	all := statements(t, filepath.Join("..", "sinks", "clickhouse", "sql", "0001.sql"))
	found := slices.DeleteFunc(all, func(s string) bool { return !strings.Contains(s, "EXISTS raw_rows") })
	equal(t, "statements that make raw_rows", len(found), 1)
	return found
}

func statements(t testing.TB, path string) (out []string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range strings.Split(string(text), ";\n") {
		if strings.TrimSpace(s) != "" {
			out = append(out, s)
		}
	}
	return out
}

func (w *warehouse) do(query string) {
	w.Helper()
	if err := w.Exec(context.Background(), query); err != nil {
		w.Fatalf("%v\n%s", err, query)
	}
}

// adopt writes a snapshot's steps, the first n of them, as the sink does.
func (w *warehouse) adopt(s *Snapshot, n int, running ...string) {
	w.Helper()
	for step := range s.Rows(running) {
		if n--; n < 0 {
			return
		}
		batch, err := w.PrepareBatch(context.Background(), "INSERT INTO raw_rows (feed, kind, id, stream, time, body, seq, ord)")
		if err != nil {
			w.Fatal(err)
		}
		w.seq++
		for i, r := range step.Rows {
			if err := batch.Append(step.Feed, r.Kind, r.ID, "feeds", time.Unix(int64(r.Time), 0), string(r.Body), w.seq, uint32(i)); err != nil {
				w.Fatal(err)
			}
		}
		if err := batch.Send(); err != nil {
			w.Fatal(err)
		}
	}
}

// all reads a query's rows, the columns joined by a blank.
func (w *warehouse) all(query string) (out []string) {
	w.Helper()
	rows, err := w.Query(context.Background(), query)
	if err != nil {
		w.Fatalf("%v\n%s", err, query)
	}
	defer rows.Close()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			w.Fatal(err)
		}
		out = append(out, s)
	}
	return out
}

func (w *warehouse) one(query string) string {
	w.Helper()
	return strings.Join(w.all(query), "\n")
}

// osoID is Open Source Observer's id, in the warehouse's own words.
const osoID = "base64Encode(SHA256(concat(%s)))"

func TestRealDirectoryInTheWarehouse(t *testing.T) {
	w, s := newWarehouse(t), realSnapshot(t)
	running := Superchain().Listed(s).Names()
	w.adopt(s, 99, running...)
	for query, want := range map[string]string{
		"SELECT toString(count()) FROM projects":                                     "7112",
		"SELECT toString(count()) FROM collections":                                  "117",
		"SELECT toString(count()) FROM projects_by_collection":                       "9548",
		"SELECT project_id FROM projects WHERE project_name = 'opensource-observer'": "UuWbpo5bpL5QsYvlukUWNm2uE8HFjxQxzCM0e+HMZfk=",
		"SELECT DISTINCT registry_commit FROM artifacts":                             s.Commit,
		// Every id is what the warehouse itself would make of the names.
		"SELECT toString(countIf(project_id != " + fmt.Sprintf(osoID, "'OSS_DIRECTORY', 'oso', project_name") + ")) FROM projects":                         "0",
		"SELECT toString(countIf(collection_id != " + fmt.Sprintf(osoID, "'OSS_DIRECTORY', 'oso', collection_name") + ")) FROM collections":                "0",
		"SELECT toString(countIf(artifact_id != " + fmt.Sprintf(osoID, "artifact_source, artifact_namespace, artifact_name") + ")) FROM artifacts":         "0",
		"SELECT toString(uniqExact(artifact_id) = count()) FROM artifacts":                                                                                 "1",
		"SELECT toString(count()) FROM projects_by_collection WHERE project_id NOT IN (SELECT project_id FROM projects)":                                   "0",
		"SELECT toString(count()) FROM artifacts WHERE artifact_source = 'ANY_EVM'":                                                                        "1768",
		"SELECT toString(count()) FROM artifacts WHERE artifact_source = 'OPTIMISM'":                                                                       "16288",
		"SELECT toString(uniqExact(artifact_name)) FROM artifacts_by_project WHERE artifact_source = 'OPTIMISM' AND listed_as = 'optimism'":                "14523",
		"SELECT toString(uniqExact(artifact_source, artifact_name)) FROM artifacts_by_project WHERE upper(listed_as) = artifact_source AND notEmpty(tags)": "28386",
	} {
		equal(t, query, w.one(query), want)
	}
	t.Log("rows, bytes on disk:", w.one("SELECT toString((sum(rows), formatReadableSize(sum(bytes_on_disk)))) FROM system.parts WHERE table = 'raw_rows' AND active"))
}

// Artifacts of the warehouse are those of the watch sets: the join loses nobody.
func TestWarehouseOwnersEqualTheSets(t *testing.T) {
	w, s := newWarehouse(t), realSnapshot(t)
	w.adopt(s, 99, "optimism", "swell")
	for _, network := range []string{"optimism", "swell"} {
		got := w.all("SELECT concat(artifact_name, ' ', arrayStringConcat(arraySort(groupArray(project_name)), ' ')) FROM artifacts_by_project " +
			"WHERE artifact_source = '" + strings.ToUpper(network) + "' GROUP BY artifact_name ORDER BY artifact_name")
		var want []string
		set := s.Watch(network)
		for a := range set.All() {
			want = append(want, a.String()+" "+strings.Join(set.Owners(a), " "))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: %d in the warehouse, %d watched", network, len(got), len(want))
		}
	}
}

func TestSnapshotsInTheWarehouse(t *testing.T) {
	w := newWarehouse(t)
	names := func() string {
		return w.one("SELECT arrayStringConcat(arraySort(groupArray(project_name)), ' ') FROM projects")
	}
	a := directory(t, "projects/o/one.yaml", "name: one"+abc, "projects/t/two.yaml", "name: two"+abc)
	b := directory(t, "projects/o/one.yaml", "name: one"+abc, "projects/t/three.yaml", "name: three")
	equal(t, "nothing yet", names(), "")
	w.adopt(a, 99, "mode")
	equal(t, "first", names(), "one two")
	equal(t, "version", w.one("SELECT DISTINCT registry_commit FROM projects"), "sha256:"+a.Digest)
	tags := w.one("SELECT toString(groupArray((artifact_source, artifact_type, tags))) FROM (SELECT * FROM artifacts ORDER BY artifact_source)")
	equal(t, "artifacts", tags,
		"[('ANY_EVM','EOA',['eoa']),('BASE','CONTRACT',['contract']),('MODE','EOA',['eoa']),('OPTIMISM','CONTRACT',['contract'])]")

	rows := len(slices.Collect(b.Rows(nil)))
	equal(t, "steps", rows, 1)
	w.adopt(b, 99)
	equal(t, "second", names(), "one three")
	earlier := w.one("SELECT arrayStringConcat(arraySort(groupArray(JSONExtractString(body, 'project_name'))), ' ') FROM raw_rows FINAL " +
		"WHERE feed = 'registry' AND kind = 'projects' AND startsWith(id, '" + a.ID() + "/')")
	equal(t, "the earlier one is still there", earlier, "one two")
	w.adopt(a, 99)
	equal(t, "first again", names(), "one two")
	equal(t, "snapshots", w.one("SELECT toString(count()) FROM registry_snapshots"), "2")
}

// Half a snapshot is not seen: the views change with its last row.
func TestHalfASnapshotIsNotSeen(t *testing.T) {
	w := newWarehouse(t)
	w.adopt(directory(t, "projects/o/one.yaml", "name: one"+abc), 99)
	s := realSnapshot(t)
	steps := len(slices.Collect(s.Rows(nil)))
	w.adopt(s, steps-1)
	equal(t, "before its last step", w.one("SELECT arrayStringConcat(groupArray(project_name)) FROM projects"), "one")
	w.adopt(s, 99)
	equal(t, "after", w.one("SELECT toString(count()) FROM projects"), "7112")
}

// BenchmarkAttribution counts an address's projects by the views, as a join does:
// what a query pays for reading a whole snapshot.
func BenchmarkAttribution(b *testing.B) {
	w, s := newWarehouse(b), realSnapshot(b)
	w.adopt(s, 99, Superchain().Listed(s).Names()...)
	for b.Loop() {
		w.one("SELECT toString(uniqExact(project_name)) FROM artifacts_by_project WHERE artifact_source = 'OPTIMISM'")
	}
}
