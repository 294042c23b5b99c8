package registry

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"superindex/chain"
)

// errNoGit says what a source needs that is a repository.
var errNoGit = chain.Fatal(errors.New("git is not installed"),
	"install git, or set registry.oss_directory to a folder, a .tar.gz or the URL of one")

// clone reads a repository's data/ without its logos: one commit deep, files
// fetched only where the sparse checkout wants them. Servers that cannot leave
// files out send all; the answer is the same. It returns nil where the repository
// is still at last's commit.
func clone(ctx context.Context, source string, last *Snapshot) (*contents, error) {
	if _, err := exec.LookPath("git"); err != nil {
		return nil, errNoGit
	}
	repository, ref, _ := strings.Cut(source, "#")
	if ref == "" {
		ref = "HEAD"
	}
	if strings.HasPrefix(ref, "-") {
		return nil, fmt.Errorf("%q is no branch, tag or commit", ref)
	}
	if last != nil && last.Commit != "" && (ref == last.Commit || remoteCommit(ctx, repository, ref) == last.Commit) {
		return nil, nil
	}
	folder, err := os.MkdirTemp("", "oss-directory-")
	if err != nil {
		return nil, err
	}
	c, err := cloneInto(ctx, folder, repository, ref)
	return c, errors.Join(err, os.RemoveAll(folder))
}

func cloneInto(ctx context.Context, folder, repository, ref string) (*contents, error) {
	if err := checkout(ctx, folder, repository, ref); err != nil {
		return nil, err
	}
	c, err := readFolder(folder)
	if err != nil {
		return nil, err
	}
	commit, err := run(ctx, folder, "rev-parse", "HEAD")
	c.setCommit(commit)
	return c, err
}

// remoteCommit asks for a reference's commit; empty where it cannot be told.
func remoteCommit(ctx context.Context, repository, ref string) string {
	out, _ := run(ctx, "", "ls-remote", "--", repository, ref)
	commit, _, _ := strings.Cut(out, "\t")
	return commit
}

func checkout(ctx context.Context, folder, repository, ref string) error {
	for _, args := range [][]string{
		{"init", "--quiet"},
		{"remote", "add", "origin", repository},
		{"config", "core.sparseCheckout", "true"},
	} {
		if _, err := run(ctx, folder, args...); err != nil {
			return err
		}
	}
	wanted := filepath.Join(folder, ".git", "info", "sparse-checkout")
	if err := os.MkdirAll(filepath.Dir(wanted), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(wanted, []byte("/data/projects/\n/data/collections/\n"), 0o600); err != nil {
		return err
	}
	if _, err := run(ctx, folder, "fetch", "--quiet", "--depth=1", "--no-tags", "--filter=blob:none", "origin", ref); err != nil {
		return err
	}
	_, err := run(ctx, folder, "checkout", "--quiet", "--detach", "FETCH_HEAD")
	return err
}

// cleanCommit is the commit of a checkout whose data/ has no changes, else empty.
func cleanCommit(ctx context.Context, folder string) string {
	if changes, err := run(ctx, folder, "status", "--porcelain", "--", "data"); err != nil || changes != "" {
		return ""
	}
	commit, err := run(ctx, folder, "rev-parse", "HEAD")
	if err != nil {
		return ""
	}
	return commit
}

// run runs git and returns its trimmed output. It never asks for a password; an
// error is git's last line, without the address, which may hold a key.
func run(ctx context.Context, folder string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "git", append([]string{"-c", "core.fsmonitor=false", "-c", "protocol.ext.allow=never"}, args...)...)
	cmd.Dir, cmd.WaitDelay = folder, time.Second // a helper of git's may outlive it with its pipes
	cmd.Env = append(outside(os.Environ()), "GIT_TERMINAL_PROMPT=0", "LC_ALL=C")
	var said strings.Builder
	cmd.Stderr = &said
	out, err := cmd.Output()
	if ctx.Err() != nil {
		return "", fmt.Errorf("git %s: %w", args[0], ctx.Err())
	}
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, lastLine(said.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

// outside is the environment without the repository that we may be called in.
func outside(env []string) []string {
	var out []string
	for _, v := range env {
		name, _, _ := strings.Cut(v, "=")
		if name != "GIT_DIR" && name != "GIT_WORK_TREE" && name != "GIT_INDEX_FILE" {
			out = append(out, v)
		}
	}
	return out
}

var address = regexp.MustCompile(`'?[^\s']+(://|@)[^\s']+'?`)

// lastLine is the last line of what git said, without addresses.
func lastLine(said string) string {
	said = strings.TrimSpace(said)
	return address.ReplaceAllString(said[strings.LastIndexByte(said, '\n')+1:], "the repository")
}
