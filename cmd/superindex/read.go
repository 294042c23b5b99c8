package main

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// parseConfig reads the text into c, and says what cannot be read. A key without a
// value keeps its default.
func parseConfig(c *config, text []byte, lookup func(string) (string, bool)) *faults {
	f := &faults{lines: map[string]int{}, unread: map[string]bool{}}
	var document yaml.Node
	if err := yaml.Unmarshal(text, &document); err != nil {
		f.syntax(err)
		return f
	}
	if len(document.Content) > 0 {
		r := reading{lookup, f}
		r.value(document.Content[0], reflect.ValueOf(c).Elem(), "")
	}
	return f
}

var yamlLine = regexp.MustCompile(`^yaml: (?:line (\d+): )?`)

// syntax takes down why the text is no YAML, by YAML's own words.
func (f *faults) syntax(err error) {
	parts := yamlLine.FindStringSubmatch(err.Error())
	if parts == nil {
		f.at(0, "%v", err)
		return
	}
	line, _ := strconv.Atoi(parts[1]) // 0 where there is none
	f.at(line, "this is no YAML: %s", strings.TrimPrefix(err.Error(), parts[0]))
}

// reading fills a struct from a YAML document, node by node: YAML's own decoding
// knows neither the field nor our words for what is wrong.
type reading struct {
	lookup func(string) (string, bool)
	*faults
}

// scalar is a value of our own that is written as one word. Its errors say what it
// is not: "no size such as 10GB"; the word may be a secret.
type scalar interface{ read(word string) error }

func (r *reading) value(n *yaml.Node, v reflect.Value, field string) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.ShortTag() == "!!null" {
		return
	}
	if v.Kind() == reflect.Pointer {
		v.Set(reflect.New(v.Type().Elem()))
		v = v.Elem()
	}
	_, ours := v.Addr().Interface().(scalar)
	switch {
	case !ours && v.Kind() == reflect.Struct:
		r.object(n, v, field)
	case v.Kind() == reflect.Map:
		r.named(n, v, field)
	case v.Kind() == reflect.Slice:
		r.list(n, v, field)
	default:
		r.word(n, v, field)
	}
}

// object reads a mapping whose keys are those of a struct.
func (r *reading) object(n *yaml.Node, v reflect.Value, field string) {
	keys := map[string]int{}
	var names []string
	for i := range v.NumField() {
		if name := v.Type().Field(i).Tag.Get("yaml"); name != "" {
			keys[name], names = i, append(names, name)
		}
	}
	for key, value := range r.pairs(n, field, "keys ("+strings.Join(names, ", ")+")") {
		i, known := keys[key.Value]
		if !known {
			r.unknown(key, names, field)
			continue
		}
		r.value(value, v.Field(i), under(field, key.Value))
	}
}

func (r *reading) unknown(key *yaml.Node, names []string, field string) {
	where, hint := "", "the keys here are "+strings.Join(names, ", ")
	if field != "" {
		where = " in " + field
	}
	if near := meant(key.Value, names); near != "" {
		hint = "is " + near + " meant?"
	}
	r.misread(key.Line, field, "unknown key %s%s: %s", key.Value, where, hint)
}

// named reads a mapping whose keys the user chooses.
func (r *reading) named(n *yaml.Node, v reflect.Value, field string) {
	v.Set(reflect.MakeMap(v.Type()))
	for key, value := range r.pairs(n, field, "names") {
		one := reflect.New(v.Type().Elem()).Elem()
		r.value(value, one, under(field, key.Value))
		v.SetMapIndex(reflect.ValueOf(key.Value), one)
	}
}

func under(field, key string) string {
	if field == "" {
		return key
	}
	return field + "." + key
}

// pairs are the keys and values of a mapping; each key once.
func (r *reading) pairs(n *yaml.Node, field, what string) func(func(key, value *yaml.Node) bool) {
	return func(yield func(key, value *yaml.Node) bool) {
		if n.Kind != yaml.MappingNode {
			r.misplaced(n, field, "a group of "+what)
			return
		}
		seen := map[string]int{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key, value := n.Content[i], n.Content[i+1]
			if first, twice := seen[key.Value]; twice {
				r.misread(key.Line, under(field, key.Value), "%s is there twice, the first time in line %d", under(field, key.Value), first)
				continue
			}
			seen[key.Value] = key.Line
			r.lines[under(field, key.Value)] = key.Line
			if !yield(key, value) {
				return
			}
		}
	}
}

func (r *reading) list(n *yaml.Node, v reflect.Value, field string) {
	if n.Kind != yaml.SequenceNode {
		r.misplaced(n, field, "a list, [...]")
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content)))
	for i, item := range n.Content {
		at := fmt.Sprintf("%s[%d]", field, i)
		r.lines[at] = item.Line
		r.value(item, v.Index(i), at)
	}
}

// misplaced never shows the value: it may be a URL, or a secret.
func (r *reading) misplaced(n *yaml.Node, field, want string) {
	at := field
	have := map[yaml.Kind]string{yaml.MappingNode: "a group of keys", yaml.SequenceNode: "a list", yaml.ScalarNode: "a single value"}[n.Kind]
	if field == "" {
		field = "the file"
	}
	r.misread(n.Line, at, "%s: wanted is %s, and here is %s", field, want, have)
}

// word reads a single value.
func (r *reading) word(n *yaml.Node, v reflect.Value, field string) {
	if n.Kind != yaml.ScalarNode {
		r.misplaced(n, field, "a single value")
		return
	}
	text, err := r.expand(n.Value)
	if err != nil {
		r.misread(n.Line, field, "%s: %v", field, err)
		return
	}
	if err := set(v, text); err != nil {
		r.misread(n.Line, field, "%s: %s is %v", field, shown(n.Value), err)
	}
}

var variable = regexp.MustCompile(`\$\{(\w+)\}`)

// expand fills in ${NAME} from the environment.
func (r *reading) expand(text string) (string, error) {
	var missing []string
	full := variable.ReplaceAllStringFunc(text, func(match string) string {
		value, ok := r.lookup(variable.FindStringSubmatch(match)[1])
		if !ok && !slices.Contains(missing, match) {
			missing = append(missing, match)
		}
		return value
	})
	if missing == nil {
		return full, nil
	}
	return "", fmt.Errorf("%s is not set in the environment", strings.Join(missing, " and "))
}

func set(v reflect.Value, text string) (err error) {
	if own, ok := v.Addr().Interface().(scalar); ok {
		return own.read(text)
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		if text != "true" && text != "false" {
			return errors.New("neither true nor false")
		}
		v.SetBool(text == "true")
	case reflect.Int, reflect.Uint64:
		var n uint64
		if n, err = strconv.ParseUint(text, 10, 63); err != nil {
			return errors.New("no whole number")
		}
		if v.CanInt() {
			v.SetInt(int64(n))
		} else {
			v.SetUint(n)
		}
	case reflect.Float64:
		f, err := strconv.ParseFloat(text, 64)
		if err != nil || !(f >= 0 && f <= 1e9) { // nor is NaN
			return errors.New("no number from 0 up")
		}
		v.SetFloat(f)
	default:
		return fmt.Errorf("of a kind that is not read here: %v", v.Kind())
	}
	return nil
}

// shown is a value as it stands in the file, before anything was filled in, unless
// it might be secret.
func shown(value string) string {
	const most = 40
	if strings.Contains(value, "://") {
		return "the URL there"
	}
	if len(value) > most {
		return "the text there"
	}
	return strconv.Quote(value)
}
