package npm

import (
	"maps"
	"slices"
	"strings"
	"time"

	"superindex/poller"
)

// The source gives at most so much at once: 128 packages without a scope for 365
// days, or one package for 18 months. Earlier days of a longer range it drops
// without a word.
const (
	bulkPackages = 128
	bulkDays     = 365
	oneMonths    = 18
	bulkRows     = 20_000 // of one answer, so that it is one step
)

// doubt is how many days a zero after downloads is not believed.
const doubt = 7

// state is what is known of a package's downloads. Days are counted since 1970.
type state struct {
	Since   uint64          `json:"since"`   // the first day that was asked for; 0 before the first answer
	Through uint64          `json:"through"` // the last
	Asked   time.Time       `json:"asked"`   // when the recent days were asked for last
	Recent  map[uint64]mark `json:"recent"`  // the days that may still change, and the one before
	Last    uint64          `json:"last"`    // the newest figure before those, by which a zero is judged
	Again   *span           `json:"again,omitempty"`
}

// span is a range of days, both included.
type span struct {
	From uint64 `json:"from"`
	To   uint64 `json:"to"`
}

// mark is how a day came out.
type mark struct {
	Missing bool   `json:"missing,omitempty"`
	N       uint64 `json:"n"`
}

// slice is a range to ask for at once. A recent one ends yesterday, or as near to it
// as one answer reaches.
type slice struct {
	span
	recent bool
	names  []string
}

// next is what to ask for of a package; false for nothing.
func (f *Feed) next(s *state, now time.Time, bulk int) (slice, bool) {
	yesterday := poller.DayOf(now) - 1
	first := yesterday - doubt
	switch {
	case s.Since == 0:
		return slice{span: span{max(first, f.since), yesterday}, recent: true}, yesterday >= f.since
	case s.Through < yesterday || s.open() && !now.Before(s.Asked.Add(f.opts.Every)):
		from := min(first, s.Through+1)
		for day, m := range s.Recent {
			if m.Missing {
				from = min(from, day)
			}
		}
		return slice{span: span{from, min(yesterday, later(from, bulk))}, recent: true}, true
	case s.Since > f.since:
		return slice{span: span{max(f.since, earlier(s.Since-1, bulk)), s.Since - 1}}, true
	case s.Again != nil:
		return slice{span: span{max(s.Again.From, earlier(s.Again.To, bulk)), s.Again.To}}, true
	}
	return slice{}, false
}

// open reports whether a recent day is not settled.
func (s *state) open() bool {
	for _, m := range s.Recent {
		if m.Missing {
			return true
		}
	}
	return false
}

// later is the last day of the longest slice that begins at from.
func later(from uint64, bulk int) uint64 {
	if bulk > 0 {
		return from + uint64(bulk) - 1
	}
	return poller.DayOf(poller.OfDay(from).AddDate(0, oneMonths, -1))
}

// earlier is the first day of the longest slice that ends with to.
func earlier(to uint64, bulk int) uint64 {
	if bulk > 0 {
		return to - uint64(bulk) + 1
	}
	return poller.DayOf(poller.OfDay(to).AddDate(0, -oneMonths, 1))
}

// due is when to ask again after an answer: at once while there is history to ask
// for, after the feed's pause while a day is open, else when yesterday's count can
// be expected, an hour after midnight, UTC.
func (f *Feed) due(s *state, now time.Time) time.Time {
	switch {
	case s.Through < poller.DayOf(now)-1 || s.Since > f.since || s.Again != nil:
		return now
	case s.open():
		return s.Asked.Add(f.opts.Every)
	}
	return poller.OfDay(poller.DayOf(now) + 1).Add(time.Hour)
}

// planDownloads asks for packages of the same days together where it can.
func (f *Feed) planDownloads(now time.Time, due []poller.Resource) (asks []poller.Ask) {
	type days struct {
		span
		recent bool
	}
	groups := map[days][]poller.Resource{}
	for _, r := range due {
		name := strings.TrimPrefix(r.ID, ofDownloads)
		s, bulk := stateOf(r), 0
		if !strings.HasPrefix(name, "@") {
			bulk = min(bulkDays, bulkRows/bulkPackages)
		}
		sl, ok := f.next(&s, now, bulk)
		switch {
		case !ok:
		case bulk == 0:
			asks = append(asks, f.ask(now, "downloads of one package", sl, []poller.Resource{r}))
		default:
			key := days{sl.span, sl.recent}
			groups[key] = append(groups[key], r)
		}
	}
	for _, key := range slices.SortedFunc(maps.Keys(groups), func(a, b days) int { return int(int64(b.To) - int64(a.To)) }) {
		for part := range slices.Chunk(groups[key], bulkPackages) {
			asks = append(asks, f.ask(now, "downloads in bulk", slice{span: key.span, recent: key.recent}, part))
		}
	}
	return asks
}

func (f *Feed) ask(now time.Time, kind string, sl slice, of []poller.Resource) poller.Ask {
	a := poller.Ask{Kind: kind, Of: of, Cost: 1}
	for _, r := range of {
		sl.names = append(sl.names, strings.TrimPrefix(r.ID, ofDownloads))
		s := stateOf(r)
		s.moved(sl, now)
		a.Expect = append(a.Expect, r.With(s, f.due(&s, now)))
	}
	a.Detail = sl
	return a
}

// stateOf reads a resource's state; one that cannot be read is the first.
func stateOf(r poller.Resource) state {
	s := state{}
	if r.Into(&s) != nil {
		s = state{}
	}
	if s.Recent == nil {
		s.Recent = map[uint64]mark{}
	}
	return s
}

// moved takes over that a slice was answered.
func (s *state) moved(sl slice, now time.Time) {
	switch {
	case s.Since == 0:
		s.Since, s.Through, s.Asked = sl.From, sl.To, now
	case sl.recent:
		s.Through, s.Asked = max(s.Through, sl.To), now
	case sl.To < s.Since:
		s.Since = sl.From
	case s.Again != nil && sl.From > s.Again.From:
		s.Again = &span{s.Again.From, sl.From - 1}
	default:
		s.Again = nil
	}
}

// Rewind implements poller.Rewinder: what was asked for from the feed's first day on
// is asked for again.
func (f *Feed) Rewind(r poller.Resource) poller.Resource {
	s := stateOf(r)
	if !strings.HasPrefix(r.ID, ofDownloads) || s.Since == 0 {
		return r
	}
	again := span{max(s.Since, f.since), s.Through - doubt - 1}
	if !f.opts.To.IsZero() {
		again.To = min(again.To, poller.DayOf(f.opts.To)-1)
	}
	if again.To < again.From {
		return r
	}
	s.Again = &again
	return r.With(s, time.Time{})
}
