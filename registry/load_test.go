package registry

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"superindex/chain"
)

// pack makes a .tar.gz of files, path and text by turns, in their order.
func pack(t testing.TB, files ...string) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	archive := tar.NewWriter(zip)
	for i := 0; i < len(files); i += 2 {
		h := &tar.Header{Typeflag: tar.TypeReg, Name: files[i], Size: int64(len(files[i+1])), Mode: 0o644}
		if err := archive.WriteHeader(h); err != nil {
			t.Fatal(err)
		}
		if _, err := archive.Write([]byte(files[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	if err := archive.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// readers reads body and then next.
func readers(body []byte, next io.Reader) io.Reader {
	return io.MultiReader(bytes.NewReader(body), next)
}

func small() []string {
	return []string{
		"data/collections/all.yaml", "version: 7\nname: all\ndisplay_name: All\nprojects: [one]\n",
		"data/projects/o/one.yaml", "version: 7\nname: one\ndisplay_name: One" + abc,
	}
}

// under puts every path below a folder, as a forge's tarball does.
func under(folder string, files []string) []string {
	out := append([]string(nil), files...)
	for i := 0; i < len(out); i += 2 {
		out[i] = folder + out[i]
	}
	return out
}

func options(source, folder string) Options {
	o := DefaultOptions()
	o.Source, o.Folder = source, folder
	return o
}

func load(t testing.TB, o Options) *Snapshot {
	t.Helper()
	s, err := Load(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A folder, a tarball, one with a folder above and a download are one snapshot.
func TestLoadFromEverywhere(t *testing.T) {
	folder := t.TempDir()
	files := small()
	for i := 0; i < len(files); i += 2 {
		write(t, filepath.Join(folder, files[i]), files[i+1])
	}
	plain := write(t, filepath.Join(t.TempDir(), "x.tar.gz"), string(pack(t, files...)))
	nested := write(t, filepath.Join(t.TempDir(), "y.tgz"), string(pack(t, under("oss-directory-main/", files)...)))
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(plain))))
	defer server.Close()
	want := load(t, options(folder, ""))
	equal(t, "projects", len(want.Projects), 1)
	for _, source := range []string{plain, nested, server.URL + "/x.tar.gz"} {
		got := load(t, options(source, t.TempDir()))
		equal(t, source, got.ID(), want.ID())
		equal(t, "source", got.Source, source)
		equal(t, "stale", got.Stale(), false)
	}
}

func TestForm(t *testing.T) {
	for source, want := range map[string]form{
		"./data":                                local,
		"/var/lib/oss-directory.tar.gz":         local,
		`C:\oss-directory`:                      local,
		"https://github.com/o/oss-directory":    git,
		"https://github.com/o/oss-directory#v1": git,
		"ssh://git@host/o/r.git":                git,
		"git@github.com:o/r.git":                git,
		"file:///srv/r.git":                     git,
		"https://github.com/o/r/archive/refs/heads/main.tar.gz?t=1": remote,
		"https://codeload.example/o/r/tar.gz/refs/heads/main":       remote,
		"https://api.example/repos/o/r/tarball/main":                remote,
	} {
		equal(t, source, Options{Source: source}.form(), want)
	}
}

// A tarball is read no further than data/, and what lies between is not kept.
func TestTarballStopsBehindData(t *testing.T) {
	files := small()
	head := pack(t, append([]string{"LICENSE", "words", "data/collections/all.yaml", files[1], "data/logos/a.png", strings.Repeat("x", 1<<20)}, files[2:]...)...)
	whole := pack(t, append(append([]string{"LICENSE", "words"}, files...), "src/index.ts", strings.Repeat("y", 1<<20))...)
	c, err := readTarball(bytes.NewReader(head))
	if err != nil || len(c.files) != 2 {
		t.Fatal(len(c.files), err)
	}
	never := iotest.ErrReader(fmt.Errorf("read behind data/"))
	cut := len(whole) - 600 // inside src/index.ts, which is one long repetition
	if _, err := readTarball(readers(whole[:cut], never)); err != nil {
		t.Error(err)
	}
	if _, err := readTarball(readers(whole[:60], never)); err == nil {
		t.Error("the reader that must fail did not")
	}
}

func TestHostileTarballs(t *testing.T) {
	good := pack(t, small()...)
	for name, c := range map[string]struct {
		body []byte
		want string
	}{
		"empty":      {nil, "not a .tar.gz: EOF"},
		"no gzip":    {[]byte("<html>404</html>"), "not a .tar.gz: gzip: invalid header"},
		"truncated":  {good[:len(good)/2], "the tarball is cut off after 0 files: "},
		"no project": {pack(t, "README.md", "hello"), "it holds no project in data/projects"},
		"huge file":  {pack(t, "data/projects/a/a.yaml", strings.Repeat("#\n", maxFile/2+1)), "data/projects/a/a.yaml is larger than 32 MiB"},
		"damaged":    {append(bytes.Clone(good[:len(good)-40]), make([]byte, 40)...), "the tarball"},
	} {
		path := write(t, filepath.Join(t.TempDir(), "x.tar.gz"), string(c.body))
		_, err := Load(t.Context(), options(path, ""))
		if err == nil || !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: %v; want %q", name, err, c.want)
		}
	}
}

func TestTruncatedRealTarball(t *testing.T) {
	body := realTarball(t)
	_, err := readTarball(bytes.NewReader(body[:len(body)/2]))
	if err == nil || !strings.HasPrefix(err.Error(), "the tarball is cut off after ") {
		t.Error(err)
	}
}

func TestCapped(t *testing.T) {
	r := &capped{strings.NewReader("0123456789"), 8}
	_, err := bytes.NewBuffer(nil).ReadFrom(r)
	if err == nil || !strings.Contains(err.Error(), "unpacks to more than 8 GiB") {
		t.Error(err)
	}
}

// flaky is a server of one tarball that can go away.
type flaky struct {
	body   []byte
	status int
	asked  []string // If-None-Match of every request
}

func (f *flaky) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.asked = append(f.asked, r.Header.Get("If-None-Match"))
	if f.status != 0 {
		w.WriteHeader(f.status)
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%d"`, len(f.body)))
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(f.body))
}

func TestLastGoodSnapshot(t *testing.T) {
	site := &flaky{body: pack(t, small()...)}
	server := httptest.NewServer(site)
	o := options(strings.Replace(server.URL, "http://", "http://user:s3cret@", 1)+"/x.tar.gz?key=s3cret", filepath.Join(t.TempDir(), "registry"))
	fresh := load(t, o)
	equal(t, "source", fresh.Source, server.URL+"/x.tar.gz")

	again := load(t, o) // the server says that nothing changed
	equal(t, "unchanged", again.ID(), fresh.ID())
	equal(t, "stale", again.Stale(), false)
	equal(t, "asked with", strings.Join(site.asked, " "), fmt.Sprintf(` "%d"`, len(site.body)))

	site.status = http.StatusBadGateway
	broken := load(t, o)
	want := fmt.Sprintf("%s/x.tar.gz cannot be read (the server answers 502 Bad Gateway); this is the last good snapshot, of %s",
		server.URL, fresh.Fetched.Format(time.RFC3339))
	equal(t, "note", broken.Note, want)

	site.status, site.body = 0, []byte("no tarball")
	if s := load(t, o); !strings.Contains(s.Note, "not a .tar.gz") {
		t.Errorf("%q", s.Note)
	}
	server.Close()
	away := load(t, o)
	equal(t, "away", away.ID(), fresh.ID())
	if !away.Stale() || strings.Contains(away.Note, "s3cret") || strings.Contains(away.Note, "\n") {
		t.Errorf("%q", away.Note)
	}
	equal(t, "time", away.Fetched, fresh.Fetched)
}

// Another source's snapshot is never taken for this one's, and neither is the
// bundled sample.
func TestNoLastGoodSnapshot(t *testing.T) {
	site := httptest.NewServer(&flaky{body: pack(t, small()...)})
	folder := t.TempDir()
	load(t, options(site.URL+"/x.tar.gz", folder))
	site.Close()
	for _, o := range []Options{options(site.URL+"/y.tar.gz", folder), options(site.URL+"/x.tar.gz", t.TempDir()), options(site.URL+"/x.tar.gz", "")} {
		s, err := Load(t.Context(), o)
		if s != nil || err == nil || !strings.HasPrefix(err.Error(), "read oss-directory from "+o.Source+": ") {
			t.Errorf("%v, %v", s, err)
		}
	}
}

func TestLoadIsCancelled(t *testing.T) {
	site := httptest.NewServer(&flaky{body: pack(t, small()...)})
	defer site.Close()
	o := options(site.URL+"/x.tar.gz", t.TempDir())
	load(t, o)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if s, err := Load(ctx, o); err == nil {
		t.Errorf("a cancelled load returned %v", s)
	}
}

func TestOptionsCheck(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want string
	}{
		{Options{Timeout: 1}, "oss_directory is empty"},
		{Options{Source: "-x", Timeout: 1}, "oss_directory begins with a dash"},
		{Options{Source: "x"}, "timeout"},
		{options("absent", ""), "set registry.oss_directory"},
		{options(t.TempDir(), ""), "data/projects: no such file or directory"},
	} {
		if _, err := Load(t.Context(), c.o); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%v; want %q", err, c.want)
		}
	}
}

