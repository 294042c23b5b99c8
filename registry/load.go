package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"superindex/chain"
)

// Options say where oss-directory is read.
type Options struct {
	// Source is a folder, a .tar.gz, the URL of one, or a git repository's URL,
	// with #branch, #tag or #commit behind it where it is not the default branch.
	Source string
	// Folder keeps the last good snapshot of a remote source, for when the network
	// is away; empty keeps none. No two processes share it.
	Folder string
	// Timeout bounds one reading of a remote source.
	Timeout time.Duration
}

// DefaultOptions read the public repository.
func DefaultOptions() Options {
	return Options{Source: "https://github.com/opensource-observer/oss-directory", Timeout: 5 * time.Minute}
}

// Check names the field that cannot be.
func (o Options) Check() error {
	if o.Source == "" {
		return errors.New("oss_directory is empty: name a folder, a .tar.gz or a URL")
	}
	if strings.HasPrefix(o.Source, "-") {
		return errors.New("oss_directory begins with a dash: write ./ before a path")
	}
	if o.Timeout <= 0 {
		return errors.New("timeout: must be above zero")
	}
	return nil
}

// form says how a source is read.
type form int

const (
	local  form = iota // a folder or a file
	remote             // a tarball over HTTP
	git                // a repository
)

var tarballPath = regexp.MustCompile(`\.(tar\.gz|tgz)$|/(tarball|tar\.gz)(/|$)`)

// form of the source. A URL is a repository's unless its path says tarball, in
// one of the ways of the forges: x.tar.gz, x.tgz, /tarball/main, /tar.gz/main.
func (o Options) form() form {
	u, err := url.Parse(o.Source)
	switch {
	case err == nil && (u.Scheme == "http" || u.Scheme == "https") && tarballPath.MatchString(u.Path):
		return remote
	case err == nil && u.Host+u.Path != "" && strings.Contains(o.Source, "://"), strings.HasPrefix(o.Source, "git@"):
		return git
	}
	return local
}

// shown is the source without what may be secret in it.
func (o Options) shown() string {
	u, err := url.Parse(o.Source)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return o.Source
	}
	u.User, u.RawQuery = nil, ""
	return u.String()
}

// Load reads oss-directory. A remote source that cannot be read is replaced by
// the last good snapshot of it, whose Note says why; without one the error is
// returned. Malformed entries never make an error: they are the snapshot's
// Problems.
func Load(ctx context.Context, o Options) (*Snapshot, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("registry: %w", err)
	}
	s, err := o.load(ctx)
	if err == nil || o.form() == local || ctx.Err() != nil {
		return s, wrap(o, err)
	}
	last, lastErr := o.kept()
	if lastErr != nil {
		return nil, wrap(o, err)
	}
	last.Note = fmt.Sprintf("%s cannot be read (%v); this is the last good snapshot, of %s",
		o.shown(), err, last.Fetched.Format(time.RFC3339))
	return last, nil
}

func wrap(o Options, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read oss-directory from %s: %w", o.shown(), err)
}

func (o Options) load(ctx context.Context) (*Snapshot, error) {
	if o.form() == local {
		c, err := readLocal(ctx, o.Source)
		if err != nil {
			return nil, err
		}
		return o.finish(c, time.Now())
	}
	ctx, stop := context.WithTimeout(ctx, o.Timeout)
	defer stop()
	last, _ := o.kept() // none is as good as one that cannot be read: it is made anew
	c, err := o.fetch(ctx, last)
	if err != nil {
		return nil, err
	}
	if c == nil {
		return last, nil
	}
	s, err := o.finish(c, time.Now())
	if err != nil {
		return nil, err
	}
	return s, o.keep(c, s)
}

// fetch reads a remote source; nil where it is still what last holds.
func (o Options) fetch(ctx context.Context, last *Snapshot) (*contents, error) {
	if o.form() == git {
		return clone(ctx, o.Source, last)
	}
	return download(ctx, o.Source, last)
}

func (o Options) finish(c *contents, at time.Time) (*Snapshot, error) {
	s, err := build(c)
	if err != nil {
		return nil, err
	}
	s.Source, s.Fetched, s.etag = o.shown(), at.UTC().Truncate(time.Second), c.etag
	return s, nil
}

func readLocal(ctx context.Context, path string) (*contents, error) {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, chain.Fatal(err, "set registry.oss_directory to a folder or a .tar.gz that is there")
	}
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return readCheckout(ctx, path)
	}
	return readFile(path)
}

// readCheckout reads a folder and, where it is a git checkout without changes,
// the commit that it is at.
func readCheckout(ctx context.Context, folder string) (*contents, error) {
	c, err := readFolder(folder)
	if err == nil && c.commit == "" {
		if _, err := os.Stat(filepath.Join(folder, ".git")); err == nil {
			c.setCommit(cleanCommit(ctx, folder))
		}
	}
	return c, err
}

func readFile(path string) (*contents, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return readTarball(f)
}
