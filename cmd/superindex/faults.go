package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// faults are what is wrong with a config: all of it at once, a line each, with the
// line of the file and the field.
type faults struct {
	file  string
	lines map[string]int // of each field that the file has
	all   []faultAt

	unread map[string]bool // the groups of which something could not be read, and which are not checked therefore
}

type faultAt struct {
	line int // 0: of no line in particular
	text string
}

// at takes down what is wrong in a line.
func (f *faults) at(line int, format string, args ...any) {
	f.all = append(f.all, faultAt{line, fmt.Sprintf(format, args...)})
}

// misread takes down what cannot be read of a field. What a check would say of its
// group may be wrong, and is not said.
func (f *faults) misread(line int, field, format string, args ...any) {
	f.at(line, format, args...)
	f.unread[group(field)] = true
}

// group is what is checked by itself: a network, a feed, or what is named at the top.
func group(field string) string {
	parts := strings.SplitN(field, ".", 3)
	if len(parts) > 1 && (parts[0] == "networks" || parts[0] == "poller") {
		return parts[0] + "." + parts[1]
	}
	return parts[0]
}

// add takes down what is wrong with a field; its line is the field's, or that of
// the nearest one around it.
func (f *faults) add(field, format string, args ...any) {
	if f.unread[group(field)] {
		return
	}
	f.at(f.line(field), "%s: %s", field, fmt.Sprintf(format, args...))
}

func (f *faults) line(field string) int {
	for {
		if line := f.lines[field]; line > 0 {
			return line
		}
		dot := strings.LastIndexAny(field, ".[")
		if dot < 0 {
			return 0
		}
		field = field[:dot]
	}
}

// err is nil where there is none.
func (f *faults) err() error {
	if len(f.all) == 0 {
		return nil
	}
	slices.SortStableFunc(f.all, func(a, b faultAt) int { return cmp.Compare(a.line, b.line) })
	lines := make([]string, len(f.all))
	for i, one := range f.all {
		if one.line > 0 {
			one.text = fmt.Sprintf("line %d: %s", one.line, one.text)
		}
		if f.file != "" {
			one.text = f.file + ": " + one.text
		}
		lines[i] = one.text
	}
	return errors.New(strings.Join(lines, "\n"))
}

// meant guesses which of the words somebody meant who wrote another one; "" where
// none is near.
func meant(written string, words []string) string {
	if word := habits[written]; slices.Contains(words, word) {
		return word
	}
	best, distance := "", 1+max(1, len(written)/3)
	for _, word := range words {
		d := edits(strings.ToLower(written), word)
		if short := min(len(written), len(word)); short > 2 && written[:short] == word[:short] {
			d = 1 // optimism_mainnet, warning
		}
		if d < distance {
			best, distance = word, d
		}
	}
	return best
}

// habits are what keys are called elsewhere.
var habits = map[string]string{
	"endpoint": "rpc", "endpoints": "rpc", "rpc_url": "rpc", "rpc_urls": "rpc", "rpcs": "rpc", "urls": "rpc",
	"start_block": "start", "from": "start", "from_block": "start", "chainid": "chain_id", "id": "chain_id",
	"dir": "data_dir", "datadir": "data_dir", "chains": "networks", "rate_limit": "max_rps", "nats_url": "url",
}

// edits counts the letters that were added, left out, changed, or that changed
// places with the next one.
func edits(a, b string) int {
	d := make([][]int, len(a)+1) // d[i][j] is of a[:i] and b[:j]
	for i := range d {
		d[i] = make([]int, len(b)+1)
		d[i][0] = i
	}
	for j := range d[0] {
		d[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			changed := d[i-1][j-1]
			if a[i-1] != b[j-1] {
				changed++
			}
			d[i][j] = min(changed, d[i-1][j]+1, d[i][j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				d[i][j] = min(d[i][j], d[i-2][j-2]+1)
			}
		}
	}
	return d[len(a)][len(b)]
}
