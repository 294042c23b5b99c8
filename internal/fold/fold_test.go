package fold

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
)

// message is "seq/index what: body"; an event's body is "block hash index address name".
func take(t *testing.T, f *Fold, text string) {
	t.Helper()
	var seq, index uint64
	var what string
	head, body, _ := strings.Cut(text, ": ")
	if _, err := fmt.Sscanf(head, "%d/%d %s", &seq, &index, &what); err != nil {
		t.Fatal(err)
	}
	if what == "event" {
		w := strings.Fields(body)
		body = fmt.Sprintf(`{"seq":%d,"block_number":%s,"block_hash":%q,"log_index":%s,"address":%q,"event":%q}`, seq, w[0], w[1], w[2], w[3], w[4])
		what = "event.a.t"
	}
	header := nats.Header{"Superindex-Seq": {fmt.Sprint(seq)}, "Superindex-Index": {fmt.Sprint(index)}}
	if err := f.Take("superindex.evm.net."+what, header, []byte(body)); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
}

func rows(f *Fold) string {
	var out []string
	for _, r := range f.Rows {
		out = append(out, fmt.Sprintf("%d%s/%d %s", r.BlockNumber, r.BlockHash, r.LogIndex, r.Event))
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

func TestTake(t *testing.T) {
	f := New()
	for _, c := range []struct{ message, want string }{
		{"5/0 event: 1 a 0 x One", "1a/0 One"},
		{"5/1 event: 2 b 0 y Two", "1a/0 One, 2b/0 Two"},
		{"5/2 event: 2 b 1 y Three", "1a/0 One, 2b/0 Two, 2b/1 Three"},
		{"5/1 event: 2 b 0 y Repeated", "1a/0 One, 2b/0 Two, 2b/1 Three"},
		{"4/9 revert: {\"to\":{\"number\":0}}", "1a/0 One, 2b/0 Two, 2b/1 Three"},
		{"5/3 finality: {\"head\":{\"number\":2}}", "1a/0 One, 2b/0 Two, 2b/1 Three"},
		{"6/0 revert: {\"to\":{\"number\":1},\"from\":{\"number\":2}}", "1a/0 One"},
		{"7/0 event: 2 c 0 y Other", "1a/0 One, 2c/0 Other"},
		{"8/0 rows.logs: {\"data\":5}", "1a/0 One, 2c/0 Other"},
		{"9/0 event: 1 a 1 z Late", "1a/0 One, 1a/1 Late, 2c/0 Other"},
		{"9/1 refill: {\"seq\":9,\"from\":{\"number\":1},\"to\":{\"number\":2},\"addresses\":[\"z\"],\"published\":true}", "1a/0 One, 1a/1 Late, 2c/0 Other"},
		{"10/0 event: 1 a 1 z Again", "1a/0 One, 1a/1 Again, 2c/0 Other"},
		{"10/1 refill: {\"seq\":10,\"from\":{\"number\":1},\"to\":{\"number\":1},\"addresses\":[],\"published\":true}", "1a/1 Again, 2c/0 Other"},
		{"11/1 refill: {\"seq\":11,\"from\":{\"number\":1},\"to\":{\"number\":2},\"published\":false}", "1a/1 Again, 2c/0 Other"},
		{"12/0 refill: {\"seq\":12,\"from\":{\"number\":0},\"to\":{\"number\":9},\"addresses\":[\"y\"],\"published\":true}", "1a/1 Again"},
	} {
		take(t, f, c.message)
		if got := rows(f); got != c.want {
			t.Fatalf("after %s: %s instead of %s", c.message, got, c.want)
		}
	}
	if f.Seq != 12 || f.Index != 0 {
		t.Errorf("stands at %d/%d", f.Seq, f.Index)
	}
	before := maps.Clone(f.Rows)
	if err := f.Take("superindex.evm.net.event.a.t", nil, []byte(`{}`)); err == nil || len(before) != len(f.Rows) {
		t.Errorf("a message without headers: %v", err)
	}
}

// The documentation shows these files as they are.
func TestDocumentationShowsThisCode(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "consuming.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"fold.go", "follow.go"} {
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if block := fmt.Sprintf("<!-- internal/fold/%s -->\n```go\n%s```\n", name, code); !strings.Contains(string(doc), block) {
			t.Errorf("docs/consuming.md shows another %s", name)
		}
	}
}
