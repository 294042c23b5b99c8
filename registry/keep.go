package registry

import (
	"archive/tar"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"
)

// The last good snapshot is one tarball of the directory's YAML, so that it is
// read by the same code, and replaced in one rename. Its first header carries the
// commit, as git archive writes it, and these marks.
const (
	keptName   = "oss-directory.tar.gz"
	markSource = "SUPERINDEX.source" // SHA-256 of the source: it may hold a key
	markETag   = "SUPERINDEX.etag"
	markTime   = "SUPERINDEX.fetched" // RFC 3339
	markCommit = "comment"
)

func (o Options) mark() string {
	sum := sha256.Sum256([]byte(o.Source))
	return hex.EncodeToString(sum[:])
}

// kept reads the last good snapshot of this very source.
func (o Options) kept() (*Snapshot, error) {
	if o.Folder == "" {
		return nil, errors.New("no folder to keep snapshots in")
	}
	c, err := readFile(filepath.Join(o.Folder, keptName))
	if err != nil {
		return nil, err
	}
	if c.marks[markSource] != o.mark() {
		return nil, errors.New("the snapshot that is kept is another source's")
	}
	at, err := time.Parse(time.RFC3339, c.marks[markTime])
	if err != nil {
		return nil, fmt.Errorf("the snapshot that is kept has no time: %w", err)
	}
	c.etag = c.marks[markETag]
	return o.finish(c, at)
}

// keep makes c the last good snapshot: whole on disk before it has its name.
func (o Options) keep(c *contents, s *Snapshot) error {
	if o.Folder == "" {
		return nil
	}
	if err := os.MkdirAll(o.Folder, 0o755); err != nil {
		return fmt.Errorf("keep the registry's snapshot: %w", err)
	}
	f, err := os.CreateTemp(o.Folder, keptName+".*")
	if err != nil {
		return fmt.Errorf("keep the registry's snapshot: %w", err)
	}
	err = errors.Join(c.write(f, o.marks(s)), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(o.Folder, keptName))
	}
	if err != nil {
		return fmt.Errorf("keep the registry's snapshot: %w", errors.Join(err, os.Remove(f.Name())))
	}
	return nil
}

func (o Options) marks(s *Snapshot) map[string]string {
	marks := map[string]string{markSource: o.mark(), markTime: s.Fetched.Format(time.RFC3339)}
	if s.Commit != "" {
		marks[markCommit] = s.Commit
	}
	if s.etag != "" {
		marks[markETag] = s.etag
	}
	return marks
}

func (c *contents) write(w io.Writer, marks map[string]string) error {
	zip := gzip.NewWriter(w)
	archive := tar.NewWriter(zip)
	if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeXGlobalHeader, Name: "pax_global_header", PAXRecords: marks}); err != nil {
		return err
	}
	for _, f := range c.files {
		if err := archive.WriteHeader(&tar.Header{Typeflag: tar.TypeReg, Name: f.path, Size: int64(len(f.body)), Mode: 0o644}); err != nil {
			return err
		}
		if _, err := archive.Write(f.body); err != nil {
			return err
		}
	}
	return errors.Join(archive.Close(), zip.Close())
}
