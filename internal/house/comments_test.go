package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// concurrency is what a package's comment has to speak of: whoever calls a
// package must know what may be called from several goroutines.
var concurrency = regexp.MustCompile(`(?i)concurren|goroutine|pure`)

func TestPackageComments(t *testing.T) {
	packages := map[string][]source{}
	for _, s := range sources(t) {
		packages[s.dir()] = append(packages[s.dir()], s)
	}
	for dir, files := range packages {
		for _, fault := range commentFaults(dir, files) {
			t.Errorf("%s: %s", dir, fault)
		}
	}
}

// commentFaults says what is wrong with the comment of the package in dir.
func commentFaults(dir string, files []source) (faults []string) {
	var comments, carriers []string
	name := ""
	for _, s := range files {
		if !s.test {
			name = s.ast.Name.Name
		}
		if s.ast.Doc != nil && !s.test {
			comments = append(comments, s.ast.Doc.Text())
			carriers = append(carriers, path.Base(s.path))
		}
	}
	switch {
	case name == "" && len(comments) == 0:
		return []string{"only tests and no package comment: add a doc.go that says what they are"}
	case len(comments) == 0:
		return []string{"no package comment: add a doc.go"}
	case len(comments) > 1:
		return []string{"several package comments: " + strings.Join(carriers, ", ")}
	}
	return textFaults(dir, name, comments[0])
}

func textFaults(dir, name, text string) (faults []string) {
	want := "Package " + name + " "
	if name == "main" {
		want = "Command " + path.Base(dir) + " "
	}
	if !strings.HasPrefix(text, want) {
		faults = append(faults, "the package comment does not begin with "+want)
	}
	if lines := len(slices.DeleteFunc(strings.Split(text, "\n"), blank)); lines < 2 {
		faults = append(faults, "the package comment says too little: one line")
	}
	if name != "main" && !concurrency.MatchString(text) {
		faults = append(faults, "the package comment does not say what is pure, or what is safe for concurrent use")
	}
	return faults
}

func blank(line string) bool { return strings.TrimSpace(line) == "" }

func TestCommentFaults(t *testing.T) {
	good := "// Package reorg chooses forks.\n//\n// It is safe for concurrent use.\npackage reorg"
	for name, c := range map[string]struct {
		dir    string
		files  []string
		faults int
	}{
		"good":          {"reorg", []string{good, "package reorg"}, 0},
		"none":          {"reorg", []string{"package reorg"}, 1},
		"two":           {"reorg", []string{good, good}, 1},
		"other form":    {"reorg", []string{"// Chooses forks.\n// It is pure.\npackage reorg"}, 1},
		"one line":      {"reorg", []string{"// Package reorg is pure.\npackage reorg"}, 1},
		"silent":        {"reorg", []string{"// Package reorg chooses\n// forks.\npackage reorg"}, 1},
		"command":       {"cmd/superindex", []string{"// Command superindex runs\n// the daemon.\npackage main"}, 0},
		"other command": {"cmd/superindex", []string{"// Package main runs\n// the daemon.\npackage main"}, 1},
	} {
		if got := commentFaults(c.dir, parsed(t, c.dir, c.files)); len(got) != c.faults {
			t.Errorf("%s: got %q, want %d faults", name, got, c.faults)
		}
	}
}

// parsed makes sources of texts, as if they lay in dir.
func parsed(t *testing.T, dir string, texts []string) (out []source) {
	t.Helper()
	fset := token.NewFileSet()
	for _, text := range texts {
		var file *ast.File
		file, err := parser.ParseFile(fset, "made-up.go", text, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, source{dir + "/made-up.go", false, file, fset})
	}
	return out
}
