package clickhouse

import (
	"net"
	"net/url"
	"strings"
	"testing"
	"time"

	"superindex/chain"
)

// asUser is a DSN as another user of the same warehouse.
func (w *warehouse) asUser(user, password string) string {
	w.Helper()
	u, err := url.Parse(w.dsn)
	if err != nil {
		w.Fatal(err)
	}
	u.User = url.UserPassword(user, password)
	return u.String()
}

// fatal checks that err is fatal and says these things.
func fatal(t testing.TB, err error, says ...string) {
	t.Helper()
	if !chain.IsFatal(err) {
		t.Fatalf("not fatal: %v", err)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("does not say %q: %v", text, err)
		}
	}
}

func TestAnAlteredTableIsFatal(t *testing.T) {
	for alteration, says := range map[string][]string{
		"ALTER TABLE raw_events DROP COLUMN tx_index":                                                        {"raw_events", "tx_index", "docs/warehouse.md"},
		"ALTER TABLE raw_events MODIFY COLUMN tx_index String":                                               {"raw_events", "tx_index", "docs/warehouse.md"},
		"ALTER TABLE raw_events MODIFY COLUMN block_time DateTime64(3)":                                      nil, // holds all the same
		"ALTER TABLE raw_events ADD COLUMN note String, ADD COLUMN day Date MATERIALIZED toDate(block_time)": nil,
		"ALTER TABLE raw_blocks RENAME COLUMN watched_log_count TO w":                                        {"raw_blocks", "watched_log_count", "docs/warehouse.md"},
		"ALTER TABLE positions DROP COLUMN digest":                                                           {"positions", "digest", "docs/warehouse.md"},
		"DROP TABLE raw_events SYNC":                                                                         {"raw_events", "drop the table migrations"},
		"DROP TABLE positions SYNC":                                                                          {"positions", "drop the table migrations"},
	} {
		t.Run(alteration, func(t *testing.T) {
			w, h := newWarehouse(t), newHistory("op")
			sink := w.sink()
			w.write(sink, h.apply(1, 3, 'a', 2))
			w.exec(alteration)
			err := sink.Write(t.Context(), []chain.Step{h.apply(4, 4, 'a', 2), h.revert(2, 'a', chain.Reorg)})
			if says != nil {
				fatal(t, err, says...)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			w.want("SELECT toString(block_number) FROM events ORDER BY ALL", "1", "1", "2", "2")
		})
	}
}

func TestAUserWithoutRightsIsFatal(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	w.write(w.sink(), h.apply(1, 1, 'a', 1))
	sink, err := Open(t.Context(), Options{DSN: w.asUser("reader", server.ReaderPassword)})
	if err != nil {
		t.Fatal(err) // all is there that Open would make
	}
	defer sink.Close()
	if _, err := sink.Position(t.Context(), h.stream); err != nil {
		t.Fatal(err)
	}
	err = sink.Write(t.Context(), []chain.Step{h.apply(2, 2, 'a', 1)})
	fatal(t, err, "raw_blocks", "grant user reader", "superindex_")

	_, err = Open(t.Context(), Options{DSN: inDatabase(w.asUser("reader", server.ReaderPassword), "superindex_new")})
	fatal(t, err, "create database superindex_new", "grant user reader")
}

func TestAWrongPasswordIsFatalAndNotShown(t *testing.T) {
	w := newWarehouse(t)
	_, err := Open(t.Context(), Options{DSN: w.asUser("superindex", "hunter2")})
	fatal(t, err, "password of user superindex")
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is shown: %v", err)
	}
}

func TestANewerWarehouseIsFatal(t *testing.T) {
	w := newWarehouse(t)
	w.sink()
	w.sink() // the same version is opened
	w.exec("INSERT INTO migrations (version) VALUES (99)")
	_, err := Open(t.Context(), Options{DSN: w.dsn})
	fatal(t, err, "version 99", "newer superindex")
}

// A migration that was cut short is finished, and what is there stays.
func TestAnInterruptedMigrationIsFinished(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	w.write(w.sink(), h.apply(1, 2, 'a', 1))
	const rows = "SELECT toString(tuple(*)) FROM events ORDER BY ALL"
	before := w.read(rows)
	w.exec("TRUNCATE TABLE migrations", "DROP VIEW finality", "DROP TABLE raw_rows SYNC")
	sink := w.sink()
	w.want(rows, before...)
	w.want("SELECT network FROM finality", "op")
	w.write(sink, h.apply(3, 3, 'a', 1))
}

func TestAServerThatIsAwayIsTemporary(t *testing.T) {
	_, err := Open(t.Context(), Options{DSN: "clickhouse://u:hunter2@127.0.0.1:1"})
	if err == nil || chain.IsFatal(err) || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("refused: %v", err)
	}

	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	_, err = Open(t.Context(), Options{DSN: "clickhouse://u:hunter2@" + l.Addr().String(), Timeout: 200 * time.Millisecond}) // it listens and says nothing
	if err == nil || chain.IsFatal(err) {
		t.Errorf("silent: %v", err)
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v to notice", took)
	}
}

func TestOptionsNameWhatCannotBe(t *testing.T) {
	for _, dsn := range []string{
		"clickhouse://u:hun ter2@host:port/superindex", "http://u:hunter2@host:8123", "clickhouse://u:hunter2@/superindex",
		"clickhouse://u:hun/ter2@host", "", "clickhouse://u:hunter2@h?dial_timeout=x",
	} {
		err := Options{DSN: dsn}.Check()
		if err == nil || !strings.HasPrefix(err.Error(), "dsn:") || strings.Contains(err.Error(), "ter2") {
			t.Errorf("%s: %v", dsn, err)
		}
	}
	if err := (Options{DSN: "clickhouse://u:p@h", Timeout: -1}).Check(); err == nil || !strings.HasPrefix(err.Error(), "timeout:") {
		t.Errorf("timeout: %v", err)
	}
	server, err := Options{DSN: "clickhouse://u:p@h:9440?secure=true"}.server()
	if err != nil || server.Auth.Database != "superindex" || server.TLS == nil {
		t.Errorf("%+v, %v", server, err)
	}
}
