package main

import (
	"strings"
	"testing"
	"time"
)

func parsed(t *testing.T, text string) (config, error) {
	t.Helper()
	c := defaults()
	err := parseConfig(&c, []byte(text), func(name string) (string, bool) {
		if name == "ID" {
			return "8453", true
		}
		return "s3cret", name == "TOKEN"
	})
	return c, err
}

func TestConfig(t *testing.T) {
	c, err := parsed(t, `
data_dir: /var/lib/superindex
networks:
  optimism:
    rpc: [{name: own, url: "https://node.example/${TOKEN}"}]
    start: 105235063
  base:
    chain_id: ${ID}
    enabled: false
    start: -10000
sinks:
  clickhouse: {dsn: none}
  nats: {retention: 7d, max_bytes: 512MiB}
journal: {quota: 1GB, keep: 90m}
`)
	if err != nil {
		t.Fatal(err)
	}
	op, base := c.Networks["optimism"], c.Networks["base"]
	if op.RPC[0].URL != "https://node.example/s3cret" || !op.Start.Absolute || op.Start.Number != 105235063 {
		t.Errorf("optimism: %+v", op)
	}
	if !base.Start.FromTop || base.Start.Number != 10000 || base.ChainID != 8453 || *base.Enabled {
		t.Errorf("base: %+v", base)
	}
	if n := c.Sinks.NATS; time.Duration(n.Retention) != 7*24*time.Hour || n.MaxBytes != 512<<20 || n.URL != embeddedSink || !n.History {
		t.Errorf("nats: %+v", n)
	}
	if c.Journal.Quota != 1e9 || time.Duration(c.Journal.Keep) != 90*time.Minute || c.HTTP.Listen != "127.0.0.1:7676" {
		t.Errorf("the rest: %+v", c)
	}
}

func TestAnEmptyConfigIsTheDefaults(t *testing.T) {
	for _, text := range []string{"", "# nothing\n", "networks:\n"} {
		if c, err := parsed(t, text); err != nil || c.DataDir != defaults().DataDir {
			t.Errorf("%q: %+v, %v", text, c, err)
		}
	}
}

func TestBadConfigsSayWhereAndWhat(t *testing.T) {
	for text, want := range map[string]string{
		"data_dir: a\nsink: {}\n":                                             "line 2: unknown key sink",
		"networks:\n  optimism:\n    rcp: []\n":                               "line 3: unknown key rcp",
		"journal:\n  quota: lots\n":                                           `line 2: "lots" is no size`,
		"journal:\n  keep: soon\n":                                            `line 2: "soon" is no duration`,
		"networks:\n  optimism:\n    start: yesterday\n":                      `line 3: start: "yesterday" is no block number`,
		"networks:\n  optimism:\n    rpc: [{name: a, url: \"${MISSING}\"}]\n": "line 3: ${MISSING} is not set",
		"networks:\n  optimism:\n    rpc: [{url: \"http://a\"}]\n":            "networks.optimism.rpc: an endpoint without a name",
		"networks:\n  optimism:\n    chain_id: ten\n":                         "line 3: cannot unmarshal",
		"log: {format: xml}\n":                                                `log.format: "xml"`,
		"journal: {quota: 10B}\n":                                             "journal.quota",
		"data_dir: [\n":                                                       "line",
		"networks:\n\toptimism: 1\n":                                          "line 2",
	} {
		if _, err := parsed(t, text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v; want %q", text, err, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("networks: {optimism: {start: -1, rpc: [{name: a, url: \"${TOKEN}\"}]}}")
	f.Add("journal: {quota: 1GB, keep: 7d}")
	f.Fuzz(func(_ *testing.T, text string) {
		c := defaults()
		_ = parseConfig(&c, []byte(text), func(string) (string, bool) { return "x", true }) // it must end, and not panic
	})
}
