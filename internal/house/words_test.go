package house

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// unspeakable is what no committed file may name: a path of the machine on which
// somebody worked, or a host that packages are downloaded from, which is the
// reader's own choice (a registry's web site is none). Each is written in two
// halves, so that this file does not hold it.
var unspeakable = []string{
	"/wo" + "rk", "/ro" + "ot", "/ho" + "me/", "/tm" + "p/", "/us" + "r/local/go",
	"proxy.go" + "lang.org", "sum.go" + "lang.org", "registry.npm" + "js.org", "registry.yarn" + "pkg.com",
	"deb.deb" + "ian.org", "security.deb" + "ian.org", "files.python" + "hosted.org",
}

func TestNoFileNamesThisMachine(t *testing.T) {
	for _, path := range files(t) {
		text, err := os.ReadFile(filepath.Join(root(t), path))
		if err != nil || bytes.IndexByte(text, 0) >= 0 {
			continue // a folder's link, or binary
		}
		for _, word := range unspeakable {
			if at := names(string(text), word); at >= 0 {
				t.Errorf("%s:%d names %s", path, 1+bytes.Count(text[:at], []byte("\n")), word)
			}
		}
	}
}

// names returns where text first has word on its own, not as a part of a longer
// path or name, or -1.
func names(text, word string) int {
	for from := 0; ; {
		at := strings.Index(text[from:], word)
		if at < 0 {
			return -1
		}
		at += from
		from = at + len(word)
		before := at > 0 && (inWord(text[at-1]) || word[0] == '/' && strings.IndexByte("./-", text[at-1]) >= 0)
		after := from < len(text) && inWord(word[len(word)-1]) && inWord(text[from])
		if !before && !after {
			return at
		}
	}
}

func inWord(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z'
}

func TestNames(t *testing.T) {
	for text, bad := range map[string]bool{
		"cd /wo" + "rk/main":                    true,
		"in /ro" + "ot":                         true,
		"/wo" + "rking, then /wo" + "rk":        true,
		"dir = \"/tm" + "p/x\"":                 true,
		"GOPROXY=https://proxy.go" + "lang.org": true,
		"https://registry.npm" + "js.org/solc":  true,
		"docs/work/plan.md":                     false,
		"../tmp/x":                              false,
		"/works and /roots":                     false,
		"the network/root hash":                 false,
		"golang.org/x/sync":                     false,
		"https://pypi.org/project/x":            false,
		"https://api.example.org/root":          false,
	} {
		got := false
		for _, word := range unspeakable {
			got = got || names(text, word) >= 0
		}
		if got != bad {
			t.Errorf("%q: got %v, want %v", text, got, bad)
		}
	}
}
