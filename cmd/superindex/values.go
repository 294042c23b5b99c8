package main

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"

	"superindex/indexer"
)

// duration is Go's, and whole days: "90s", "24h", "7d".
type duration time.Duration

const mostDays = 36_500

// read implements scalar.
func (d *duration) read(word string) error {
	if days, ok := strings.CutSuffix(word, "d"); ok {
		if count, err := strconv.ParseUint(days, 10, 64); err == nil && count <= mostDays {
			*d = duration(time.Duration(count) * 24 * time.Hour)
			return nil
		}
	}
	v, err := time.ParseDuration(word)
	if err != nil || v < 0 {
		return errors.New("no duration such as 90s, 24h or 7d")
	}
	*d = duration(v)
	return nil
}

// size is a number of bytes: "10GB", "512MiB".
type size uint64

// read implements scalar.
func (s *size) read(word string) error {
	v, err := humanize.ParseBytes(word)
	if err != nil || v > 1<<60 {
		return errors.New("no size such as 10GB or 512MiB")
	}
	*s = size(v)
	return nil
}

// start is where a network's history begins.
type start struct{ indexer.Start }

// read implements scalar: a block number, a date, "finalized", or so many blocks back from it.
func (s *start) read(word string) error {
	if word == "finalized" {
		*s = start{}
		return nil
	}
	for _, layout := range []string{time.DateOnly, time.RFC3339} {
		if at, err := time.Parse(layout, word); err == nil {
			s.Start = indexer.Start{At: at.UTC()}
			return nil
		}
	}
	v, err := strconv.ParseInt(word, 10, 64)
	switch {
	case err != nil:
		return errors.New(`no block number, no date such as 2025-01-31, no "finalized" and no "-10000" back from it`)
	case v < 0:
		s.Start = indexer.Start{Number: uint64(-v), FromTop: true}
	default:
		s.Start = indexer.Start{Number: uint64(v), Absolute: true}
	}
	return nil
}

// finality says whose word it is that a block is final; the zero value is the
// node's, and where that has none the sequencing window's.
type finality struct {
	window bool   // the sequencing window's always
	blocks uint64 // that of so many blocks ago, always
}

// read implements scalar: "tags", "window" or a number of blocks.
func (f *finality) read(word string) error {
	n, err := strconv.ParseUint(word, 10, 63)
	switch {
	case word == "tags":
		*f = finality{}
	case word == "window":
		*f = finality{window: true}
	case err == nil && n > 0:
		*f = finality{blocks: n}
	default:
		return errors.New("neither tags, nor window, nor a number of blocks above zero")
	}
	return nil
}

// date is a day, UTC.
type date struct{ time.Time }

// read implements scalar.
func (d *date) read(word string) error {
	at, err := time.Parse(time.DateOnly, word)
	if err != nil {
		return errors.New("no date such as 2025-01-31")
	}
	d.Time = at
	return nil
}
