// Package assets finds the files that superindex needs beside its own binary:
// ClickHouse's library and, for the demo and the tests, a dev chain.
//
// It only looks at the environment and the file system; it is safe for
// concurrent use.
package assets

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// The files that can be asked for.
const (
	LibChDB = "libchdb.so"
	Anvil   = "anvil"
	OpGeth  = "op-geth" // the node of the OP Stack, for tests
)

// Find returns the path of name: $SUPERINDEX_LIBCHDB, $SUPERINDEX_ANVIL or
// $SUPERINDEX_OPGETH where set; else beside the binary; else ../lib/superindex from
// it; else bin/ in the working folder or one above it, where make puts them.
func Find(name string) (string, error) {
	variable := "SUPERINDEX_" + strings.ToUpper(strings.ReplaceAll(strings.TrimSuffix(name, ".so"), "-", ""))
	if path := os.Getenv(variable); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", variable, err)
		}
		return path, nil
	}
	for _, dir := range folders() {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	made := "deps"
	if name == OpGeth {
		made = "bin/op-geth"
	}
	return "", fmt.Errorf("%s is not installed: run `make %s`, or let %s name it", name, made, variable)
}

func folders() (dirs []string) {
	if exe, err := os.Executable(); err == nil {
		dir := filepath.Dir(exe)
		dirs = append(dirs, dir, filepath.Join(dir, "..", "lib", "superindex"))
	}
	wd, err := os.Getwd()
	for err == nil {
		dirs = append(dirs, filepath.Join(wd, "bin"))
		if up := filepath.Dir(wd); up != wd {
			wd = up
			continue
		}
		break
	}
	return dirs
}
