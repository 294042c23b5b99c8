package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"superindex/registry"
	"superindex/reorg"
)

// config is superindex.yaml; the contract names the keys, docs/operate.md says what
// each means. read.go fills it from the file, sound.go says what cannot be.
type config struct {
	DataDir  string                   `yaml:"data_dir"`
	Registry registryConfig           `yaml:"registry"`
	Networks map[string]networkConfig `yaml:"networks"`
	Sinks    sinksConfig              `yaml:"sinks"`
	Journal  journalConfig            `yaml:"journal"`
	Poller   map[string]feedConfig    `yaml:"poller"` // by the feeds' names
	HTTP     httpConfig               `yaml:"http"`
	Log      logConfig                `yaml:"log"`
	PProf    bool                     `yaml:"pprof"` // Go's profiles under /debug/pprof/
}

type registryConfig struct {
	OSSDirectory string   `yaml:"oss_directory"` // a folder, a .tar.gz, the URL of one or of a git repository
	Refresh      duration `yaml:"refresh"`       // 0: only at the start
	NetworksFile string   `yaml:"networks_file"`
}

type networkConfig struct {
	Enabled  *bool      `yaml:"enabled"`
	ChainID  uint64     `yaml:"chain_id"` // of a network that the built-in table does not know
	RPC      []endpoint `yaml:"rpc"`      // those that answer share the work
	Start    start      `yaml:"start"`
	Mode     string     `yaml:"mode"`
	Verify   string     `yaml:"verify"`
	Finality finality   `yaml:"finality"`
	MaxRPS   float64    `yaml:"max_rps"` // calls a second; 0: as many as an endpoint bears
}

type endpoint struct {
	Name string `yaml:"name"`
	URL  string `yaml:"url"` // may hold secrets, is never shown
}

type sinksConfig struct {
	ClickHouse clickhouseConfig `yaml:"clickhouse"`
	NATS       natsConfig       `yaml:"nats"`
	AllowNone  bool             `yaml:"allow_none"` // to measure what comes before the sinks: nobody reads a journal
}

// Instead of an address a sink may be embedded, or none.
const (
	embeddedSink = "embedded"
	noSink       = "none"
)

type clickhouseConfig struct {
	DSN    string `yaml:"dsn"`
	Listen string `yaml:"listen"`
}

type natsConfig struct {
	URL       string   `yaml:"url"`
	Listen    string   `yaml:"listen"`
	Creds     string   `yaml:"creds"`
	Retention duration `yaml:"retention"`
	MaxBytes  size     `yaml:"max_bytes"`
	Replicas  int      `yaml:"replicas"`
	History   bool     `yaml:"history"`
}

type journalConfig struct {
	Quota  size     `yaml:"quota"`
	Keep   duration `yaml:"keep"`
	OnFull string   `yaml:"on_full"`
}

type httpConfig struct {
	Listen string    `yaml:"listen"`
	Token  string    `yaml:"token"` // asked of everybody but for /healthz and /readyz; is never shown
	TLS    tlsConfig `yaml:"tls"`
}

type tlsConfig struct {
	Cert string `yaml:"cert"` // paths of PEM files
	Key  string `yaml:"key"`
}

type logConfig struct {
	Level  string `yaml:"level"`  // debug, info, warn or error
	Format string `yaml:"format"` // auto, text or json
}

// defaults are what a missing key means.
func defaults() config {
	journal := reorg.Defaults()
	return config{
		DataDir:  "./superindex-data",
		Registry: registryConfig{OSSDirectory: registry.DefaultOptions().Source, Refresh: duration(time.Hour)},
		Sinks: sinksConfig{
			ClickHouse: clickhouseConfig{DSN: embeddedSink, Listen: "127.0.0.1:0"},
			NATS: natsConfig{
				URL: embeddedSink, Listen: "127.0.0.1:4222", Retention: duration(7 * 24 * time.Hour),
				MaxBytes: 10e9, Replicas: 1, History: true,
			},
		},
		Journal: journalConfig{Quota: size(journal.Quota), Keep: duration(journal.Keep), OnFull: onFullStall},
		HTTP:    httpConfig{Listen: "127.0.0.1:7676"},
		Log:     logConfig{Level: "info", Format: "auto"},
	}
}

// loadConfig reads the file; a default path that does not exist is an empty file.
func loadConfig(path string, given bool) (config, error) {
	c := defaults()
	text, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !given {
		return c, nil
	}
	if err != nil {
		return c, fmt.Errorf("read the config: %w", err)
	}
	f := parseConfig(&c, text, os.LookupEnv)
	f.file = path
	known, err := c.known()
	if err != nil {
		f.add("registry.networks_file", "%v", err)
		f.unread["registry"] = true
	}
	c.check(f, known)
	return c, f.err()
}

// known are the networks that a name may stand for.
func (c *config) known() (registry.Networks, error) {
	return registry.LoadNetworks(c.Registry.NetworksFile, registry.Superchain())
}

// journal are the journal's options for these sinks.
func (c *config) journal(sinks []string) reorg.Options {
	o := reorg.Defaults()
	o.Quota, o.Keep, o.Sinks = uint64(c.Journal.Quota), time.Duration(c.Journal.Keep), sinks
	return o
}
