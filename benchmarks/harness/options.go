package harness

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// Options say what is measured.
type Options struct {
	Only      []string      // names of scenarios; none: all
	Quick     bool          // small sizes: it works, but its figures mean little
	Binary    string        // the superindex to measure
	Directory string        // a whole oss-directory, for the start-up; "": that scenario says so and is left out
	Heads     time.Duration // how long the heads are followed; 0: 60 s, 5 s if Quick
	Networks  int           // how many heads are followed; 0: 34, 4 if Quick
	Profiles  string        // a folder for CPU and heap profiles; "": none
	Dir       string        // a folder for the daemons' data; each scenario has its own in it
	Progress  io.Writer     // what it is doing
}

// Check names the first field that cannot be.
func (o Options) Check() error {
	switch {
	case o.Binary == "":
		return errors.New("bench: Binary: empty")
	case o.Dir == "":
		return errors.New("bench: Dir: empty")
	case o.Progress == nil:
		return errors.New("bench: Progress: nil")
	case o.Heads < 0 || o.Networks < 0:
		return errors.New("bench: Heads, Networks: below 0")
	}
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return fmt.Errorf("bench: Only: no scenario %q; there are %s", name, strings.Join(Names(), ", "))
		}
	}
	return nil
}
