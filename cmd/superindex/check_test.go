package main

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	embeddednats "superindex/internal/embedded/nats"
)

// node answers each JSON-RPC call of a batch with the result of that name.
func node(t *testing.T, results map[string]string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var calls []struct {
			ID     int
			Method string
			Params []any
		}
		if err := json.NewDecoder(r.Body).Decode(&calls); err != nil {
			t.Error(err)
		}
		answers := make([]string, len(calls))
		for i, c := range calls {
			key := c.Method
			if tag, ok := append(c.Params, nil)[0].(string); ok && results[key+" "+tag] != "" {
				key += " " + tag
			}
			answer := `"error":{"code":-32601,"message":"the method does not exist"}`
			if c.Method == "eth_getBlockByNumber" {
				answer = `"error":{"code":-32000,"message":"block not found"}`
			}
			if results[key] != "" {
				answer = `"result":` + results[key]
			}
			answers[i] = fmt.Sprintf(`{"jsonrpc":"2.0","id":%d,%s}`, c.ID, answer)
		}
		fmt.Fprintf(w, "[%s]", strings.Join(answers, ","))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

func block(number int) string {
	return fmt.Sprintf(`{"number":"0x%x","hash":"0x%064x","parentHash":"0x%064x","timestamp":"0x%x","transactions":[]}`, number, number, number-1, 1000+number)
}

// TestCheck: each thing that can be wrong with an endpoint or a sink is a red line
// with its remedy, and none shows a URL.
func TestCheck(t *testing.T) {
	tagged := node(t, map[string]string{
		"eth_chainId": `"0x385"`, "eth_getLogs": "[]", "eth_getBlockReceipts": "[]", "eth_getBlockByNumber": block(1),
		"eth_getBlockByNumber latest": block(90), "eth_getBlockByNumber safe": block(80), "eth_getBlockByNumber finalized": block(70),
	})
	bare := node(t, map[string]string{"eth_chainId": `"0x386"`, "eth_getLogs": "[]", "eth_getBlockByNumber latest": block(90)})
	deaf := node(t, map[string]string{"eth_chainId": `"0x387"`, "eth_getBlockByNumber latest": block(90)})
	page := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(page.Close)
	taken := page.Listener
	dir := t.TempDir()
	server, err := embeddednats.Start(t.Context(), embeddednats.Options{Dir: t.TempDir(), Listen: "127.0.0.1:0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	text := fmt.Sprintf(`data_dir: %s
registry: {oss_directory: %s}
networks:
  tagged: {chain_id: 901, rpc: [{name: own, url: %q}, {name: page, url: %q}]}
  bare: {chain_id: 902, rpc: [{name: own, url: %q}, {name: dead, url: "http://127.0.0.1:1/s3cret-key"}]}
  deaf: {chain_id: 903, rpc: [{name: own, url: %q}, {name: other, url: %q}]}
sinks:
  clickhouse: {dsn: "clickhouse://someone:s3cret-key@127.0.0.1:1/superindex"}
  nats: {url: %q}
http: {listen: %q}
`, filepath.Join(dir, "data"), filepath.Join(dir, "none"), tagged, page.URL, bare, deaf, bare, server.FullURL(), taken.Addr())
	path := filepath.Join(dir, "superindex.yaml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := command(t, "--config", path, "check")
	if err == nil || !strings.HasSuffix(err.Error(), " are red") {
		t.Errorf("%v", err)
	}
	for _, want := range []string{
		"ok config sound",
		"ok data_dir " + filepath.Join(dir, "data") + " writable",
		"RED http " + taken.Addr().String() + " http.listen: listen tcp " + taken.Addr().String() + ": bind: address already in use; to mend it: stop what listens there",
		"RED registry registry: read oss-directory from " + filepath.Join(dir, "none"), "to mend it: set registry.oss_directory",
		"ok endpoint tagged/own chain 901, latest 90, safe 80, finalized 70, ", " logs and receipts",
		"RED endpoint tagged/page rpc page: ",
		"ok endpoint bare/own chain 902, latest 90, no safe, no finalized (it will be assumed), ", "logs, no eth_getBlockReceipts",
		"RED endpoint bare/dead rpc dead: dial tcp <dead>: connect: connection refused; to mend it: let networks.bare.rpc name a node that is up",
		"RED endpoint deaf/own rpc own: eth_getLogs: ",
		"RED endpoint deaf/other rpc other: it serves chain 902, not 903; to mend it: give endpoint other the URL of a node of chain 903",
		"RED sink clickhouse clickhouse: connect: dial tcp 127.0.0.1:1: connect: connection refused; to mend it: let sinks.clickhouse.dsn name a server that is up",
		"ok sink nats NATS ", "with JetStream, 0 messages, empty",
	} {
		if !strings.Contains(strings.Join(strings.Fields(out), " "), want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "s3cret") || strings.Contains(out, strings.TrimPrefix(bare, "http://")) {
		t.Errorf("a URL is shown:\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); err == nil {
		t.Error("check made the data folder")
	}
}
