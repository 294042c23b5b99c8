package registry

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// builder makes a Snapshot of a directory's files.
type builder struct {
	s      *Snapshot
	names  map[string]string // "project uniswap" to the file that has it
	unread int               // files of which nothing could be used
}

// build understands a directory. What is malformed is listed and left out; an
// error means that this is no directory, or one that this build cannot read: a
// watch list must not shrink because most of its files changed their form.
func build(c *contents) (*Snapshot, error) {
	b := &builder{s: &Snapshot{Commit: c.commit, Digest: c.digest()}, names: map[string]string{}}
	for _, one := range understandAll(c.files) {
		b.add(one)
	}
	if err := b.check(len(c.files)); err != nil {
		return nil, err
	}
	b.sort()
	b.link()
	slices.SortStableFunc(b.s.Problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	return b.s, nil
}

func (b *builder) add(one *understood) {
	switch {
	case one.project != nil && b.first(one, "project "+one.project.Name):
		b.s.Projects = append(b.s.Projects, *one.project)
	case one.collection != nil && b.first(one, "collection "+one.collection.Name):
		b.s.Collections = append(b.s.Collections, *one.collection)
	default:
		b.unread++
	}
	b.s.Problems = append(b.s.Problems, one.doc.problems...)
}

// first reports whether the name is new. Two files of one name would share an id.
func (b *builder) first(one *understood, name string) bool {
	if other, taken := b.names[name]; taken {
		one.doc.problem(one.line, "name", name, "already in "+other, true)
		return false
	}
	b.names[name] = one.doc.file
	return true
}

func (b *builder) check(files int) error {
	if b.unread*2 > files {
		return fmt.Errorf("%d of %d files cannot be read, the first is %s", b.unread, files, b.s.Malformed()[0])
	}
	if len(b.s.Projects) == 0 {
		return errors.New("it holds no project in data/projects")
	}
	return nil
}

func (b *builder) sort() {
	slices.SortFunc(b.s.Projects, func(a, b Project) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(b.s.Collections, func(a, b Collection) int { return strings.Compare(a.Name, b.Name) })
}

// link drops what a collection lists twice or what is not there.
func (b *builder) link() {
	for i := range b.s.Collections {
		c := &b.s.Collections[i]
		seen := make(map[string]bool, len(c.Projects))
		c.Projects = slices.DeleteFunc(c.Projects, func(name string) bool {
			reason := "there is no such project"
			if seen[name] {
				reason = "listed twice"
			} else if _, ok := b.s.Project(name); ok {
				seen[name] = true
				return false
			}
			b.s.Problems = append(b.s.Problems, Problem{c.File, 1, "projects", name, reason, false})
			return true
		})
	}
}

// String is "file:line: field "value": reason".
func (p Problem) String() string {
	where := fmt.Sprintf("%s:%d: ", p.File, p.Line)
	if p.Field == "" {
		return where + p.Reason
	}
	return fmt.Sprintf("%s%s %q: %s", where, p.Field, p.Value, p.Reason)
}
