package poller

import (
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/prometheus/client_golang/prometheus"

	"superindex/chain"
	"superindex/internal/sources"
)

// What is hidden in JSON leaves JSON, and no address, whatever stands before one.
func TestAddressesAreHiddenInJSON(t *testing.T) {
	for _, body := range []string{"see\r\nfoo@bar.com", "\tfoo@bar.com", "<foo@bar.com>", "\\foo@bar.com", "a \"foo@bar.com\"", "@foo v1.2@sha", "git+ssh://git@github.com/foo/bar.git", "git@github.com:foo/bar"} {
		text, err := json.Marshal(map[string]string{"body": body})
		if err != nil {
			t.Fatal(err)
		}
		var kept struct{ Body string }
		if err := json.Unmarshal(hidden(text), &kept); err != nil {
			t.Fatalf("%q: %v", body, err)
		}
		if want := strings.ReplaceAll(body, "foo@bar.com", "sha256:"+AddressHash("Foo@bar.com ")); kept.Body != want {
			t.Errorf("%q: kept %q, not %q", body, kept.Body, want)
		}
	}
}

// Whatever a feed brings, addresses are in no row and in no answer that is kept, unless
// the user wants them.
func TestAddressesAreKeptOnlyWhereTheyAreWanted(t *testing.T) {
	for _, wanted := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			const text = `{"title":"write to al@example.com"}`
			feed, journal := &counter{names: []string{"a"}}, &sources.Paper{}
			feed.answer = func(string, int) (Result, error) {
				return Result{
					Rows:     []chain.Row{{Kind: "counts", ID: "1", Body: []byte(text)}},
					Payloads: []Payload{{What: "a", Body: []byte(text + "\n" + text)}},
				}, nil
			}
			payloads, err := OpenPayloads("payloads", vfs.NewMem())
			if err != nil {
				t.Fatal(err)
			}
			defer payloads.Close()
			p, err := New(feed, journal, payloads, Options{Every: time.Hour, Emails: wanted, Log: slog.New(slog.DiscardHandler), Metrics: NewMetrics(prometheus.NewRegistry())})
			if err != nil {
				t.Fatal(err)
			}
			follow(t, p, time.Minute)
			want := text
			if !wanted {
				want = `{"title":"write to sha256:` + AddressHash("al@example.com") + `"}`
			}
			if rows := journal.Take(); len(rows) != 1 || string(rows[0].Body) != want {
				t.Errorf("wanted %v: %+v", wanted, rows)
			}
			kept := ""
			if err := payloads.Each("counter", func(k Kept) error { kept += string(k.Body); return nil }); err != nil || kept != want+"\n"+want {
				t.Errorf("wanted %v: kept %s, %v", wanted, kept, err)
			}
		})
	}
}