// repository makes a git repository of the small directory that serves partial
// clones, as GitHub does.
func repository(t *testing.T) (folder string) {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git:", err)
	}
	folder = t.TempDir()
	for i, files := 0, small(); i < len(files); i += 2 {
		write(t, filepath.Join(folder, files[i]), files[i+1])
	}
	write(t, filepath.Join(folder, "data/logos/big.png"), strings.Repeat("logo", 1<<18))
	for _, args := range [][]string{{"init", "-q", "-b", "main"}, {"config", "uploadpack.allowFilter", "true"}, {"config", "uploadpack.allowAnySHA1InWant", "true"}} {
		gitDo(t, folder, args...)
	}
	commit(t, folder)
	return folder
}

func gitDo(t *testing.T, folder string, args ...string) string {
	t.Helper()
	out, err := run(t.Context(), folder, append([]string{"-c", "user.name=t", "-c", "user.email=t@example.org"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func commit(t *testing.T, folder string) string {
	t.Helper()
	gitDo(t, folder, "add", "-A")
	gitDo(t, folder, "commit", "-q", "-m", "x")
	return gitDo(t, folder, "rev-parse", "HEAD")
}

func TestClone(t *testing.T) {
	folder := repository(t)
	first := gitDo(t, folder, "rev-parse", "HEAD")
	o := options("file://"+folder, t.TempDir())
	s := load(t, o)
	equal(t, "commit", s.Commit, first)
	equal(t, "as the folder", s.ID(), load(t, options(folder, "")).ID())
	equal(t, "unchanged", load(t, o).Fetched, s.Fetched)

	write(t, filepath.Join(folder, "data/projects/t/two.yaml"), "version: 7\nname: two\ndisplay_name: Two\n")
	equal(t, "a changed folder has no commit", load(t, options(folder, "")).Commit, "")
	second := commit(t, folder)
	s = load(t, o)
	equal(t, "new commit", s.Commit, second)
	equal(t, "projects", len(s.Projects), 2)
	pinned := load(t, options("file://"+folder+"#"+first, t.TempDir()))
	equal(t, "pinned", pinned.Commit, first)

	if err := os.Rename(folder, folder+".away"); err != nil {
		t.Fatal(err)
	}
	away := load(t, o)
	equal(t, "away", away.Commit, second)
	if !away.Stale() || strings.Contains(away.Note, "\n") {
		t.Errorf("%q", away.Note)
	}
}

// The logos are never fetched: their object is not in the clone.
func TestCloneLeavesLogos(t *testing.T) {
	source, folder := repository(t), t.TempDir()
	if err := checkout(t.Context(), folder, "file://"+source, "HEAD"); err != nil {
		t.Fatal(err)
	}
	missing := gitDo(t, folder, "rev-list", "--objects", "--missing=print", "HEAD")
	logo := gitDo(t, source, "rev-parse", "HEAD:data/logos/big.png")
	if !strings.Contains(missing, "?"+logo) {
		t.Errorf("the logo %s was fetched:\n%s", logo, missing)
	}
	if _, err := os.Stat(filepath.Join(folder, "data/logos")); err == nil {
		t.Error("the logos were checked out")
	}
}

func TestNoGit(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Load(t.Context(), options("https://host.invalid/r", ""))
	if !chain.IsFatal(err) || !strings.Contains(err.Error(), "git is not installed; to mend it: install git, or set registry.oss_directory") {
		t.Error(err)
	}
}

func TestUnreachableRepository(t *testing.T) {
	if _, err := exec.LookPath("git"); err != nil {
		t.Skip("needs git:", err)
	}
	_, err := Load(t.Context(), options("http://user:s3cret@127.0.0.1:1/r", ""))
	if err == nil || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), "127.0.0.1:1/r") {
		t.Error(err)
	}
}
