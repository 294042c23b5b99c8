package house

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var replaceForm = regexp.MustCompile(`(?m)^\s*replace\b`)

func TestModulesAreNotReplaced(t *testing.T) {
	for _, file := range []string{"go.mod", "tools/go.mod"} {
		if replaceForm.MatchString(read(t, file)) {
			t.Errorf("%s replaces a module: `go install` of superindex would not work", file)
		}
	}
}

var unreleasedForm = regexp.MustCompile(`(?m)^## \[?Unreleased\]?\s*$`)

func TestChangelogIsOpen(t *testing.T) {
	if !unreleasedForm.MatchString(read(t, "CHANGELOG.md")) {
		t.Error("CHANGELOG.md has no section \"## [Unreleased]\" for what comes next")
	}
}

var (
	madeInText = regexp.MustCompile("`make ([a-z][a-z-]*)")
	madeInCode = regexp.MustCompile(`^\s*\$?\s*make ([a-z][a-z-]*)`)
)

// made finds what a document tells its reader to make, in code of either form.
func made(text string) (targets []string) {
	plain := unfenced(text)
	for i, line := range strings.Split(text, "\n") {
		form := madeInText
		if plain[i] == "" {
			form = madeInCode
		}
		for _, m := range form.FindAllStringSubmatch(line, -1) {
			targets = append(targets, m[1])
		}
	}
	return targets
}

var targetForm = regexp.MustCompile(`(?m)^([a-z][a-z-]*):`)

func TestDocumentsNameRealTargets(t *testing.T) {
	targets := map[string]bool{}
	for _, m := range targetForm.FindAllStringSubmatch(read(t, "Makefile"), -1) {
		targets[m[1]] = true
	}
	for _, doc := range markdown(t) {
		for _, target := range made(read(t, doc)) {
			if !targets[target] {
				t.Errorf("%s says `make %s`, and the Makefile has no such target", doc, target)
			}
		}
	}
}

func TestMade(t *testing.T) {
	got := made("make sure of `make test`\n```\nmake build  # first\n```\n")
	if !slices.Equal(got, []string{"test", "build"}) {
		t.Errorf("got %v, want test and build", got)
	}
}

func TestEveryDecisionIsInTheIndex(t *testing.T) {
	const index = "docs/adr/README.md"
	listed := map[string]bool{}
	for _, l := range links(read(t, index)) {
		listed[l.target] = true
	}
	for _, doc := range markdown(t) {
		if path.Dir(doc) == path.Dir(index) && doc != index && !listed[path.Base(doc)] {
			t.Errorf("%s is not listed in %s", doc, index)
		}
	}
}

// exclusion finds the places of .golangci.yml that take something out.
var exclusion = regexp.MustCompile(`^\s*- (path|linters|text|source|path-except):|^\s*disable:`)

func TestLinterExceptionsHaveReasons(t *testing.T) {
	lines := strings.Split(read(t, ".golangci.yml"), "\n")
	for i, line := range lines {
		if exclusion.MatchString(line) && !strings.Contains(line, "# ") && !strings.HasPrefix(strings.TrimSpace(lines[i-1]), "# ") {
			t.Errorf(".golangci.yml:%d: %q has no reason beside or above it", i+1, strings.TrimSpace(line))
		}
	}
}

func TestCIRunsTheTests(t *testing.T) {
	info, err := os.Stat(filepath.Join(root(t), ".ci", "run"))
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode()&0o111 == 0 {
		t.Error(".ci/run is not executable")
	}
	if !strings.Contains(read(t, ".ci/run"), "make test\n") {
		t.Error(".ci/run does not call `make test`, which is what README tells everyone to run")
	}
}

// write puts a file below dir, for the tests of the rules.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
