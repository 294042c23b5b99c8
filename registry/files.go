package registry

import (
	"archive/tar"
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"regexp"
	"slices"
	"strings"
)

// What a directory may be at most, so that a hostile one ends in a line and not
// in a full machine. The real one: 7,229 files of 10 MB, the largest 407 kB,
// beside 113 MB of logos.
const (
	maxFile   = 32 << 20  // bytes of one YAML file
	maxFiles  = 200_000   // YAML files
	maxTotal  = 512 << 20 // bytes of all of them
	maxStream = 8 << 30   // bytes of an unpacked tarball, logos and all
)

// file is one YAML file of the directory.
type file struct {
	path string // "data/projects/u/uniswap.yaml", wherever data/ itself lies
	body []byte
}

// contents is a directory as it was read, before anything in it was understood.
type contents struct {
	files  []file
	commit string            // empty where it is not known
	etag   string            // of the answer that it came in
	marks  map[string]string // of a kept tarball: see keep.go
	bytes  int
}

// A tarball made by a forge has one folder above everything.
var (
	yamlPath   = regexp.MustCompile(`^(?:[^/]+/)?(data/(?:projects|collections)/.+\.ya?ml)$`)
	commitPath = regexp.MustCompile(`^(?:[^/]+/)?COMMIT$`)
	commitText = regexp.MustCompile(`^[0-9a-f]{40}$`)
)

// add reads one file if the registry wants it.
func (c *contents) add(name string, r io.Reader) error {
	if commitPath.MatchString(name) {
		text, err := io.ReadAll(io.LimitReader(r, 64))
		c.setCommit(string(text))
		return err
	}
	match := yamlPath.FindStringSubmatch(name)
	if match == nil {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return fmt.Errorf("read %s: %w", match[1], err)
	}
	c.files, c.bytes = append(c.files, file{match[1], body}), c.bytes+len(body)
	return c.check()
}

func (c *contents) setCommit(text string) {
	if text = strings.TrimSpace(text); commitText.MatchString(text) {
		c.commit = text
	}
}

func (c *contents) check() error {
	switch last := c.files[len(c.files)-1]; {
	case len(last.body) > maxFile:
		return fmt.Errorf("%s is larger than %d MiB", last.path, maxFile>>20)
	case len(c.files) > maxFiles:
		return fmt.Errorf("more than %d files in data/", maxFiles)
	case c.bytes > maxTotal:
		return fmt.Errorf("more than %d MiB of YAML in data/", maxTotal>>20)
	}
	return nil
}

// whole reports whether both of data's folders have been seen.
func (c *contents) whole() bool {
	return c.has("data/projects/") && c.has("data/collections/")
}

func (c *contents) has(folder string) bool {
	return slices.ContainsFunc(c.files, func(f file) bool { return strings.HasPrefix(f.path, folder) })
}

// digest is the SHA-256 of the files' paths and contents, in the paths' order.
func (c *contents) digest() string {
	slices.SortFunc(c.files, func(a, b file) int { return strings.Compare(a.path, b.path) })
	all := sha256.New()
	for _, f := range c.files {
		one := sha256.Sum256(f.body)
		fmt.Fprintf(all, "%s\x00%x", f.path, one)
	}
	return hex.EncodeToString(all.Sum(nil))
}

// readFolder reads data/ of a checkout. Links are not followed.
func readFolder(folder string) (*contents, error) {
	c, err := readFS(os.DirFS(folder))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", folder, err)
	}
	return c, nil
}

func readFS(root fs.FS) (*contents, error) {
	c := &contents{}
	visit := func(name string, entry fs.DirEntry, err error) error {
		if err != nil || !entry.Type().IsRegular() {
			return err
		}
		return c.open(root, name)
	}
	if err := fs.WalkDir(root, "data/projects", visit); err != nil {
		return nil, err
	}
	for _, name := range []string{"data/collections", "COMMIT"} {
		if err := fs.WalkDir(root, name, visit); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	return c, nil
}

func (c *contents) open(root fs.FS, name string) error {
	f, err := root.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	return c.add(name, f)
}

// readTarball reads data/ out of a .tar.gz as it comes in and stops behind it.
// What lies between, such as the logos, streams past and is not kept.
func readTarball(r io.Reader) (*contents, error) {
	unzipped, err := gzip.NewReader(bufio.NewReaderSize(r, 1<<16))
	if err != nil {
		return nil, fmt.Errorf("not a .tar.gz: %w", err)
	}
	c, archive := &contents{}, tar.NewReader(&capped{unzipped, maxStream})
	for {
		h, err := archive.Next()
		if errors.Is(err, io.EOF) || (err == nil && c.behind(h)) {
			return c, nil
		}
		if err == nil {
			err = c.entry(h, archive)
		}
		if errors.Is(err, io.ErrUnexpectedEOF) {
			return nil, fmt.Errorf("the tarball is cut off after %d files: %w", len(c.files), err)
		}
		if err != nil {
			return nil, fmt.Errorf("read the tarball: %w", err)
		}
	}
}

func (c *contents) entry(h *tar.Header, r io.Reader) error {
	switch h.Typeflag {
	case tar.TypeXGlobalHeader: // git archive names its commit here
		c.marks = h.PAXRecords
		c.setCommit(h.PAXRecords["comment"])
	case tar.TypeReg:
		return c.add(path.Clean(h.Name), r)
	}
	return nil
}

// behind reports whether all of data/ has passed: a tarball is made folder by
// folder, so that nothing of data/ follows once another folder does.
func (c *contents) behind(h *tar.Header) bool {
	name := "/" + path.Clean(h.Name) + "/"
	return h.Typeflag == tar.TypeReg && !strings.Contains(name, "/data/") && c.whole()
}

// capped refuses to read more than left bytes.
type capped struct {
	r    io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, fmt.Errorf("it unpacks to more than %d GiB", maxStream>>30)
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	return n, err
}
