package clickhouse

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"superindex/chain"
)

// section is the SQL of one section of docs/warehouse.md, a statement each.
func section(t testing.TB, title string) (statements []string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "warehouse.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, body, ok := strings.Cut(string(text), "\n## "+title+"\n")
	if !ok {
		t.Fatalf("docs/warehouse.md has no section %s", title)
	}
	body, _, _ = strings.Cut(body, "\n## ")
	for _, block := range strings.Split(body, "```sql\n")[1:] {
		block, _, _ = strings.Cut(block, "```")
		for statement := range strings.SplitSeq(strings.TrimSpace(block), ";\n") {
			statements = append(statements, strings.TrimSuffix(statement, ";"))
		}
	}
	if len(statements) == 0 {
		t.Fatalf("section %s has no SQL", title)
	}
	return statements
}

func TestTheDocumentedQueriesRun(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	h.stream.ChainID = 10
	w.write(w.sink(), h.apply(1, 3, 'a', 2), h.revert(2, 'a', chain.Reorg))
	w.exec(section(t, "Examples")...)
	w.exec(section(t, "Feeds")...)
	w.exec(section(t, "Every event of every source")...)
}

// A user with the documented rights, and no others, can make a warehouse and do
// all that a step asks for.
func TestTheDocumentedRightsAreEnough(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink, err := w.openAs("indexer", "")
	if err != nil {
		t.Fatal(err)
	}
	defer sink.Close()
	first := h.apply(1, 3, 'a', 2)
	h.final = h.ref(2, 'a')
	w.write(sink, first, h.revert(2, 'a', chain.Reorg), h.fill(1, 2, []chain.Address{first.Apply.Events[0].Address}))
	w.want("SELECT toString((block_number, log_index)) FROM events ORDER BY ALL", "(1,1)", "(2,1)")
}

// openAs opens a sink as a new user who has the documented rights, but for one.
func (w *warehouse) openAs(user, lacks string) (*Sink, error) {
	w.Helper()
	addUser(w, w.indexer(user, lacks))
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) { // until the engine is back
		sink, err := Open(w.Context(), Options{DSN: w.asUser(user, "secret")})
		if err == nil || time.Now().After(deadline) || strings.Contains(err.Error(), "privileges") {
			return sink, err
		}
	}
}

// indexer is a user who has the documented rights, but for one.
func (w *warehouse) indexer(user, lacks string) string {
	w.Helper()
	database := w.read("SELECT currentDatabase()")[0]
	var grants strings.Builder
	for _, grant := range section(w, "Rights") {
		grant = strings.TrimSuffix(grant, " TO indexer")
		rights, on, _ := strings.Cut(strings.TrimPrefix(grant, "GRANT "), " ON ")
		kept := slices.DeleteFunc(strings.Split(rights, ", "), func(right string) bool { return right == lacks || right+" ON "+on == lacks })
		if len(kept) > 0 {
			grants.WriteString("<query>GRANT " + strings.Join(kept, ", ") + " ON " + strings.ReplaceAll(on, "superindex.*", database+".*") + "</query>")
		}
	}
	return "<" + user + "><password>secret</password><profile>default</profile><quota>default</quota>" +
		"<networks><ip>127.0.0.1</ip></networks><grants>" + grants.String() + "</grants></" + user + ">"
}

// addUser adds a user to the engine's file of users, which it reads when it
// starts. It cannot create one by SQL.
func addUser(t testing.TB, user string) {
	t.Helper()
	path := filepath.Join(serverDir, "users.xml")
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.WriteFile(path, before, 0o600); err != nil {
			t.Error(err)
		}
	})
	after := strings.Replace(string(before), "</users>", user+"</users>", 1)
	if err := os.WriteFile(path, []byte(after), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(server.Pid(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
}
