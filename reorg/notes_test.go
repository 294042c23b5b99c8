package reorg

import (
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
)

// names are those of the notes that begin with prefix, with their values.
func names(t *testing.T, j *Journal, prefix string) (all []string) {
	t.Helper()
	notes, err := j.Notes(op.Name, prefix)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range notes {
		all = append(all, n.Name+"="+string(n.Value))
	}
	return all
}

func TestNotesAreKeptWithAStepAndWithoutOne(t *testing.T) {
	fs := vfs.NewMem()
	j := open(t, fs, nil)
	begin(t, j, ref(0, 'a'))
	rows := &chain.Step{Stream: op, Rows: &chain.Rows{Feed: "f"}}
	if _, err := j.Append(t.Context(), rows, Note{"poll/f/b", []byte("1")}, Note{"poll/g/a", []byte("2")}); err != nil {
		t.Fatal(err)
	}
	if err := j.Keep(op.Name, Note{"poll/f/a", []byte("3")}, Note{"poll/f/b", []byte("4")}); err != nil {
		t.Fatal(err)
	}
	if err := j.Keep("nowhere", Note{"a", nil}); err == nil {
		t.Error("a stream that has not begun keeps a note")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, fs, nil)
	defer j.Close()
	for prefix, want := range map[string]string{
		"poll/f/": "poll/f/a=3 poll/f/b=4", "poll/": "poll/f/a=3 poll/f/b=4 poll/g/a=2", "poll/g/ab": "", "x": "",
	} {
		if got := strings.Join(names(t, j, prefix), " "); got != want {
			t.Errorf("%s: got %q, want %q", prefix, got, want)
		}
	}
	if steps := read(t, j, 0); !slices.ContainsFunc(steps, func(s chain.Step) bool { return s.Rows != nil }) {
		t.Error("the step is not there")
	}
	begin(t, j, ref(0, 'a'))
	if left := names(t, j, ""); len(left) > 0 {
		t.Errorf("a Begin forgets all notes, these are left: %q", left)
	}
}
