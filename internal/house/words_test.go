package house

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// unspeakable is what no committed file may name: a path of the machine on which
// somebody worked, or a host that packages are downloaded from, which is the
// reader's own choice (a registry's web site is none). Each word is written in two halves, so that this file does not hold it.
var unspeakable = regexp.MustCompile(
	`(^|[^\w./-])/(wo` + `rk|ro` + `ot|ho` + `me/\w+)(/|\b)` +
		`|(^|[^\w./-])/tm` + `p/` +
		`|/us` + `r/local/go\b` +
		`|\b(proxy|sum)\.gol` + `ang\.org` +
		`|\bregistry\.(npm` + `js\.org|yarn` + `pkg\.com)` +
		`|\b(deb|security|ftp)\.deb` + `ian\.org` +
		`|\bfiles\.python` + `hosted\.org`)

func TestNoFileNamesThisMachine(t *testing.T) {
	for _, path := range files(t) {
		text, err := os.ReadFile(filepath.Join(root(t), path))
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			continue // a folder's link, or binary
		}
		for i, line := range bytes.Split(text, []byte("\n")) {
			if found := unspeakable.Find(line); found != nil {
				t.Errorf("%s:%d names %q", path, i+1, found)
			}
		}
	}
}

func TestUnspeakable(t *testing.T) {
	for text, bad := range map[string]bool{
		"cd /wo" + "rk/main":                    true,
		"in /ro" + "ot":                         true,
		"dir = \"/tm" + "p/x\"":                 true,
		"GOPROXY=https://proxy.gol" + "ang.org": true,
		"https://registry.npm" + "js.org/solc":  true,
		"docs/work/plan.md":                     false,
		"../tmp/x":                              false,
		"the network/root hash":                 false,
		"golang.org/x/sync":                     false,
		"https://api.example.org/root":          false,
	} {
		if got := unspeakable.MatchString(text); got != bad {
			t.Errorf("%q: got %v, want %v", text, got, bad)
		}
	}
}
