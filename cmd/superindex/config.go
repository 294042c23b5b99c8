package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"superindex/registry"
	"superindex/reorg"
)

// config is superindex.yaml; the contract names the keys.
type config struct {
	DataDir  string                   `yaml:"data_dir"`
	Registry registryConfig           `yaml:"registry"`
	Networks map[string]networkConfig `yaml:"networks"`
	Sinks    sinksConfig              `yaml:"sinks"`
	Journal  journalConfig            `yaml:"journal"`
	HTTP     httpConfig               `yaml:"http"`
	Log      logConfig                `yaml:"log"`
}

type registryConfig struct {
	OSSDirectory string `yaml:"oss_directory"` // a folder, a .tar.gz, the URL of one or of a git repository
	NetworksFile string `yaml:"networks_file"`
}

type networkConfig struct {
	Enabled *bool      `yaml:"enabled"`
	ChainID uint64     `yaml:"chain_id"` // of a network that the built-in table does not know
	RPC     []endpoint `yaml:"rpc"`      // those that answer share the work
	Start   start      `yaml:"start"`
}

type endpoint struct {
	Name string `yaml:"name"`
	URL  string `yaml:"url"` // may hold secrets, is never shown
}

type sinksConfig struct {
	ClickHouse clickhouseConfig `yaml:"clickhouse"`
	NATS       natsConfig       `yaml:"nats"`
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
	Quota size     `yaml:"quota"`
	Keep  duration `yaml:"keep"`
}

type httpConfig struct {
	Listen string `yaml:"listen"`
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
		Registry: registryConfig{OSSDirectory: registry.DefaultOptions().Source},
		Sinks: sinksConfig{
			ClickHouse: clickhouseConfig{DSN: embeddedSink, Listen: "127.0.0.1:0"},
			NATS: natsConfig{
				URL: embeddedSink, Listen: "127.0.0.1:4222", Retention: duration(7 * 24 * time.Hour),
				MaxBytes: 10e9, Replicas: 1, History: true,
			},
		},
		Journal: journalConfig{Quota: size(journal.Quota), Keep: duration(journal.Keep)},
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
	if err := parseConfig(&c, text, os.LookupEnv); err != nil {
		return c, fmt.Errorf("%s: %w", path, err)
	}
	return c, nil
}

func parseConfig(c *config, text []byte, lookup func(string) (string, bool)) error {
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		return readable(err)
	}
	if len(document.Content) == 0 {
		return nil
	}
	if err := expand(&document, lookup); err != nil {
		return err
	}
	if err := unknownKeys(text); err != nil {
		return err
	}
	if err := document.Decode(c); err != nil {
		return readable(err)
	}
	return c.check()
}

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// expand fills in ${NAME} from the environment, in every value.
func expand(n *yaml.Node, lookup func(string) (string, bool)) error {
	for _, child := range n.Content {
		if err := expand(child, lookup); err != nil {
			return err
		}
	}
	if n.Kind != yaml.ScalarNode {
		return nil
	}
	var missing error
	if n.Style == 0 && variable.MatchString(n.Value) {
		n.Tag = "" // not quoted: what it holds says what it is
	}
	n.Value = variable.ReplaceAllStringFunc(n.Value, func(match string) string {
		value, ok := lookup(variable.FindStringSubmatch(match)[1])
		if !ok {
			missing = fmt.Errorf("line %d: %s is not set in the environment", n.Line, match)
		}
		return value
	})
	return missing
}

var unknownKey = regexp.MustCompile(`field (\S+) not found in type \S+`)

// unknownKeys refuses keys that mean nothing, with their lines. Other faults of
// the text are left to the decoding of its values, once they are filled in.
func unknownKeys(text []byte) error {
	strict := yaml.NewDecoder(bytes.NewReader(text))
	strict.KnownFields(true)
	var shape config
	var types *yaml.TypeError
	if err := strict.Decode(&shape); !errors.As(err, &types) {
		return nil
	}
	unknown := slices.DeleteFunc(types.Errors, func(e string) bool { return !unknownKey.MatchString(e) })
	if len(unknown) == 0 {
		return nil
	}
	return readable(&yaml.TypeError{Errors: unknown})
}

// readable puts YAML's own errors, which name Go's types, into the user's words.
func readable(err error) error {
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	text = strings.ReplaceAll(text, "unmarshal errors:\n  ", "")
	text = strings.ReplaceAll(text, "\n  ", "; ")
	return errors.New(unknownKey.ReplaceAllString(text, "unknown key $1"))
}

// check names the first key that cannot be.
func (c *config) check() error {
	for name, n := range c.Networks {
		for _, e := range n.RPC {
			if e.Name == "" {
				return fmt.Errorf("networks.%s.rpc: an endpoint without a name", name)
			}
		}
	}
	switch c.Log.Format {
	case "auto", "text", "json":
	default:
		return fmt.Errorf("log.format: %q is none of auto, text, json", c.Log.Format)
	}
	journal := c.journal(nil)
	return journal.Check()
}

// journal are the journal's options for these sinks.
func (c *config) journal(sinks []string) reorg.Options {
	o := reorg.Defaults()
	o.Quota, o.Keep, o.Sinks = uint64(c.Journal.Quota), time.Duration(c.Journal.Keep), sinks
	return o
}
