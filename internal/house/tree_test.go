package house

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// source is one parsed Go file of the module.
type source struct {
	path string // relative to the root, with slashes
	test bool   // a _test.go file
	ast  *ast.File
	fset *token.FileSet
}

// dir is the folder of the file, "." for the root.
func (s source) dir() string { return filepath.ToSlash(filepath.Dir(s.path)) }

// root is the folder of go.mod, above the tests' working folder.
func root(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for !exists(filepath.Join(dir, "go.mod")) {
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod in the working folder or above it")
		}
		dir = up
	}
	return dir
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// read returns the text of a file, by its path relative to the root.
func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root(t), path))
	if err != nil {
		t.Fatalf("%s is missing or unreadable: %v", path, err)
	}
	return string(text)
}

// files lists what is committed or about to be, relative to the root. Without
// git (a tarball) it is every file of the tree but what make puts there.
func files(t *testing.T) (paths []string) {
	t.Helper()
	dir := root(t)
	out, err := exec.CommandContext(t.Context(), "git", "-C", dir, "ls-files", "-z", "-co", "--exclude-standard").Output()
	if err != nil {
		t.Logf("git ls-files: %v; walking the tree instead", err)
		return walk(t, dir)
	}
	for path := range strings.SplitSeq(string(out), "\x00") {
		if path != "" && exists(filepath.Join(dir, path)) {
			paths = append(paths, path)
		}
	}
	return paths
}

func walk(t *testing.T, dir string) (paths []string) {
	t.Helper()
	made := map[string]bool{"bin": true, "node_modules": true, ".git": true, "superindex-data": true}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && made[d.Name()] {
			return filepath.SkipDir
		}
		if err == nil && d.Type().IsRegular() {
			rel, _ := filepath.Rel(dir, path)
			paths = append(paths, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

// sources parses every Go file that belongs to the module: not those of nested
// modules, nor those that the go command leaves out.
func sources(t *testing.T) (parsed []source) {
	t.Helper()
	all, fset := files(t), token.NewFileSet()
	for _, path := range all {
		if !strings.HasSuffix(path, ".go") || leftOut(path, all) {
			continue
		}
		file, err := parser.ParseFile(fset, filepath.Join(root(t), path), nil, parser.ParseComments)
		if err != nil {
			t.Errorf("parse: %v", err)
			continue
		}
		parsed = append(parsed, source{path, strings.HasSuffix(path, "_test.go"), file, fset})
	}
	if len(parsed) == 0 {
		t.Fatal("no Go file found")
	}
	return parsed
}

func leftOut(path string, all []string) bool {
	for _, part := range strings.Split(filepath.ToSlash(filepath.Dir(path)), "/") {
		if part == "testdata" || strings.HasPrefix(part, "_") || len(part) > 1 && part[0] == '.' {
			return true
		}
	}
	for _, other := range all {
		if dir, ok := strings.CutSuffix(other, "/go.mod"); ok && strings.HasPrefix(path, dir+"/") {
			return true
		}
	}
	return false
}

// markdown lists the documents, relative to the root.
func markdown(t *testing.T) (paths []string) {
	t.Helper()
	for _, path := range files(t) {
		if strings.HasSuffix(path, ".md") {
			paths = append(paths, path)
		}
	}
	return paths
}
