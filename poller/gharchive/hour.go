package gharchive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"superindex/chain"
	"superindex/poller"
)

// The kinds of the rows.
const (
	eventsKind = "events"
	hoursKind  = "hours"
)

// state is where an hour stands.
type state struct {
	Watch string `json:"watch,omitempty"` // for whom it was read
	Rows  int    `json:"rows,omitempty"`  // that were brought, of a file that has more than one step holds
	SHA   string `json:"sha,omitempty"`   // of that file
	Late  int    `json:"late,omitempty"`  // how often the source did not have it
	Told  string `json:"told,omitempty"`  // what coverage said last of why it is not there
	Here  bool   `json:"here,omitempty"`  // the whole hour was brought once
}

// stateOf reads a resource's state; one that cannot be read is the first.
func stateOf(r poller.Resource) state {
	s := state{}
	if r.Into(&s) != nil {
		s = state{}
	}
	return s
}

// fileName is an hour's, as the source writes it: without a zero before the hour.
func fileName(at time.Time) string {
	return fmt.Sprintf("%s-%d.json.gz", at.Format(time.DateOnly), at.Hour())
}

// hour asks for an hour's file and reads it.
func (f *Feed) hour(ctx context.Context, r poller.Resource, at time.Time, s *state) (result poller.Result, err error) {
	name := fileName(at)
	if s.Watch != f.opts.Watch.id {
		s.Watch, s.Rows, s.SHA = f.opts.Watch.id, 0, ""
	}
	stream, err := poller.Open(ctx, f.opts.Client, poller.Request{
		What: name, URL: f.opts.URL + "/" + name,
		Header: map[string]string{"Accept": "*/*", "Accept-Encoding": "gzip"}, // the file as it is stored
	})
	if err != nil {
		return result, err
	}
	file, gone := scan{watch: f.opts.Watch, from: s.Rows, most: f.opts.Rows}, stream.Gone()
	if !gone {
		err = file.read(stream.Body)
	}
	if err := errors.Join(err, stream.Body.Close()); err != nil {
		return result, fmt.Errorf("%s: %w", name, err)
	}
	if gone {
		return late(r, at, s, time.Now()), nil
	}
	return brought(r, at, s, &file)
}

// How long the source is asked for an hour that it does not have: days were lost, and
// came back two or three days later.
const (
	lateFor   = 7 * 24 * time.Hour
	lateFirst = 10 * time.Minute
	lateMost  = 6 * time.Hour
)

// late takes down that the source does not have the hour, yet or for good.
func late(r poller.Resource, at time.Time, s *state, now time.Time) (result poller.Result) {
	why := "late: the source does not have the hour yet"
	over := now.Sub(at.Add(time.Hour)) >= lateFor
	if over {
		why = "the source has no file of the hour"
	}
	if s.Told != why && !s.Here {
		s.Told = why
		result.Coverage = []poller.Coverage{cover(at, poller.Missing, why)}
	}
	wait := lateMost
	if s.Late < 6 {
		wait = min(lateFirst<<s.Late, lateMost)
	}
	s.Late++
	after := r.With(s, now.Add(wait))
	after.Done = over
	result.After = []poller.Resource{after}
	return result
}

// brought makes the step of a file that was read: a part of its rows or, with the
// last of them, what is known of the hour.
func brought(r poller.Resource, at time.Time, s *state, file *scan) (result poller.Result, err error) {
	if s.Rows > 0 && file.sha != s.SHA { // another file since: from its beginning
		s.Rows, s.SHA = 0, ""
		result.After = []poller.Resource{r.With(s, time.Now())}
		return result, nil
	}
	what := fmt.Sprintf("%s/%s/%d", eventsKind, r.ID, s.Rows)
	if len(file.raw) > 0 {
		result.Payloads = []poller.Payload{{What: what, Body: file.raw}}
	}
	result.Rows = file.rows
	if file.more {
		s.Rows, s.SHA = s.Rows+len(file.rows), file.sha
		result.After = []poller.Resource{r.With(s, time.Now())}
		return result, nil
	}
	status, why := file.judge(at)
	row, err := file.row(r.ID, at)
	if err != nil {
		return result, err
	}
	result.Rows = append(result.Rows, row)
	result.Coverage = []poller.Coverage{cover(at, status, why)}
	done := r.With(state{Watch: s.Watch, Here: true}, time.Time{})
	done.Done = true
	result.After = []poller.Resource{done}
	return result, nil
}

// thin is below what any hour of GitHub has: the source has files of a single line.
const thin = 1000

// edge is how far from an hour's ends its first and its last event may be. GitHub shows
// events five minutes late, and the source closes a file by its own clock; a file that
// was begun late, or that ended with its crawler, is further off.
const edge = 10 * time.Minute

// judge says how complete the hour that begins at is, and why not.
func (f *scan) judge(at time.Time) (status, why string) {
	switch {
	case f.lines < thin:
		return poller.Unproven, fmt.Sprintf("the file has only %d lines", f.lines)
	case f.unread > 0:
		return poller.Unproven, fmt.Sprintf("%d of %d lines cannot be read", f.unread, f.lines)
	case f.first.After(at.Add(edge)):
		return poller.Unproven, "its events begin at " + f.first.Format(time.TimeOnly)
	case f.last.Before(at.Add(time.Hour - edge)):
		return poller.Unproven, "its events end at " + f.last.Format(time.TimeOnly)
	}
	return poller.Complete, ""
}

// hourRow is what is known of an hour's file.
type hourRow struct {
	Hour   string `json:"hour"`
	Lines  int    `json:"lines"`
	Kept   int    `json:"kept"`
	Unread int    `json:"unread"` // left out: too long, or not an event
	Bytes  int64  `json:"bytes"`  // of the file
	SHA256 string `json:"sha256"` // of the file
	First  string `json:"first"`  // when the first event was, RFC 3339
	Last   string `json:"last"`
}

func (f *scan) row(id string, at time.Time) (chain.Row, error) {
	body, err := json.Marshal(hourRow{
		at.Format(time.RFC3339), f.lines, f.kept, f.unread, f.bytes, f.sha, f.first.Format(time.RFC3339), f.last.Format(time.RFC3339),
	})
	if err != nil {
		return chain.Row{}, fmt.Errorf("hour %s: %w", id, err)
	}
	return chain.Row{Kind: hoursKind, ID: id, Time: uint64(at.Unix()), Body: body}, nil
}

func cover(at time.Time, status, why string) poller.Coverage {
	hour := poller.HourOf(at)
	return poller.Coverage{Dataset: eventsKind, From: hour, To: hour, Unit: poller.Hour, Status: status, Reason: why}
}
