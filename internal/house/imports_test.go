package house

import (
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "superindex"

// rooms says which other rooms the code of a room may import. A room is a
// top-level folder with all below it; under sinks/ each folder is one.
var rooms = map[string][]string{
	"chain":      {}, // the standard library and nothing else
	"decoder":    {"chain"},
	"registry":   {"chain"},
	"reorg":      {"chain"},
	"sinks":      {"chain"},
	"indexer":    {"chain", "decoder", "reorg"},
	"poller":     {"chain", "registry"},
	"internal":   {"chain", "decoder", "registry", "reorg", "sinks", "indexer", "poller"},
	"benchmarks": {"chain", "decoder", "registry", "reorg", "sinks", "indexer", "poller", "internal"},
	"cmd":        {"chain", "decoder", "registry", "reorg", "sinks", "indexer", "poller", "internal", "benchmarks"},
}

// inTests are the rooms that any test may import: fixtures, and the suite that
// every sink passes.
var inTests = []string{"internal", "sinks/sinktest"}

func TestImportRule(t *testing.T) {
	for _, s := range sources(t) {
		for _, spec := range s.ast.Imports {
			path, _ := strconv.Unquote(spec.Path.Value)
			if why := barred(s.dir(), path, s.test); why != "" {
				t.Errorf("%s: %s imports %s: %s", s.fset.Position(spec.Pos()), s.dir(), path, why)
			}
		}
	}
}

// barred says why the package in folder dir may not import path, or nothing.
func barred(dir, path string, test bool) string {
	to, ours := strings.CutPrefix(path, module+"/")
	if !ours {
		return foreign(dir, path, test)
	}
	from := roomOf(dir)
	may, known := rooms[top(dir)]
	switch {
	case !known:
		return "the folder is no room of the layout; add it to rooms in internal/house"
	case from == roomOf(to), slices.Contains(may, top(to)):
		return ""
	case test && slices.ContainsFunc(inTests, func(room string) bool { return within(to, room) }):
		return ""
	}
	return "a package of " + from + " may import " + list(may) + " of ours"
}

// foreign is the rule for what is not ours: chain has the standard library only,
// whose import paths have no dot in their first part.
func foreign(dir, path string, test bool) string {
	if top(dir) == "chain" && !test && strings.Contains(top(path), ".") {
		return "chain imports the standard library only"
	}
	return ""
}

func top(path string) string {
	first, _, _ := strings.Cut(path, "/")
	return first
}

func roomOf(path string) string {
	parts := strings.Split(path, "/")
	if parts[0] == "sinks" && len(parts) > 1 {
		return "sinks/" + parts[1]
	}
	return parts[0]
}

func within(path, room string) bool { return path == room || strings.HasPrefix(path, room+"/") }

func list(names []string) string {
	if len(names) == 0 {
		return "nothing"
	}
	return strings.Join(names, ", ")
}

func TestBarred(t *testing.T) {
	for _, c := range []struct {
		dir, path string
		test, bar bool
	}{
		{"chain", "encoding/hex", false, false},
		{"chain", "golang.org/x/sync/errgroup", false, true},
		{"chain", "superindex/reorg", false, true},
		{"chain", "superindex/internal/world", true, false},
		{"decoder", "superindex/chain", false, false},
		{"decoder", "superindex/registry", false, true},
		{"decoder/tables", "superindex/decoder", false, false},
		{"reorg", "superindex/sinks/jetstream", false, true},
		{"sinks/clickhouse", "superindex/chain", false, false},
		{"sinks/clickhouse/schema", "superindex/sinks/clickhouse", false, false},
		{"sinks/jetstream", "superindex/internal/assets", false, true},
		{"sinks/clickhouse", "superindex/sinks/jetstream", false, true},
		{"sinks/clickhouse", "superindex/sinks/jetstream", true, true},
		{"sinks/clickhouse", "superindex/sinks/sinktest", true, false},
		{"sinks/clickhouse", "superindex/sinks/sinktest", false, true},
		{"sinks/jetstream", "superindex/indexer", false, true},
		{"sinks/jetstream", "superindex/indexer", true, true},
		{"sinks/jetstream", "superindex/internal/oracle", true, false},
		{"indexer/ethrpc", "superindex/indexer", false, false},
		{"indexer", "superindex/sinks/jetstream", false, true},
		{"internal/world", "superindex/sinks/jetstream", false, false},
		{"internal/world", "superindex/cmd/superindex", false, true},
		{"cmd/superindex", "superindex/sinks/jetstream", false, false},
		{"attic", "superindex/chain", false, true},
	} {
		if why := barred(c.dir, c.path, c.test); (why != "") != c.bar {
			t.Errorf("%s imports %s (test %v): got %q, want barred = %v", c.dir, c.path, c.test, why, c.bar)
		}
	}
}
