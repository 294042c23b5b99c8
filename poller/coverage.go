package poller

import (
	"encoding/json"
	"fmt"
	"time"

	"superindex/chain"
)

// The statuses of a range that was asked for.
const (
	Complete = "complete" // what the source has of it is here
	Missing  = "missing"  // the source did not deliver it: it is unknown, never zero
	Unproven = "unproven" // it is here, and the source may still change it
)

// The units of ranges, each counted since 1970, UTC.
const (
	Hour = "hour"
	Day  = "day"
)

// Coverage says how a range that was asked for came out. A later one of the same
// dataset, resource and From replaces it.
type Coverage struct {
	Dataset  string `json:"dataset"`  // the kind of the rows that it is about
	Resource string `json:"resource"` // of which package, repository, account
	From     uint64 `json:"range_from"`
	To       uint64 `json:"range_to"` // included
	Unit     string `json:"unit"`
	Status   string `json:"status"`
	Reason   string `json:"reason"` // why it is not complete, in a few words
}

// coverageKind is the kind of the rows that coverage is.
const coverageKind = "coverage"

// row is the coverage as a row; Time is the range's first moment.
func (c Coverage) row() (chain.Row, error) {
	body, err := json.Marshal(c)
	if err != nil {
		return chain.Row{}, fmt.Errorf("coverage of %s: %w", c.Resource, err)
	}
	seconds := map[string]uint64{Hour: 3600, Day: 86400}[c.Unit]
	if seconds == 0 || c.To < c.From {
		return chain.Row{}, fmt.Errorf("coverage of %s: %d to %d %q is no range", c.Resource, c.From, c.To, c.Unit)
	}
	id := fmt.Sprintf("%s/%s/%s/%d", c.Dataset, c.Resource, c.Unit, c.From)
	return chain.Row{Kind: coverageKind, ID: id, Time: c.From * seconds, Body: body}, nil
}

// DayOf is the day of a time, counted since 1970 in UTC.
func DayOf(t time.Time) uint64 { return uint64(t.Unix()) / 86400 }

// HourOf is the hour of a time, counted since 1970 in UTC.
func HourOf(t time.Time) uint64 { return uint64(t.Unix()) / 3600 }

// OfDay is the first moment of a day counted since 1970.
func OfDay(day uint64) time.Time { return time.Unix(int64(day)*86400, 0).UTC() }
