package clickhouse

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLookChangesNothing: before there are tables, and after a sink has made them;
// a reader lacks rights, each named as GRANT names it.
func TestLookChangesNothing(t *testing.T) {
	w := newWarehouse(t)
	p, err := Look(t.Context(), Options{DSN: w.dsn})
	if err != nil || p.Server == "" || p.Version != 0 || len(p.Lacks) > 0 || p.Positions != nil {
		t.Errorf("an empty database: %+v, %v", p, err)
	}
	w.want("SELECT toString(count()) FROM system.tables WHERE database = currentDatabase()", "0")
	h := newHistory("op")
	w.write(w.sink(), h.apply(1, 1, 'a', 1))
	p, err = Look(t.Context(), Options{DSN: w.dsn})
	if err != nil || p.Version == 0 || len(p.Lacks) > 0 || p.Positions["op"] == 0 {
		t.Errorf("with tables: %+v, %v", p, err)
	}

	p, err = Look(t.Context(), Options{DSN: w.asUser("reader", server.ReaderPassword)})
	if err != nil || !slices.ContainsFunc(p.Lacks, func(right string) bool { return strings.HasPrefix(right, "INSERT ON `superindex_") }) {
		t.Errorf("a reader: %+v, %v", p, err)
	}
	if slices.ContainsFunc(p.Lacks, func(right string) bool { return strings.HasPrefix(right, "SELECT") }) {
		t.Errorf("a reader may read: %v", p.Lacks)
	}

	w.exec(fmt.Sprintf("INSERT INTO migrations (version) VALUES (%d)", p.Version+1))
	_, err = Look(t.Context(), Options{DSN: w.dsn})
	fatal(t, err, "is of version", "run the newer superindex")
}

// TestLookNamesTheRightThatLacks: each of the documented ones is asked for where tables
// are still to be made, or to be brought to a newer version; then only those of a step.
func TestLookNamesTheRightThatLacks(t *testing.T) {
	w := newWarehouse(t)
	database := w.read("SELECT currentDatabase()")[0]
	var rights []string
	for _, grant := range section(t, "Rights") {
		of, on, _ := strings.Cut(strings.TrimSuffix(strings.TrimPrefix(grant, "GRANT "), " TO indexer"), " ON ")
		for right := range strings.SplitSeq(of, ", ") {
			rights = append(rights, right+" ON "+on)
		}
	}
	w.sink()
	tables := w.read("SELECT toString(count()) FROM system.tables WHERE database = currentDatabase()")[0]
	users := w.indexer("whole", "")
	for i, right := range rights {
		users += w.indexer(fmt.Sprintf("lacking%d", i), right)
	}
	addUser(t, users)
	lacks := func(user, database string) []string {
		t.Helper()
		for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) { // until the engine is back
			p, err := Look(t.Context(), Options{DSN: inDatabase(w.asUser(user, "secret"), database)})
			if err == nil {
				return p.Lacks
			}
			if strings.Contains(err.Error(), "the grant SELECT") {
				return []string{"SELECT ON `" + database + "`.*"} // where it stands it cannot be asked without
			}
			if time.Now().After(deadline) {
				t.Fatal(err)
			}
		}
	}
	asked := func(version string, all bool) {
		t.Helper()
		for i, right := range rights {
			want := []string{strings.Replace(right, "superindex.*", "`"+database+"`.*", 1)}
			of, _, _ := strings.Cut(right, " ON ")
			if slices.Contains([]string{"CREATE VIEW", "DROP VIEW", "CREATE TEMPORARY TABLE"}, of) || !all && of != "SELECT" && of != "INSERT" {
				want = nil // the server gives the first three to whoever may create or drop a table
			}
			if got := lacks(fmt.Sprintf("lacking%d", i), database); !slices.Equal(got, want) {
				t.Errorf("%s, without %s: %q", version, right, got)
			}
		}
	}
	asked("the newest tables", false)
	w.exec("TRUNCATE TABLE migrations", "INSERT INTO migrations (version) VALUES (1)")
	asked("older tables", true)
	w.exec("TRUNCATE TABLE migrations")
	asked("no tables", true)
	w.want("SELECT toString(count()) FROM system.tables WHERE database = currentDatabase()", tables)

	if got := lacks("whole", database+"_new"); !slices.Contains(got, "CREATE DATABASE ON `"+database+"_new`.*") {
		t.Errorf("without a database: %q", got)
	}
}
