package report

import (
	"fmt"
	"os"
	"path/filepath"
)

// Write writes the run into a folder, as Markdown, HTML and for benchstat, named by
// when it began.
func Write(dir string, r *Run) (paths []string, err error) {
	html, err := HTML(r)
	if err != nil {
		return nil, err
	}
	name := filepath.Join(dir, r.Began.Format("2006-01-02-1504"))
	for _, file := range [][2]string{{name + ".md", Markdown(r)}, {name + ".html", html}, {name + ".txt", Benchstat(r)}} {
		if err := os.WriteFile(file[0], []byte(file[1]), 0o644); err != nil {
			return paths, fmt.Errorf("write the results: %w", err)
		}
		paths = append(paths, file[0])
	}
	return paths, nil
}
