package registry

import (
	"embed"
	"io/fs"
	"time"
)

//go:embed sample/data
var sampleFiles embed.FS

// SampleFiles are the sample's, as they would stand in a folder that is loaded.
func SampleFiles() (fs.FS, error) { return fs.Sub(sampleFiles, "sample") }

// Sample is a directory of a dozen well-known projects, for the demo and for
// tests. It is never what a daemon falls back to.
func Sample() (*Snapshot, error) {
	root, err := SampleFiles()
	if err != nil {
		return nil, err
	}
	c, err := readFS(root)
	if err != nil {
		return nil, err
	}
	s, err := build(c)
	if err != nil {
		return nil, err
	}
	s.Source, s.Fetched = "the bundled sample", time.Unix(0, 0).UTC()
	return s, nil
}
