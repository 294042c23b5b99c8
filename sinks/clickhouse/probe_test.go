package clickhouse

import (
	"slices"
	"strings"
	"testing"
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
}
