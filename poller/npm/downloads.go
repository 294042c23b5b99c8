package npm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"superindex/chain"
	"superindex/poller"
)

// downloadsKind is the kind of the rows of a day's downloads.
const downloadsKind = "downloads"

// counted is one package's part of an answer.
type counted struct {
	Package   string `json:"package"`
	Downloads []struct {
		Day string  `json:"day"`
		N   *uint64 `json:"downloads"`
	} `json:"downloads"`
}

// unknownFor is when to ask again for a package that the source does not know.
const unknownFor = 7 * 24 * time.Hour

func (f *Feed) fetchDownloads(ctx context.Context, ask poller.Ask, sl slice) (result poller.Result, err error) {
	days := dayText(sl.From) + ":" + dayText(sl.To)
	answer, err := poller.Do(ctx, f.opts.Client, poller.Request{
		What: fmt.Sprintf("downloads of %d packages, %s", len(sl.names), days),
		URL:  f.opts.URL + "/downloads/range/" + days + "/" + strings.Join(sl.names, ","),
	})
	if err != nil {
		return result, err
	}
	found := map[string]map[uint64]uint64{}
	if !answer.Gone() {
		if found, err = readCounts(answer.Body, sl); err != nil {
			return result, err
		}
		result.Payloads = []poller.Payload{{What: ofDownloads + days + "/" + sl.names[0], Body: answer.Body}}
	}
	now, silent := time.Now(), silentDays(found, sl)
	for i, r := range ask.Of {
		counts, known := found[sl.names[i]]
		s := stateOf(r)
		if !known {
			result.Coverage = append(result.Coverage, cover(sl.names[i], sl.From, sl.To, poller.Missing, "the source does not know the package"))
			result.After = append(result.After, r.With(s, now.Add(unknownFor)))
			continue
		}
		w := reading{name: sl.names[i], counts: counts, silent: silent, today: poller.DayOf(now), result: &result}
		if sl.recent {
			w.recent(&s, sl)
		} else {
			w.history(sl)
		}
		s.moved(sl, now)
		result.After = append(result.After, r.With(s, f.due(&s, now)))
	}
	return result, nil
}

// readCounts reads an answer into figures by package and day. The answer for one
// package is its part; that for several has the parts by name, null for what is
// unknown.
func readCounts(body []byte, sl slice) (map[string]map[uint64]uint64, error) {
	parts := map[string]*counted{}
	if len(sl.names) == 1 {
		one := &counted{}
		if err := json.Unmarshal(body, one); err != nil {
			return nil, fmt.Errorf("read downloads: %w", err)
		}
		parts[sl.names[0]] = one
	} else if err := json.Unmarshal(body, &parts); err != nil {
		return nil, fmt.Errorf("read downloads in bulk: %w", err)
	}
	found := map[string]map[uint64]uint64{}
	for name, part := range parts {
		if part == nil {
			continue
		}
		if part.Package != name {
			return nil, fmt.Errorf("read downloads: asked for %q, answered for %q", name, part.Package)
		}
		counts, err := part.byDay(sl)
		if err != nil {
			return nil, err
		}
		found[name] = counts
	}
	return found, nil
}

var errDays = errors.New("read downloads: the answer's days cannot be read")

func (c *counted) byDay(sl slice) (map[uint64]uint64, error) {
	counts := map[uint64]uint64{}
	for _, d := range c.Downloads {
		at, err := time.Parse(time.DateOnly, d.Day)
		if err != nil {
			return nil, errDays
		}
		if day := poller.DayOf(at); d.N != nil && day >= sl.From && day <= sl.To {
			counts[day] = *d.N
		}
	}
	return counts, nil
}

// silentFrom is from how many packages that all fall to zero on one day the day is
// taken for one that the source never delivered, however old it is.
const silentFrom = 10

