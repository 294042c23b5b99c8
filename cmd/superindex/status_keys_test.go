package main

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestStatusKeysAreThoseOfTheDocs compares a status in which nothing is left out with the
// table of docs/status.md.
func TestStatusKeysAreThoseOfTheDocs(t *testing.T) {
	var full report
	filled(reflect.ValueOf(&full).Elem())
	got, want := statusKeys(t, full), documentedKeys(t)
	for _, key := range slices.Sorted(maps.Keys(got)) {
		if !want[key] {
			t.Errorf("docs/status.md does not name %s", key)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(want)) {
		if !got[key] {
			t.Errorf("docs/status.md names %s, which no status has", key)
		}
	}
}

// statusIsOfTheDocs checks what a daemon answers: every key is in the table, and nothing
// stands there that is not known.
func statusIsOfTheDocs(t *testing.T, r report) {
	t.Helper()
	want := documentedKeys(t)
	for key := range statusKeys(t, r) {
		if !want[key] {
			t.Errorf("docs/status.md does not name %s", key)
		}
	}
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, unknown := range []string{`"0001-01-01`, `"0x` + strings.Repeat("0", 64) + `"`} {
		if strings.Contains(string(text), unknown) {
			t.Errorf("the status shows %s:\n%s", unknown, text)
		}
	}
}

// filled sets everything that JSON can show to something.
func filled(v reflect.Value) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(time.Now()))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Field(i).CanSet() {
				filled(v.Field(i))
			}
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		filled(v.Index(0))
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.ValueOf("part"), reflect.Zero(v.Type().Elem()))
	case reflect.String:
		v.SetString("text")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Uint64:
		v.SetUint(1)
	}
}

// statusKeys are the keys of a status: those of networks[] and feeds[] with that before
// them, and what is in the objects below as networks[].sinks[].name, however deep.
func statusKeys(t *testing.T, r report) map[string]bool {
	t.Helper()
	text, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var all any
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	keys := map[string]bool{}
	gather(keys, "", all)
	return keys
}

// named by parts and stages, not by keys.
var namedByPart = []string{"networks[].faults", "networks[].busy"}

func gather(keys map[string]bool, path string, value any) {
	switch value := value.(type) {
	case []any:
		for _, one := range value {
			gather(keys, path, one)
		}
	case map[string]any:
		for key, below := range value {
			full := strings.TrimPrefix(path+"."+key, ".")
			if strings.HasPrefix(path, "networks[].endpoints[].") {
				full = "networks[].endpoints[]." + key // all in one row
			}
			if _, list := below.([]any); list {
				full += "[]"
			}
			keys[full] = true
			if !slices.Contains(namedByPart, full) {
				gather(keys, full, below)
			}
		}
	}
}

var (
	keyName = regexp.MustCompile("`([.a-z_0-9]+(?:\\[\\])?)`")
	objects = regexp.MustCompile(`^(registry|networks\[\]\.(latest|safe|finalized|indexed|endpoints\[\]|sinks\[\]))$`)
)

// documentedKeys are the keys of the table, as statusKeys has them.
func documentedKeys(t *testing.T) map[string]bool {
	t.Helper()
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "status.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "\n## /api/status\n")
	section, _, _ := strings.Cut(rest, "\n## ")
	_, section, _ = strings.Cut(section, "| key | is |\n|---|---|\n")
	table, _, _ := strings.Cut(section, "\n\n") // where a renderer ends it too
	keys, in := map[string]bool{}, ""
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		for _, name := range keyName.FindAllStringSubmatch(cells[1], -1) {
			key := name[1]
			if strings.HasPrefix(key, ".") {
				key = in + key
			} else {
				in = key
			}
			keys[key] = true
			if !objects.MatchString(key) {
				continue
			}
			for _, below := range keyName.FindAllStringSubmatch(cells[2], -1) {
				keys[key+"."+below[1]] = true
			}
		}
	}
	return keys
}
