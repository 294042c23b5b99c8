package poller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"superindex/chain"
)

// Journal is where observations and states go. Notes are kept with steps, by name.
type Journal interface {
	// Append commits rows as one step, together with notes. It waits while the
	// sinks are too far behind.
	Append(ctx context.Context, rows *chain.Rows, notes map[string][]byte) error

	// Keep commits notes without a step.
	Keep(ctx context.Context, notes map[string][]byte) error

	// Notes are all whose name begins with prefix.
	Notes(ctx context.Context, prefix string) (map[string][]byte, error)
}

// A step holds at most so much: see the design's data path.
const (
	maxStepRows  = 50_000
	maxStepBytes = 8 << 20
	rowOverhead  = 64
)

// The names of a feed's notes: its resources, and its rest.
func resourcePrefix(feed string) string { return "poll/" + feed + "/" }
func restName(feed string) string       { return "rest/" + feed }
func partName(feed, id string) string   { return "part/" + feed + "/" + id }

// rest is why and until when a feed asks nothing.
type rest struct {
	Until  time.Time `json:"until"`
	Reason string    `json:"reason"`
	Times  int       `json:"times"` // in a row
}

// part is how far an answer of several steps was committed.
type part struct {
	Digest string `json:"digest"` // of all its rows
	Steps  int    `json:"steps"`  // that are in the journal
}

// stepsOf makes the steps of a result, of which most have one: its rows, then its
// coverage.
func stepsOf(feed string, result *Result) (steps []*chain.Rows, err error) {
	rows := result.Rows
	for _, c := range result.Coverage {
		row, err := c.row()
		if err != nil {
			return nil, err
		}
		rows = append(rows, row)
	}
	from, size := 0, 0
	for i := range rows {
		cost := len(rows[i].Kind) + len(rows[i].ID) + len(rows[i].Body) + rowOverhead
		if cost > maxStepBytes {
			return nil, fmt.Errorf("the row %s %s has %d bytes: more than a step holds", rows[i].Kind, rows[i].ID, cost)
		}
		if i-from == maxStepRows || size+cost > maxStepBytes {
			steps = append(steps, &chain.Rows{Feed: feed, Rows: rows[from:i]})
			from, size = i, 0
		}
		size += cost
	}
	if from < len(rows) {
		steps = append(steps, &chain.Rows{Feed: feed, Rows: rows[from:]})
	}
	return steps, nil
}

// digestOf tells answers of several steps apart.
func digestOf(steps []*chain.Rows) string {
	h := sha256.New()
	for _, s := range steps {
		for i := range s.Rows {
			r := &s.Rows[i]
			fmt.Fprintf(h, "%q %q %d %d ", r.Kind, r.ID, r.Time, len(r.Body))
			h.Write(r.Body)
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// readPart reads how far an answer was committed.
func readPart(ctx context.Context, journal Journal, name string) (done part, err error) {
	notes, err := journal.Notes(ctx, name)
	if text := notes[name]; err == nil && len(text) > 0 {
		err = json.Unmarshal(text, &done)
	}
	return done, err
}

// notesOf are the resources as notes.
func notesOf(feed string, resources []Resource) (map[string][]byte, error) {
	notes := make(map[string][]byte, len(resources))
	for i := range resources {
		text, err := json.Marshal(&resources[i])
		if err != nil {
			return nil, fmt.Errorf("keep the state of %s: %w", resources[i].ID, err)
		}
		notes[resourcePrefix(feed)+resources[i].ID] = text
	}
	return notes, nil
}

// readResources reads what was kept of a feed's resources, by id.
func readResources(ctx context.Context, journal Journal, feed string) (map[string]*Resource, error) {
	prefix := resourcePrefix(feed)
	notes, err := journal.Notes(ctx, prefix)
	if err != nil {
		return nil, err
	}
	all := make(map[string]*Resource, len(notes))
	for name, text := range notes {
		r := &Resource{ID: strings.TrimPrefix(name, prefix)}
		if err := json.Unmarshal(text, r); err != nil {
			return nil, fmt.Errorf("read the state of %s: %w", r.ID, err)
		}
		all[r.ID] = r
	}
	return all, nil
}

func readRest(ctx context.Context, journal Journal, feed string) (r rest, err error) {
	notes, err := journal.Notes(ctx, restName(feed))
	if text := notes[restName(feed)]; err == nil && text != nil {
		err = json.Unmarshal(text, &r)
	}
	return r, err
}
