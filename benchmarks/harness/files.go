package harness

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"superindex/benchmarks/report"
)

// A file system without a journal passes over every inode that was freed within the last
// minute, one by one, whenever a file is made: after a removal of many files one takes
// 300 to 600 µs and not 20, and the engine makes a thousand a second at thirty heads.
const (
	quickFile  = 100 * time.Microsecond
	forgets    = 75 * time.Second
	filesAgain = 5 * time.Second
	filesMade  = 200
)

// files waits until making a file in a folder is quick again, or until what was removed
// before would be forgotten. The result has how long one took then.
func (b *bench) files(ctx context.Context, folder string, r *report.Result) error {
	for began := time.Now(); ; {
		took, err := makeFiles(folder)
		if err != nil {
			return err
		}
		if waited := time.Since(began); took <= quickFile || waited > pick(b, forgets, 0) {
			r.Figures = append(r.Figures,
				report.Figure{Name: "a file being made, before", Value: float64(took.Microseconds()), Unit: "µs"},
				report.Figure{Name: "waited for that", Value: waited.Seconds(), Unit: "s"})
			return nil
		}
		if err := pause(ctx, filesAgain); err != nil {
			return err
		}
	}
}

// makeFiles is how long one of many files took. They stay: to remove them would be what
// makes the next slow.
func makeFiles(folder string) (time.Duration, error) {
	dir, err := os.MkdirTemp(folder, "files")
	if err != nil {
		return 0, fmt.Errorf("make a folder for files: %w", err)
	}
	began := time.Now()
	for i := range filesMade {
		if err := os.WriteFile(filepath.Join(dir, strconv.Itoa(i)), nil, 0o600); err != nil {
			return 0, fmt.Errorf("make a file: %w", err)
		}
	}
	return time.Since(began) / filesMade, nil
}
