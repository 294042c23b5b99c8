package ethrpc_test

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
	"superindex/indexer/pool"
)

// talker is a node of a chain without logs. It gives a row's words to the first
// question for logs.
type talker struct {
	row    *ethrpc.Row // nil: it never says anything amiss
	ranges []indexer.Range
	enough func() // called with the third question
}

// RoundTrip implements http.RoundTripper: no socket, so that a bubble's time goes on.
func (n *talker) RoundTrip(r *http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	var calls []struct {
		ID     int
		Method string
		Params []any
	}
	if err := json.NewDecoder(r.Body).Decode(&calls); err != nil {
		return nil, err
	}
	status, items := http.StatusOK, []string{}
	for _, c := range calls {
		item := `"result":"0xa"`
		switch c.Method {
		case "eth_getBlockByNumber":
			item = `"result":` + header(c.Params[0].(string))
		case "eth_getLogs":
			item = `"result":[]`
			if n.asked(c.Params[0].(map[string]any)); n.row != nil && len(n.ranges) == 1 {
				status = n.row.Status
				item = fmt.Sprintf(`"error":{"code":%d,"message":%q}`, n.row.Code, n.row.Text)
			}
		}
		items = append(items, fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,%s}`, c.ID, item))
	}
	if status != http.StatusOK && n.row.Code == 0 {
		items = []string{n.row.Text}
	}
	w.WriteHeader(status)
	_, _ = w.WriteString("[" + strings.Join(items, ",") + "]")
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (n *talker) asked(filter map[string]any) {
	from, _ := strconv.ParseUint(filter["fromBlock"].(string), 0, 64)
	to, _ := strconv.ParseUint(filter["toBlock"].(string), 0, 64)
	if n.ranges = append(n.ranges, indexer.Range{From: from, To: to}); len(n.ranges) == 3 {
		n.enough()
	}
}

const top = 60_000_000

// header is that of a block of the chain.
func header(at string) string {
	number, err := strconv.ParseUint(at, 0, 64)
	if err != nil { // a tag
		number = top
	}
	return fmt.Sprintf(`{"number":"%#x","hash":"%v","parentHash":"%v","timestamp":"0x1","transactions":[],"logsBloom":"0x"}`,
		number, hashAt(number), hashAt(number-1))
}

func hashAt(number uint64) (h chain.Hash) {
	for i := range 8 {
		h[i] = byte(number >> (8 * i))
	}
	h[31] = 1
	return h
}

type nobody struct{}

func (nobody) Has(*chain.Address) bool { return false }

// said is what comes of a row's words: the endpoint that said them, the other one, and
// the pool of both.
type said struct {
	first, other *talker
	asked        indexer.Range
	pool         *pool.Pool
}

// say lets a pool ask for a range, to which its first endpoint answers with the row.
func say(t *testing.T, row ethrpc.Row) said {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s := said{first: &talker{row: &row, enough: cancel}, other: &talker{enough: cancel}}
	o := pool.Options{Network: "optimism", Log: slog.New(slog.DiscardHandler)}
	for name, n := range map[string]*talker{"first": s.first, "other": s.other} {
		gate := pool.NewGate(0)
		client, err := ethrpc.New(ethrpc.Options{Name: name, URL: "http://node.invalid", ChainID: 10, HTTP: &http.Client{Transport: n}, Gate: gate})
		if err != nil {
			t.Fatal(err)
		}
		m := pool.Member{Name: name, Endpoint: client, Gate: gate}
		if o.Members = append(o.Members, m); name == "first" {
			o.Members[0], o.Members[len(o.Members)-1] = o.Members[len(o.Members)-1], o.Members[0]
		}
	}
	var err error
	if s.pool, err = pool.New(o); err != nil {
		t.Fatal(err)
	}
	if _, err := s.pool.Heads(ctx); err != nil {
		t.Fatal(err)
	}
	running, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.pool.Run(running) }() // the other one shows its head
	time.Sleep(time.Minute)
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	from := row.Want.Works.From
	s.asked = indexer.Range{From: from, To: from + 30_000_000 - 1}
	want := indexer.Want{Watched: nobody{}, Anchor: chain.BlockRef{Number: top, Hash: hashAt(top)}}
	if f, err := s.pool.Fetch(ctx, s.asked, want); err == nil && f.Blocks[len(f.Blocks)-1].Number != s.asked.To {
		t.Errorf("%q: a part of the range was skipped", row.Text)
	}
	return s
}

// reaction is what the pool did, in the table's words.
func (s said) reaction(row ethrpc.Row) string {
	state := s.pool.Endpoints()[0]
	switch {
	case len(s.other.ranges) > 0 && s.other.ranges[0] != s.asked:
		return fmt.Sprintf("of the other endpoint %v was asked", s.other.ranges[0])
	case len(s.other.ranges) > 0 && !state.Up && strings.Contains(state.Reason, "rpc first: "):
		return "out"
	case len(s.other.ranges) > 0 && state.Rate > 0:
		return "slower"
	case len(s.other.ranges) > 0:
		return "other endpoint"
	case len(s.first.ranges) < 2:
		return "nothing was asked again"
	}
	next := s.first.ranges[1]
	switch blocks := row.Want.Blocks; {
	case next.From != s.asked.From:
		return fmt.Sprintf("a part was skipped: %v after %v", next, s.asked)
	case row.Want.Works.To > 0 && next == row.Want.Works:
		return "suggested"
	case next.Len() == s.asked.Len()/2:
		return "halved"
	case blocks > 0 && next.Len() <= blocks && next.Len() > blocks*9/10:
		return fmt.Sprintf("at most %d blocks", blocks)
	}
	return fmt.Sprint(next)
}

// Each row's exact words lead to its reaction.
func TestReactions(t *testing.T) {
	for _, row := range ethrpc.Seen() {
		t.Run(row.Text, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := say(t, row).reaction(row); got != row.Reaction {
					t.Errorf("HTTP %d, code %d, %q: %s, want %s", row.Status, row.Code, row.Text, got, row.Reaction)
				}
			})
		})
	}
}