// silentDays are the days on which no package of the answer has a download although
// many had on the day before.
func silentDays(found map[string]map[uint64]uint64, sl slice) map[uint64]bool {
	silent := map[uint64]bool{}
	for day := sl.From + 1; day <= sl.To; day++ {
		fell, some := 0, false
		for _, counts := range found {
			switch n, ok := counts[day]; {
			case n > 0:
				some = true
			case ok && (counts[day-1] > 0 || silent[day-1]):
				fell++
			}
		}
		silent[day] = !some && fell >= silentFrom
	}
	return silent
}

// reading makes rows and coverage of one package's figures.
type reading struct {
	name   string
	counts map[uint64]uint64
	silent map[uint64]bool
	today  uint64
	result *poller.Result
}

// recent reads days that may still change: what is new or has changed is brought,
// one day at a time.
func (w *reading) recent(s *state, sl slice) {
	for day := sl.From; day <= sl.To; day++ {
		n, why := w.judge(day, s.before(day))
		now := mark{Missing: why != "", N: n}
		if before, known := s.Recent[day]; !known || now != before {
			w.bring(day, now, why)
		}
		s.Recent[day] = now
	}
	s.forget(w.today - doubt - 1)
}

// before is the newest figure of a day before this one.
func (s *state) before(day uint64) (n uint64) {
	n, newest := s.Last, uint64(0)
	for d, m := range s.Recent {
		if d < day && d > newest && !m.Missing {
			n, newest = m.N, d
		}
	}
	return n
}

// forget drops the days before this one: they are settled.
func (s *state) forget(day uint64) {
	s.Last = s.before(day)
	for d := range s.Recent {
		if d < day {
			delete(s.Recent, d)
		}
	}
}

// judge says what a day's figure is, or why there is none.
func (w *reading) judge(day, last uint64) (n uint64, why string) {
	n, ok := w.counts[day]
	switch {
	case !ok:
		return 0, "the source has no figure"
	case w.silent[day]:
		return 0, "the source says 0 for every package"
	case n == 0 && last > 0 && day+doubt >= w.today:
		return 0, "0 after downloads: not believed before " + dayText(day+doubt+1)
	}
	return n, ""
}

func (w *reading) bring(day uint64, m mark, why string) {
	if !m.Missing {
		w.row(day, m.N)
	}
	w.cover(day, day, why)
}

// history reads days that no longer change. A slice in which nothing was ever
// downloaded has coverage and no rows: most packages are younger than the source.
func (w *reading) history(sl slice) {
	begin, none := sl.From, w.none()
	for day := sl.From; day <= sl.To; day++ {
		n, why := w.judge(day, 0)
		if why == "" && !none {
			w.row(day, n)
		}
		if _, next := w.judge(day+1, 0); day == sl.To || next != why {
			w.cover(begin, day, why)
			begin = day + 1
		}
	}
}

func (w *reading) none() bool {
	for _, n := range w.counts {
		if n > 0 {
			return false
		}
	}
	return true
}

func (w *reading) cover(from, to uint64, why string) {
	status := poller.Complete
	if why != "" {
		status = poller.Missing
	}
	w.result.Coverage = append(w.result.Coverage, cover(w.name, from, to, status, why))
}

func cover(name string, from, to uint64, status, why string) poller.Coverage {
	return poller.Coverage{Dataset: downloadsKind, Resource: name, From: from, To: to, Unit: poller.Day, Status: status, Reason: why}
}

func (w *reading) row(day, n uint64) {
	var body bytes.Buffer
	text, _ := json.Marshal(w.name) // a string always can
	fmt.Fprintf(&body, `{"package":%s,"day":"%s","downloads":%d}`, text, dayText(day), n)
	w.result.Rows = append(w.result.Rows, chain.Row{
		Kind: downloadsKind, ID: w.name + "/" + dayText(day), Time: day * 86400, Body: body.Bytes(),
	})
}

func dayText(day uint64) string { return poller.OfDay(day).Format(time.DateOnly) }
