package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"superindex/indexer"
	"superindex/poller"
)

// readText is the page as it is read: tags taken out, in one line.
func readText(t *testing.T, html string) string {
	t.Helper()
	html = html[strings.Index(html, "</style>"):]
	var b strings.Builder
	inside := true
	for _, r := range html {
		switch {
		case r == '<':
			inside = true
			b.WriteByte(' ')
		case r == '>':
			inside = false
		case !inside:
			b.WriteRune(r)
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}

func rendered(t *testing.T, r report) string {
	t.Helper()
	var b strings.Builder
	if err := pageTemplate.Execute(&b, newPage(r, time.Now())); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestPage(t *testing.T) {
	r := table()
	r.Networks[2].Faults["nats"] = `<script>alert("x")</script>`
	r.Feeds = []poller.State{{Feed: "npm", Resources: 1200, Due: 30, Failing: 2, Example: "one", Fault: "no route to the registry"}}
	html := rendered(t, r)
	for _, word := range []string{"<script", "http://", "https://", "javascript:"} {
		if strings.Contains(html, word) {
			t.Errorf("the page has %q", word)
		}
	}
	page := readText(t, html)
	for _, want := range []string{
		"superindex: 1 of 4 red", "mode : nats: &lt;script&gt;", "mode : wait_rpc: stalled",
		"base catching up 143000000 -300 -900 143000000 1,234,567 2s 331 25,000 1h02m wait_rpc 0 2.0 MiB -3 ok",
		"optimism synced", "stream state steps journal clickhouse nats feeds synced 0 2.0 MiB ok ok",
		"npm red 1,200 30 2 0 0 - no route to the registry",
		"mode public down 0 0 0s 0s no answer",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page:\n%s", want, page)
		}
	}
}

// The first word is "synced" only if every stream is.
func TestPageNeverSaysSyncedTooSoon(t *testing.T) {
	all := table()
	all.Networks = all.Networks[3:] // optimism
	if got := readText(t, rendered(t, all)); !strings.Contains(got, "superindex: synced version") {
		t.Error(got)
	}
	for _, s := range []indexer.State{indexer.Red, indexer.Starting, indexer.CatchingUp, indexer.HeadStale, indexer.SinksBehind, indexer.Filling} {
		all.Networks[0].State = s
		if got := readText(t, rendered(t, all)); strings.Contains(got, "superindex: synced") {
			t.Errorf("%s: %s", s, got)
		}
	}
	all.Networks[0].State, all.Feeds = indexer.Synced, []poller.State{{Feed: "npm", Fault: "away"}}
	if got := readText(t, rendered(t, all)); !strings.Contains(got, "superindex: 1 red") {
		t.Error(got)
	}
	if got := readText(t, rendered(t, report{})); !strings.Contains(got, "superindex: starting") {
		t.Error(got)
	}
}

// pageIsServed asks a running daemon for its page, and checks what it may load.
func pageIsServed(t *testing.T, server *httptest.Server, want ...string) {
	t.Helper()
	resp, err := server.Client().Get(server.URL + "/")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Security-Policy"), "default-src 'none'") {
		t.Fatalf("%v %s %v", err, resp.Status, resp.Header)
	}
	for _, w := range want {
		if page := readText(t, string(body)); !strings.Contains(page, w) {
			t.Errorf("%q is not on the page:\n%s", w, page)
		}
	}
}
