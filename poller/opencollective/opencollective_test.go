package opencollective

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"superindex/chain"
	"superindex/internal/sources"
	"superindex/poller"
)

// world is the service, and what a poller made of it.
type world struct {
	testing.TB
	wire    *sources.Wire
	service *sources.OpenCollective
	journal *sources.Paper
	opts    Options

	rows     map[string]chain.Row
	repeated int
}

func newWorld(t *testing.T, accounts ...string) *world {
	time.Sleep(time.Until(time.Date(2026, 11, 20, 12, 30, 0, 0, time.UTC)))
	w := &world{TB: t, service: &sources.OpenCollective{}, journal: &sources.Paper{}, rows: map[string]chain.Row{}}
	w.wire = &sources.Wire{Handler: w.service}
	w.opts = Options{URL: "http://collective.example", Accounts: accounts, Page: 10}
	return w
}

// follow runs a fresh poller for so long, and takes its rows.
func (w *world) follow(d time.Duration) {
	w.Helper()
	metrics := poller.NewMetrics(prometheus.NewRegistry())
	w.opts.Client = poller.NewGate(poller.GateOptions{Feed: Name, Next: w.wire, Metrics: metrics}).Client()
	feed, err := New(w.opts)
	if err != nil {
		w.Fatal(err)
	}
	p, err := poller.New(feed, w.journal, nil, poller.Options{Every: time.Hour, Log: slog.New(slog.DiscardHandler), Metrics: metrics})
	if err != nil {
		w.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(w.Context(), d)
	defer cancel()
	p.Run(ctx)
	for _, r := range w.journal.Take() {
		key := r.Kind + " " + r.ID
		if bytes.Equal(w.rows[key].Body, r.Body) {
			w.repeated++
		}
		w.rows[key] = r
	}
}

// count is how many transactions there are; none may have come twice.
func (w *world) count(want int) {
	w.Helper()
	n := 0
	for _, r := range w.rows {
		if r.Kind == kind {
			n++
		}
	}
	if n != want || w.repeated > 0 {
		w.Errorf("%d transactions, want %d; %d rows came twice", n, want, w.repeated)
	}
}

func (w *world) coverage(account string) string {
	for _, r := range w.rows {
		var c poller.Coverage
		if r.Kind == "coverage" && json.Unmarshal(r.Body, &c) == nil && c.Resource == account {
			return fmt.Sprintf("%s to %s %s %s", c.Status, time.Unix(int64(c.To)*3600, 0).UTC().Format("01-02T15"), c.Unit, c.Reason)
		}
	}
	return ""
}

// at is so many hours before noon of the first day.
func at(hours float64) time.Time {
	return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC).Add(time.Duration(-hours * float64(time.Hour)))
}

func credit(id string, when time.Time, value float64, currency string) sources.Transaction {
	m := sources.Money{Value: value, Currency: currency}
	return sources.Transaction{ID: id, Group: "g" + id, Type: "CREDIT", Kind: "CONTRIBUTION", CreatedAt: when, Amount: m, Net: m, InHost: m, From: &sources.Slug{Slug: "giver"}}
}

func TestPagesGoByTheMomentOfCreation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "babel")
		for i := range 95 {
			w.service.Book("babel", credit(fmt.Sprint(i), at(2000-float64(i)*10), 5, "USD"))
		}
		for i := range 6 { // across the end of a page
			w.service.Book("babel", credit(fmt.Sprint("same", i), at(1925), 5, "USD"))
		}
		w.follow(time.Minute)
		w.count(101)
		if got := w.coverage("babel"); got != "complete to 11-20T11 hour " {
			t.Errorf("coverage: %q", got)
		}
	})
}

func TestMoreThanAPageInOneMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "babel")
		w.service.Stable = true
		for i := range 35 {
			w.service.Book("babel", credit(fmt.Sprint("same", i), at(500), 5, "USD"))
		}
		w.service.Book("babel", credit("after", at(499), 5, "USD"))
		w.follow(time.Minute)
		w.count(36)
	})
}

func TestARoundBringsWhatIsNewAndWhatWasBookedLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "babel")
		for i := range 30 {
			w.service.Book("babel", credit(fmt.Sprint(i), at(float64(30-i)), 5, "USD"))
		}
		w.follow(time.Minute)
		w.count(30)
		w.service.Book("babel", credit("late", at(40), 5, "USD"), credit("new", at(-0.6), 5, "USD"))
		w.follow(time.Hour)
		w.count(32)
		w.wire.Asked()
		w.follow(time.Hour)
		w.count(32)
		if n := len(w.wire.Asked()); n != 4 { // 32 in pages of 10 that begin where the last ended
			t.Errorf("a quiet round took %d requests", n)
		}
	})
}

func TestARowKeepsCurrencyAndMarksRefunds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "babel")
		refund := credit("back", at(1), -20.5, "EUR")
		refund.IsRefund, refund.Refund, refund.Type = true, &sources.ID{ID: "given"}, "DEBIT"
		w.service.Book("babel", credit("given", at(2), 20.5, "EUR"), refund)
		w.follow(time.Minute)
		const want = `{"id":"back","group":"gback","type":"DEBIT","kind":"CONTRIBUTION","description":"","created_at":"2026-11-20T11:00:00Z",` +
			`"amount":-20.5,"currency":"EUR","net_amount":-20.5,"net_currency":"EUR","host_amount":-20.5,"host_currency":"EUR",` +
			`"is_refund":true,"is_refunded":false,"refund_id":"given","account":"babel","from_account":"giver","to_account":"","host":""}`
		if got := string(w.rows["transactions back"].Body); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	})
}

func TestATransactionThatChangesIsBroughtAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "babel")
		w.service.Book("babel", credit("a", at(2), 1, "USD"))
		w.follow(time.Minute)
		w.service = &sources.OpenCollective{}
		w.wire.Handler = w.service
		changed := credit("a", at(2), 1, "USD")
		changed.IsRefunded = true
		w.service.Book("babel", changed)
		w.follow(time.Hour)
		w.count(1)
		if body := string(w.rows["transactions a"].Body); !strings.Contains(body, `"is_refunded":true`) {
			t.Error(body)
		}
	})
}

func TestAnAccountThatTheSourceDoesNotKnowIsMissing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "nobody", "babel")
		w.service.Book("babel", credit("a", at(2), 1, "USD"))
		w.follow(24 * time.Hour)
		w.count(1)
		if got := w.coverage("nobody"); got != "missing to 11-20T11 hour the source does not know the account" {
			t.Errorf("coverage: %q", got)
		}
		w.service.Book("nobody", credit("b", at(2), 1, "USD"))
		w.follow(7 * 24 * time.Hour)
		w.count(2)
		if got := w.coverage("nobody"); !strings.HasPrefix(got, "complete to 11-28T") {
			t.Errorf("coverage: %q", got)
		}
	})
}

func TestFaultsMoveNothing(t *testing.T) {
	for name, c := range map[string]struct {
		body  string
		code  int
		after time.Duration // when the next request comes, at most
	}{
		"an error of GraphQL": {`{"errors":[{"message":"internal"}]}`, 200, time.Minute},
		"a limit of GraphQL":  {`{"errors":[{"message":"Rate limit exceeded"}]}`, 200, time.Minute},
		"a page for people":   {`<html>`, 200, time.Minute},
		"no such page":        {`{}`, 404, time.Minute},
		"half an answer":      {`{"data":{"account":{"transa`, 200, time.Minute},
		"a node without id":   {`{"data":{"account":{"transactions":{"nodes":[{"createdAt":"2026-11-20T11:00:00Z"}]}}}}`, 200, time.Minute},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t, "babel")
			w.service.Book("babel", credit("a", at(2), 1, "USD"))
			w.wire.Fault = func(n int, rw http.ResponseWriter, _ *http.Request) bool {
				if n == 1 {
					rw.WriteHeader(c.code)
					fmt.Fprint(rw, c.body)
				}
				return n == 1
			}
			w.follow(29 * time.Second)
			if n := len(w.wire.Asked()); n != 1 || len(w.rows) > 0 {
				t.Errorf("%s: %d requests and %d rows at once", name, n, len(w.rows))
			}
			w.follow(c.after + time.Second)
			w.count(1)
		})
	}
}

func TestTheTokenGoesWithTheRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(t, "babel")
		w.opts.Token = "s3cret"
		w.wire.Fault = func(_ int, rw http.ResponseWriter, r *http.Request) bool {
			if r.Header.Get("Personal-Token") != "s3cret" {
				t.Error("no token")
			}
			return false
		}
		w.service.Book("babel", credit("a", at(2), 1, "USD"))
		w.follow(time.Minute)
		w.count(1)
	})
}

// The schema is the part that the query needs. SUPERINDEX_OPENCOLLECTIVE_SCHEMA may
// name a file with the whole public one.
func TestTheQueryFitsTheSchema(t *testing.T) {
	for _, path := range []string{filepath.Join("testdata", "schema.graphql"), os.Getenv("SUPERINDEX_OPENCOLLECTIVE_SCHEMA")} {
		if path == "" {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		schema, err := gqlparser.LoadSchema(&ast.Source{Name: path, Input: string(text)})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := gqlparser.LoadQueryWithRules(schema, query, rules.NewDefaultRules()); err != nil {
			t.Errorf("%s: %v", path, err)
		}
		if _, err := gqlparser.LoadQueryWithRules(schema, strings.Replace(query, "isRefund ", "isBack ", 1), rules.NewDefaultRules()); err == nil {
			t.Errorf("%s: a query for a field that is not there fits", path)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`[{"id":"a","createdAt":"2026-11-20T11:00:00Z","amount":{"value":1.5,"currency":"USD"}}]`))
	f.Add([]byte(`[{"id":"a"},null]`))
	f.Fuzz(func(t *testing.T, text []byte) {
		var nodes []node
		if json.Unmarshal(text, &nodes) != nil {
			t.Skip()
		}
		s := stateOf(poller.Resource{})
		rows, err := s.read(nodes)
		if err != nil {
			return
		}
		again, err := s.read(nodes)
		if err != nil || len(again) > len(rows) {
			t.Errorf("read again: %d rows, %v", len(again), err)
		}
		for _, r := range rows {
			if !json.Valid(r.Body) || r.ID == "" {
				t.Errorf("row %q: %s", r.ID, r.Body)
			}
		}
	})
}
