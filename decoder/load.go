package decoder

import (
	"embed"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"superindex/chain"
)

// The built-in table: one file a family of projects, one signature a line.
//
//go:embed table/*.txt
var builtin embed.FS

// Builtin reads the built-in layouts. It fails only where a file of the table is
// wrong, which a test excludes.
func Builtin() (Sources, error) {
	folder, err := fs.Sub(builtin, "table")
	if err != nil {
		return Sources{}, fmt.Errorf("built-in table: %w", err)
	}
	return Load(folder)
}

// Load reads a folder of layouts, in the order of its file names. *.json is an
// ABI or an artifact, *.txt has one human-readable signature a line, # before a
// comment. A file that is named after an address (0x and 40 hex digits) is that
// address's ABI; every other one applies to all. Subfolders are read too, other
// files passed over.
func Load(folder fs.FS) (Sources, error) {
	s := Sources{Addresses: map[chain.Address][]*Layout{}}
	err := fs.WalkDir(folder, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		layouts, err := read(folder, name)
		if err != nil {
			return fmt.Errorf("layouts in %s: %w", name, err)
		}
		s.add(name, layouts)
		return nil
	})
	if err != nil {
		return Sources{}, err
	}
	return s, nil
}

// add files layouts under what their file's name says.
func (s *Sources) add(name string, layouts []*Layout) {
	stem := strings.TrimSuffix(path.Base(name), path.Ext(name))
	var a chain.Address
	if a.UnmarshalText([]byte(stem)) == nil {
		s.Addresses[a] = append(s.Addresses[a], layouts...)
		return
	}
	s.Layouts = append(s.Layouts, layouts...)
}

// And is s followed by more: where both have a say, s goes first.
func (s Sources) And(more Sources) Sources {
	sum := Sources{Addresses: map[chain.Address][]*Layout{}}
	for _, part := range []Sources{s, more} {
		sum.Layouts = append(sum.Layouts, part.Layouts...)
		for a, layouts := range part.Addresses {
			sum.Addresses[a] = append(sum.Addresses[a], layouts...)
		}
	}
	return sum
}

func read(folder fs.FS, name string) ([]*Layout, error) {
	var parse func([]byte) ([]*Layout, error)
	switch path.Ext(name) {
	case ".json":
		parse = ParseABI
	case ".txt":
		parse = parseLines
	default:
		return nil, nil
	}
	text, err := fs.ReadFile(folder, name)
	if err != nil {
		return nil, err
	}
	return parse(text)
}

func parseLines(text []byte) (layouts []*Layout, err error) {
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) == "" {
			continue
		}
		l, err := Parse(line)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		layouts = append(layouts, l)
	}
	return layouts, nil
}
