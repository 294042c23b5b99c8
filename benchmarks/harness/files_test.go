package harness

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"

	"superindex/benchmarks/report"
)

// Many files are made, and stay; how long one took is told.
func TestFilesAreMadeBeforeTheHeads(t *testing.T) {
	b, dir := &bench{Options: Options{Quick: true}}, t.TempDir()
	var r report.Result
	if err := b.files(t.Context(), dir, &r); err != nil {
		t.Fatal(err)
	}
	if made, _ := filepath.Glob(filepath.Join(dir, "*", "*")); len(made) < filesMade {
		t.Errorf("%d files, want %d and more", len(made), filesMade)
	}
	if len(r.Figures) != 2 || r.Figures[0].Unit != "µs" {
		t.Errorf("figures: %+v", r.Figures)
	}
	if err := b.files(t.Context(), filepath.Join(dir, "missing"), &r); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a folder that is missing: %v", err)
	}
}
