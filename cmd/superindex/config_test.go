package main

import (
	"strings"
	"testing"
	"time"

	"superindex/registry"
)

// parsed reads a text as a file would be read, and says all that is wrong with it.
func parsed(t *testing.T, text string) (config, error) {
	t.Helper()
	c := defaults()
	f := parseConfig(&c, []byte(text), func(name string) (string, bool) {
		value, ok := map[string]string{"ID": "8453", "TOKEN": "s3cret", "NODE": "http://node.example/s3cret"}[name]
		return value, ok
	})
	c.check(f, registry.Superchain())
	return c, f.err()
}

func TestConfig(t *testing.T) {
	c, err := parsed(t, `
data_dir: /var/lib/superindex
networks:
  optimism:
    rpc: [{name: own, url: "https://node.example/${TOKEN}"}]
    start: 105235063
    finality: 1800
    max_rps: 2.5
  zora: {start: 2025-01-31, finality: window}
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
	if op.Finality.blocks != 1800 || op.MaxRPS != 2.5 || !c.Networks["zora"].Finality.window {
		t.Errorf("finality and rate: %+v, %+v", op, c.Networks["zora"])
	}
	if at := c.Networks["zora"].Start.At; at != time.Date(2025, 1, 31, 0, 0, 0, 0, time.UTC) {
		t.Errorf("a date was read as %v", at)
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

// TestBadConfigs: what each mistake is answered with, whole.
func TestBadConfigs(t *testing.T) {
	for text, want := range map[string]string{
		// Keys.
		"data_dir: a\nsink: {}\n":                 "line 2: unknown key sink: is sinks meant?",
		"colour: blue\n":                          "line 1: unknown key colour: the keys here are data_dir, registry, networks, sinks, journal, poller, http, log, pprof",
		"networks:\n  base:\n    rcp: []\n":       "line 3: unknown key rcp in networks.base: is rpc meant?",
		"networks:\n  base:\n    endpoints: []\n": "line 3: unknown key endpoints in networks.base: is rpc meant?",
		"networks: {base: {rpc: [{nam: a}]}}\n":   "line 1: unknown key nam in networks.base.rpc[0]: is name meant?",
		"log: {level: info}\nhttp: {}\nlog: {}\n": "line 3: log is there twice, the first time in line 1",
		"journal: {<<: {keep: 1h}}\n":             "line 1: unknown key << in journal: the keys here are quota, keep, on_full",
		// Shapes.
		"- a\n":              "line 1: the file: wanted is a group of keys (data_dir, registry, networks, sinks, journal, poller, http, log, pprof), and here is a list",
		"networks: [base]\n": "line 1: networks: wanted is a group of names, and here is a list",
		"networks:\n  base:\n    rpc: https://s3cret\n": "line 3: networks.base.rpc: wanted is a list, [...], and here is a single value",
		"data_dir:\n  a: b\n":                           "line 2: data_dir: wanted is a single value, and here is a group of keys",
		"data_dir: [\n":                                 "line 1: this is no YAML: did not find expected node content",
		"networks:\n\tbase: 1\n":                        "line 2: this is no YAML: found character that cannot start any token",
		// Values.
		"journal:\n  quota: lots\n":                  `line 2: journal.quota: "lots" is no size such as 10GB or 512MiB`,
		"journal:\n  keep: soon\n":                   `line 2: journal.keep: "soon" is no duration such as 90s, 24h or 7d`,
		"journal:\n  keep: -1h\n":                    `line 2: journal.keep: "-1h" is no duration such as 90s, 24h or 7d`,
		"sinks: {nats: {retention: 99999999999d}}\n": `line 1: sinks.nats.retention: "99999999999d" is no duration such as 90s, 24h or 7d`,
		"sinks: {nats: {history: yes}}\n":            `line 1: sinks.nats.history: "yes" is neither true nor false`,
		"sinks: {nats: {replicas: two}}\n":           `line 1: sinks.nats.replicas: "two" is no whole number`,
		"networks: {base: {chain_id: ten}}\n":        `line 1: networks.base.chain_id: "ten" is no whole number`,
		"networks: {base: {max_rps: -3}}\n":          `line 1: networks.base.max_rps: "-3" is no number from 0 up`,
		"networks: {base: {max_rps: .nan}}\n":        `line 1: networks.base.max_rps: ".nan" is no number from 0 up`,
		"networks: {base: {max_rps: 'https://a'}}\n": `line 1: networks.base.max_rps: the URL there is no number from 0 up`,
		"networks: {base: {max_rps: '${NODE}'}}\n":   `line 1: networks.base.max_rps: "${NODE}" is no number from 0 up`,
		"networks: {base: {start: yesterday}}\n":     `line 1: networks.base.start: "yesterday" is no block number, no date such as 2025-01-31, no "finalized" and no "-10000" back from it`,
		"networks: {base: {finality: 0}}\n":          `line 1: networks.base.finality: "0" is neither tags, nor window, nor a number of blocks above zero`,
		"networks: {base: {enabled: maybe}}\n":       `line 1: networks.base.enabled: "maybe" is neither true nor false`,
		"http: {token: '${NOPE}${NO}${NOPE}'}\n":     "line 1: http.token: ${NOPE} and ${NO} is not set in the environment",
		// Networks.
		"networks:\n  optimsm: {}\n":              "line 2: networks.optimsm: no network of that name is known (is optimism meant?): give chain_id, or describe it in registry.networks_file",
		"networks:\n  mydevnet: {}\n":             "line 2: networks.mydevnet: no network of that name is known: give chain_id, or describe it in registry.networks_file",
		"networks: {mydevnet: {chain_id: 901}}\n": `line 1: networks.mydevnet.rpc: no endpoint is given, and none is known: give [{name: own, url: "https://..."}]`,
		"networks: {mainnet/op: {}}\n":            "line 1: networks.mainnet/op: it is called optimism here",
		"networks: {feeds: {chain_id: 901}}\n":    "line 1: networks.feeds: no name for a network: a to z, 0 to 9, _ and - make one, and feeds is taken",
		"networks: {My Net: {chain_id: 901}}\n":   "line 1: networks.My Net: no name for a network: a to z, 0 to 9, _ and - make one, and feeds is taken",
		"networks: {base: {chain_id: 10}}\n":      "line 1: networks.base.chain_id: chain_id is 10, and base has 8453",
		"networks: {base: {enabled: false}}\n":    "line 1: networks: none is enabled",
		"networks: {optimism: {start: 5}}\n":      "line 1: networks.optimism.start: start 5 is below the chain's first L2 block, 105235063",
		"networks: {silent_data: {}}\n":           "line 1: networks.silent_data.rpc: its URL needs ${SILENTDATA_AUTH_TOKEN}, which is not set",
		"networks: {base: {mode: log}}\n":         `line 1: networks.base.mode: "log" is none of logs, receipts, auto: is logs meant?`,
		"networks: {base: {verify: bloom}}\n":     "line 1: networks.base.verify: bloom is not there yet; use off or auto",
		"networks: {base: {verify: on}}\n":        `line 1: networks.base.verify: "on" is none of off, link, bloom, receipts, auto`,
		// Endpoints.
		"networks: {base: {rpc: [{url: 'http://a'}]}}\n":                                      "line 1: networks.base.rpc[0]: an endpoint without a name, by which it is shown",
		"networks: {base: {rpc: [{name: a}]}}\n":                                              "line 1: networks.base.rpc[0].url: its URL has no scheme or host: it must begin with https://, wss://, http:// or ws://",
		"networks:\n  base:\n    rpc:\n      - name: a\n        url: s3cret.example\n":        "line 5: networks.base.rpc[0].url: its URL has no scheme or host: it must begin with https://, wss://, http:// or ws://",
		"networks: {base: {rpc: [{name: a, url: 'http://b'}, {name: a, url: 'http://d'}]}}\n": "line 1: networks.base.rpc[1]: a second endpoint is named a",
		// Sinks and the rest.
		"sinks: {clickhouse: {dsn: none}, nats: {url: none}}\n":    "line 1: sinks: there is none: let clickhouse.dsn or nats.url be an address or embedded",
		"sinks: {clickhouse: {dsn: 'http://u:s3cret@h:8123/d'}}\n": "line 1: sinks.clickhouse.dsn: only the native protocol can be used: clickhouse://user:password@host:9000/superindex",
		"sinks: {clickhouse: {listen: '0.0.0.0:0'}}\n":             `line 1: sinks.clickhouse.listen: "0.0.0.0:0" is no loopback address with a port, such as 127.0.0.1:0: the embedded server is for this machine only`,
		"sinks: {nats: {url: 'nats://u:s3/cret@h:4222'}}\n":        "line 1: sinks.nats.url: is neither embedded, none nor nats://host:4222 or tls://..., several with commas between; in a password / is %2F, @ is %40, : is %3A",
		"sinks: {nats: {url: 'nats://h', replicas: 6}}\n":          "line 1: sinks.nats.replicas: 6 is not 1 to 5",
		"sinks: {nats: {replicas: 3}}\n":                           "line 1: sinks.nats.replicas: the embedded server is one, and cannot keep 3 copies",
		"sinks: {nats: {url: 'nats://h', creds: no/such.creds}}\n": "line 1: sinks.nats.creds: stat no/such.creds: no such file or directory",
		"journal: {quota: 10B}\n":                                  "line 1: journal.quota: 10 bytes hold no step",
		"poller: {nmp: {}}\n":                                      "line 1: poller.nmp: \"nmp\" is none of gharchive, github, npm, open_collective: is npm meant?",
		"poller: {npm: {every: 1s}}\n":                             "line 1: poller.npm.every: 1s is too often: a minute at least",
		"poller: {npm: {from: soon}}\n":                            "line 1: poller.npm.from: \"soon\" is no date such as 2025-01-31",
		"poller: {npm: {per_hour: -1}}\n":                          "line 1: poller.npm.per_hour: \"-1\" is no whole number",
		"poller: {npm: {url: 's3cret.example'}}\n":                 "line 1: poller.npm.url: not an http or https URL",
		"poller: {npm: {token: s3cret}}\n":                         "line 1: poller.npm.token: the feed uses none",
		"poller: {open_collective: {tokens: [s3cret, b]}}\n":       "line 1: poller.open_collective.tokens: 2 are given, and 1 is used",
		"journal: {on_full: detach}\n":                             "line 1: journal.on_full: detach is not there yet: nothing rebuilds a sink that was detached; use stall",
		"journal: {on_full: wait}\n":                               `line 1: journal.on_full: "wait" is none of stall, detach`,
		"http: {listen: '7676'}\n":                                 `line 1: http.listen: "7676" is no address with a port, such as 127.0.0.1:7676`,
		"http: {tls: {cert: a.pem}}\n":                             "line 1: http.tls: cert and key are needed both, each the path of a PEM file",
		"http: {tls: {cert: no.pem, key: no.key}}\n":               "line 1: http.tls: read cert and key: open no.pem: no such file or directory",
		"log: {format: xml}\n":                                     `line 1: log.format: "xml" is none of auto, text, json`,
		"log: {level: warning}\n":                                  `line 1: log.level: "warning" is none of debug, info, warn, error: is warn meant?`,
		"data_dir: ''\n":                                           "line 1: data_dir: is empty: name a folder",
	} {
		if _, err := parsed(t, text); err == nil || err.Error() != want {
			t.Errorf("%q:\n%v\n%s", text, err, want)
		}
	}
}

// TestAllThatIsWrongIsSaidAtOnce: by line.
func TestAllThatIsWrongIsSaidAtOnce(t *testing.T) {
	_, err := parsed(t, "networks:\n  optimsm: {start: soon}\njournal: {quota: lots}\nsink: {}\nhttp: {listen: x}\nlog: {level: loud}\n")
	want := `line 2: networks.optimsm.start: "soon" is no block number, no date such as 2025-01-31, no "finalized" and no "-10000" back from it
line 3: journal.quota: "lots" is no size such as 10GB or 512MiB
line 4: unknown key sink: is sinks meant?
line 5: http.listen: "x" is no address with a port, such as 127.0.0.1:7676
line 6: log.level: "loud" is none of debug, info, warn, error`
	if err == nil || err.Error() != want {
		t.Errorf("%v", err)
	}
	_, err = parsed(t, "registry: {networks_file: '${NO}'}\nnetworks: {mine: {}}\njournal: {on_full: x}\n")
	if err == nil || strings.Count(err.Error(), "\n") != 1 || strings.Contains(err.Error(), "mine") {
		t.Errorf("without the file that names networks: %v", err)
	}
	_, err = parsed(t, "networks:\n  optimsm:\n  base: {mode: log}\nhttp: {listen: x}\n")
	if err == nil || strings.Count(err.Error(), "\n") != 2 {
		t.Errorf("%v", err)
	}
}

// A secret that looks like a variable is no variable.
func TestWhatIsFilledInIsNotFilledInAgain(t *testing.T) {
	t.Setenv("TOKEN", "twice")
	var c config
	f := parseConfig(&c, []byte("networks: {base: {rpc: [{name: a, url: 'http://node.example/${KEY}'}]}}"), func(string) (string, bool) { return "${TOKEN}", true })
	all := c.choose(f, c.Networks, registry.Superchain())
	if f.err() != nil || len(all) != 1 || all[0].rpc[0].URL != "http://node.example/${TOKEN}" {
		t.Errorf("%v, %v", all, f.err())
	}
}

func TestABackfillEndsWhereItsFeedCan(t *testing.T) {
	for name, can := range map[string]bool{"npm": true, "gharchive": true, "github": false, "open_collective": false} {
		if _, err := history(name, "2020-01-01", "2021-01-01"); (err == nil) != can || !can && !strings.HasPrefix(err.Error(), "--to: "+name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMeant(t *testing.T) {
	words := registry.Superchain().Names()
	for written, want := range map[string]string{
		"optimsm": "optimism", "Base": "base", "worldchian": "worldchain", "op": "", "optimism_mainnet": "optimism", "ethereum": "", "arbitrum": "", "unchain": "unichain",
	} {
		if got := meant(written, words); got != want {
			t.Errorf("%s: %q is meant, want %q", written, got, want)
		}
	}
}

func FuzzConfig(f *testing.F) {
	f.Add("networks: {optimism: {start: -1, rpc: [{name: a, url: \"${TOKEN}\"}]}}")
	f.Add("journal: {quota: 1GB, keep: 7d}")
	f.Add("a: &a [*a, {networks: *a}]")
	known := registry.Superchain()
	f.Fuzz(func(_ *testing.T, text string) {
		c := defaults()
		faults := parseConfig(&c, []byte(text), func(string) (string, bool) { return "x", true }) // it must end, and not panic
		c.check(faults, known)
	})
}
