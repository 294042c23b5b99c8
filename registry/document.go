package registry

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// schema is the version of oss-directory's files that this package reads.
const schema = "7"

// document is one YAML file as a tree, and what was found wrong in it. The tree
// is walked, never decoded into values: a line stays known for every field, and
// an alias is not followed, so that no file grows beyond its own size.
type document struct {
	file     string
	root     *yaml.Node
	problems []Problem
	words    *words
}

// words keeps networks and tags, and the lists of them, each once for many files: an
// account has two lists, and ten thousands of accounts have a few different ones.
type words struct {
	each  map[string]string
	lists map[string][]string // by their words, joined
}

func newWords() *words { return &words{map[string]string{}, map[string][]string{}} }

// parse reads the file's first document and its head. It reports false, and one
// problem, where nothing of the file can be used.
func (d *document) parse(body []byte) bool {
	var tree yaml.Node
	if err := yaml.Unmarshal(body, &tree); err != nil {
		line, reason := yamlError(err)
		d.problem(line, "", "", reason, true)
		return false
	}
	if len(tree.Content) == 0 || tree.Content[0].Kind != yaml.MappingNode {
		d.problem(1, "", "", "not a mapping of fields", true)
		return false
	}
	d.root = tree.Content[0]
	return d.current()
}

// current checks the schema's version.
func (d *document) current() bool {
	version := child(d.root, "version")
	if version == nil {
		d.problem(d.root.Line, "version", "", "missing; this build reads "+schema, true)
		return false
	}
	if version.Value != schema {
		d.problem(version.Line, "version", version.Value, "unknown schema version; this build reads "+schema, true)
		return false
	}
	return true
}

// yamlError takes "yaml: line 3: found ..." apart.
func yamlError(err error) (line int, reason string) {
	reason = strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(reason, "line "); ok {
		number, text, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			return n, text
		}
	}
	return 1, reason
}

// problem notes one; a value is shown up to 80 bytes.
func (d *document) problem(line int, field, value, reason string, skipped bool) {
	if len(value) > 80 {
		value = strings.ToValidUTF8(value[:80], "") + "..."
	}
	d.problems = append(d.problems, Problem{d.file, line, field, value, reason, skipped})
}

// child finds a field of a mapping; nil where it is absent or null.
func child(m *yaml.Node, key string) *yaml.Node {
	if m.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(m.Content); i += 2 {
		if m.Content[i].Value == key && m.Content[i].Kind == yaml.ScalarNode {
			return present(m.Content[i+1])
		}
	}
	return nil
}

func present(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	return n
}

// maxText is what a text may be at most, in bytes, so that a project's row fits in
// a step. The longest description of the real directory has 886.
const maxText = 64 << 10

// text is a field's text as it stands in the file; empty where it is absent.
func (d *document) text(m *yaml.Node, at, key string) string {
	n := child(m, key)
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		d.problem(n.Line, at+key, "", "not a plain text", false)
		return ""
	}
	if len(n.Value) > maxText {
		d.problem(n.Line, at+key, n.Value, "longer than 64 KiB: the rest is left out", false)
		return strings.ToValidUTF8(n.Value[:maxText], "")
	}
	return n.Value
}

// list is a field's elements; none where it is absent.
func (d *document) list(m *yaml.Node, at, key string) []*yaml.Node {
	n := child(m, key)
	if n == nil {
		return nil
	}
	if n.Kind != yaml.SequenceNode {
		d.problem(n.Line, at+key, n.Value, "not a list", false)
		return nil
	}
	return n.Content
}

// wordList is a field's list of single words; equal words are one in memory.
func (d *document) wordList(m *yaml.Node, at, key string) []string {
	nodes := d.list(m, at, key)
	out := make([]string, 0, len(nodes))
	for i, n := range nodes {
		if n.Kind != yaml.ScalarNode || n.Value == "" {
			d.problem(n.Line, fmt.Sprintf("%s%s[%d]", at, key, i), n.Value, "not a word", false)
			continue
		}
		out = append(out, d.intern(n.Value))
	}
	return out
}

func (d *document) intern(word string) string {
	if known, ok := d.words.each[word]; ok {
		return known
	}
	d.words.each[word] = word
	return word
}

// shared is wordList for a list that nobody will change: one that is equal to it.
func (d *document) shared(m *yaml.Node, at, key string) []string {
	list := d.wordList(m, at, key)
	joined := strings.Join(list, " ")
	if known, ok := d.words.lists[joined]; ok && slices.Equal(known, list) {
		return known
	}
	d.words.lists[joined] = slices.Clip(list)
	return d.words.lists[joined]
}

// name is the field that a file cannot be without.
func (d *document) name() (string, bool) {
	n := child(d.root, "name")
	switch {
	case n == nil:
		d.problem(d.root.Line, "name", "", "missing", true)
	case n.Kind != yaml.ScalarNode:
		d.problem(n.Line, "name", "", "not a plain text", true)
	case n.Value == "" || len(n.Value) > 200 || strings.ContainsFunc(n.Value, unicode.IsControl):
		d.problem(n.Line, "name", "", "a name has 1 to 200 bytes and no control characters", true)
	default:
		return n.Value, true
	}
	return "", false
}
