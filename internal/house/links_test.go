package house

import (
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// link is one [text](target) of a document.
type link struct {
	line         int
	text, target string
}

var linkForm = regexp.MustCompile(`\[([^\]\[]*)\]\(([^)\s]+)\)`)

// links returns the links of a document, those in fenced code left out.
func links(text string) (found []link) {
	for i, line := range unfenced(text) {
		for _, m := range linkForm.FindAllStringSubmatch(line, -1) {
			found = append(found, link{i + 1, m[1], m[2]})
		}
	}
	return found
}

// unfenced returns the lines of a document, those of fenced code emptied.
func unfenced(text string) []string {
	lines, inside := strings.Split(text, "\n"), false
	for i, line := range lines {
		fence := strings.HasPrefix(strings.TrimSpace(line), "```")
		if fence {
			inside = !inside
		}
		if fence || inside {
			lines[i] = ""
		}
	}
	return lines
}

func TestLinksLeadSomewhere(t *testing.T) {
	checked := 0
	for _, doc := range markdown(t) {
		for _, l := range links(read(t, doc)) {
			if err := follow(root(t), doc, l); err != nil {
				t.Errorf("%s:%d: [%s](%s): %v", doc, l.line, l.text, l.target, err)
			}
			checked++
		}
	}
	t.Logf("%d links checked", checked)
}

// follow checks that a link of the document doc leads to a file below root, and
// to the heading or the declared name that it promises. Links to other hosts are
// not followed.
func follow(root, doc string, l link) error {
	if strings.Contains(l.target, "://") || strings.HasPrefix(l.target, "mailto:") {
		return nil
	}
	to, fragment, _ := strings.Cut(l.target, "#")
	file := doc
	if to != "" {
		file = path.Join(path.Dir(doc), to)
	}
	if strings.HasPrefix(to, "/") || strings.HasPrefix(file, "../") {
		return errors.New("leads out of the repository")
	}
	info, err := os.Stat(filepath.Join(root, file))
	switch {
	case err != nil:
		return fmt.Errorf("no such file: %s", file)
	case strings.HasSuffix(file, ".md"):
		return hasHeading(filepath.Join(root, file), fragment)
	case strings.HasSuffix(file, ".go"), info.IsDir():
		return promises(filepath.Join(root, file), fragment, l.text)
	case fragment != "":
		return fmt.Errorf("%s has nothing that #%s could name", file, fragment)
	}
	return nil
}

// promises checks the names that a link to Go code gives: the fragment, and a
// text such as `reorg.Tracker` or `Tracker.Extend`.
func promises(file, fragment, text string) error {
	names, err := declared(file)
	if err != nil {
		return err
	}
	for _, name := range []string{fragment, symbol(text)} {
		if name != "" && !names[name] {
			return fmt.Errorf("%s is not declared there", name)
		}
	}
	return nil
}

var symbolForm = regexp.MustCompile("^`[A-Za-z_]\\w*(\\.[A-Za-z_]\\w*)*(\\(\\))?`$")

// symbol is the name that a link's text promises, or nothing: `reorg.Tracker`,
// `Tracker.Extend`, `Extend()`, but not `tracker.go` nor plain words.
func symbol(text string) string {
	if !symbolForm.MatchString(text) || strings.HasSuffix(text, ".go`") {
		return ""
	}
	return strings.TrimSuffix(strings.Trim(text, "`"), "()")
}

var headingForm = regexp.MustCompile(`^#{1,6}\s+(.*)$`)

// hasHeading checks that the document has a heading with this anchor; every
// document has the empty one.
func hasHeading(file, anchor string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if anchor == "" || slices.Contains(anchors(string(text)), anchor) {
		return nil
	}
	return fmt.Errorf("no heading has the anchor #%s", anchor)
}

var notInAnchor = regexp.MustCompile(`[^\p{L}\p{N}_\- ]`)

func anchors(text string) (all []string) {
	for _, line := range unfenced(text) {
		if m := headingForm.FindStringSubmatch(line); m != nil {
			plain := notInAnchor.ReplaceAllString(strings.ToLower(m[1]), "")
			all = append(all, strings.ReplaceAll(plain, " ", "-"))
		}
	}
	return all
}

func TestTheTourBeginsAtMain(t *testing.T) {
	const tour, first = "ARCHITECTURE.md", "cmd/superindex/main.go"
	all := links(read(t, tour))
	if len(all) == 0 {
		t.Fatalf("%s has no link; its first must be %s", tour, first)
	}
	if to, _, _ := strings.Cut(all[0].target, "#"); to != first {
		t.Errorf("the first link of %s is %s, not %s", tour, all[0].target, first)
	}
}

func TestLinksOfFencedCode(t *testing.T) {
	if got := links("[a](b)\n```\n[c](d)\n```\n[e](f)"); len(got) != 2 || got[1] != (link{5, "e", "f"}) {
		t.Errorf("got %v, want the links of lines 1 and 5", got)
	}
}

func TestFollow(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "a/code.go", "package a\ntype Tracker struct{ Head int }\nfunc (t *Tracker) Extend() {}\nconst Depth = 1\ntype Sink interface{ Name() string }\n")
	write(t, dir, "docs/page.md", "# A page: of `things`\n```\n# no heading\n```\n")
	for target, bad := range map[string]bool{
		"[x](https://example.org/y)":        false,
		"[x](../a/code.go)":                 false,
		"[x](../a/other.go)":                true,
		"[x](../../outside)":                true,
		"[x](/a/code.go)":                   true,
		"[x](../a/code.go#Tracker)":         false,
		"[x](../a/code.go#Tracker.Extend)":  false,
		"[x](../a/code.go#Gone)":            true,
		"[x](../a/code.go#L2)":              true,
		"[`a.Tracker`](../a/code.go)":       false,
		"[`Tracker.Head`](../a/code.go)":    false,
		"[`Tracker.Extend()`](../a/)":       false,
		"[`Sink.Name`](../a/code.go)":       false,
		"[`a.Depth`](../a/code.go)":         false,
		"[`a`](../a/)":                      false,
		"[`code.go`](../a/code.go)":         false,
		"[`a.Gone`](../a/code.go)":          true,
		"[`Tracker.Gone`](../a/code.go)":    true,
		"[x](page.md#a-page-of-things)":     false,
		"[x](#a-page-of-things)":            false,
		"[x](page.md#no-heading)":           true,
		"[x](../a/code.go#Tracker.Missing)": true,
	} {
		err := follow(dir, "docs/page.md", links(target)[0])
		if (err != nil) != bad {
			t.Errorf("%s: got %v, want an error: %v", target, err, bad)
		}
	}
}
