package clickhouse

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
)

// Options says how to run an engine.
type Options struct {
	Lib       string       // path of libchdb.so
	Dir       string       // the engine's folder, made if missing; for one engine at a time
	Listen    string       // loopback address and port for the native protocol; port 0 is a free one, kept while the Server lives
	MaxMemory int64        // bytes that the engine may take; 0 leaves it nine tenths of the machine
	Log       *slog.Logger // starts and restarts; nil for none. The engine's own log is clickhouse.log in Dir
}

// Check names the first option that cannot be.
func (o Options) Check() error {
	if _, err := os.Stat(o.Lib); err != nil {
		return fmt.Errorf("lib: %w", err)
	}
	if o.Dir == "" {
		return errors.New("dir: empty")
	}
	at, err := netip.ParseAddrPort(o.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	if !at.Addr().IsLoopback() {
		return fmt.Errorf("listen: %s is not a loopback address, and the embedded ClickHouse is for this machine only", at.Addr())
	}
	if o.MaxMemory < 0 {
		return errors.New("max memory: below zero")
	}
	return nil
}

func (o Options) configFile() string { return filepath.Join(o.Dir, "config.xml") }
func (o Options) accessFile() string { return filepath.Join(o.Dir, "access.env") }

// section is a level of ClickHouse's configuration: a value is a section, a list
// of texts, or anything that prints as its text.
type section map[string]any

// appendXML appends the section's elements, in the order of their names.
func (s section) appendXML(dst *bytes.Buffer) {
	for _, name := range slices.Sorted(maps.Keys(s)) {
		values, ok := s[name].([]string)
		if !ok {
			values = []string{fmt.Sprint(s[name])}
		}
		for _, value := range values {
			dst.WriteString("<" + name + ">")
			if inner, ok := s[name].(section); ok {
				inner.appendXML(dst)
			} else {
				xml.EscapeText(dst, []byte(value)) //nolint:errcheck // a buffer takes everything
			}
			dst.WriteString("</" + name + ">\n")
		}
	}
}

// writeConfig puts the engine's configuration into its folder.
func (o Options) writeConfig(a Access) error {
	for name, content := range map[string]section{
		o.configFile():                    o.config(),
		filepath.Join(o.Dir, "users.xml"): users(a, o.MaxMemory),
	} {
		var text bytes.Buffer
		section{"clickhouse": content}.appendXML(&text)
		if err := os.WriteFile(name, text.Bytes(), 0o600); err != nil {
			return fmt.Errorf("write clickhouse's configuration: %w", err)
		}
	}
	return nil
}

// mergeTree is for all tables. Statistics of columns, which no query of ours asks for,
// would be a third of what merging costs. Of twelve files a part has ten where no column
// is sparse and no substream has marks. Merged parts stay until what they were merged
// into, which nobody syncs by itself, is on the disk: with the next write's sync, or that
// of a relay which has nothing to write for a minute and asks for the position. Then they go bit
// by bit: left to the server, it removes those of half a minute at once, and writes nothing meanwhile.
var mergeTree = section{
	"auto_statistics_types":                       "",
	"write_marks_for_substreams_in_compact_parts": 0,
	"serialization_info_version":                  "basic",
	"ratio_of_defaults_for_sparse_serialization":  1,
	"old_parts_lifetime":                          70,
	"cleanup_delay_period":                        1,
	"cleanup_delay_period_random_add":             0,
	"max_cleanup_delay_period":                    1,
}

// config is the server's part. Merging gives way to who writes and reads.
func (o Options) config() section {
	c := section{
		"logger":       section{"level": "warning", "log": filepath.Join(o.Dir, "clickhouse.log"), "size": "10M", "count": 2, "console": 0},
		"users_config": "users.xml",
		"timezone":     "UTC",
		"merge_tree":   mergeTree,

		"os_threads_nice_value_merge_mutate":   10,
		"asynchronous_metrics_update_period_s": 60,
	}
	if o.MaxMemory > 0 {
		c["max_server_memory_usage"] = o.MaxMemory
		c["mark_cache_size"] = o.MaxMemory / 8
	}
	return c
}

// users are three: the engine's own session, which has no password and may do
// nothing but open the listener; the full user; and the reader, who may not
// write, nor read what is no table of the warehouse.
func users(a Access, maxMemory int64) section {
	here := section{"ip": []string{"127.0.0.0/8", "::1"}}
	reader := section{"readonly": 2}
	if maxMemory > 0 {
		reader["max_memory_usage"] = maxMemory / 2
		reader["constraints"] = section{"max_memory_usage": section{"readonly": ""}}
	}
	return section{
		"profiles": section{"default": section{}, "reader": reader},
		"quotas":   section{"default": section{}},
		"users": section{
			"default": section{
				"password": "", "profile": "default", "quota": "default", "networks": section{"ip": []string{"::1"}},
				"grants": section{"query": []string{"GRANT SYSTEM LISTEN ON *.*"}},
			},
			fullUser: section{"password": a.Password, "profile": "default", "quota": "default", "networks": here},
			readUser: section{
				"password": a.ReaderPassword, "profile": "reader", "quota": "default", "networks": here,
				"grants": section{"query": []string{"GRANT SELECT, SHOW, dictGet ON " + database + "*.*"}},
			},
		},
	}
}
