package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
	"go.yaml.in/yaml/v3"

	"superindex/indexer"
)

// duration is Go's, and whole days: "90s", "24h", "7d".
type duration time.Duration

// UnmarshalYAML reads a duration.
func (d *duration) UnmarshalYAML(n *yaml.Node) error {
	if days, ok := strings.CutSuffix(n.Value, "d"); ok {
		if count, err := strconv.Atoi(days); err == nil {
			*d = duration(time.Duration(count) * 24 * time.Hour)
			return nil
		}
	}
	v, err := time.ParseDuration(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no duration such as 90s, 24h or 7d", n.Line, n.Value)
	}
	*d = duration(v)
	return nil
}

// size is a number of bytes: "10GB", "512MiB".
type size uint64

// UnmarshalYAML reads a size.
func (s *size) UnmarshalYAML(n *yaml.Node) error {
	v, err := humanize.ParseBytes(n.Value)
	if err != nil {
		return fmt.Errorf("line %d: %q is no size such as 10GB or 512MiB", n.Line, n.Value)
	}
	*s = size(v)
	return nil
}

// start is where a network's history begins.
type start struct{ indexer.Start }

// UnmarshalYAML reads a block number, "finalized", or so many blocks back from it.
func (s *start) UnmarshalYAML(n *yaml.Node) error {
	if n.Value == "finalized" {
		*s = start{}
		return nil
	}
	v, err := strconv.ParseInt(n.Value, 10, 64)
	switch {
	case err != nil:
		return fmt.Errorf("line %d: start: %q is no block number, \"finalized\" or \"-10000\" back from it", n.Line, n.Value)
	case v < 0:
		s.Start = indexer.Start{Number: uint64(-v), FromTop: true}
	default:
		s.Start = indexer.Start{Number: uint64(v), Absolute: true}
	}
	return nil
}
