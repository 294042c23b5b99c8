package poller

import (
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// When what failed is tried again: doubling from first to most, with jitter, so
// that what failed together does not come back together.
const (
	failFirst = time.Minute
	failMost  = 6 * time.Hour
	restFirst = time.Minute
	restMost  = time.Hour
)

// backoff is how long to wait after the n-th failure in a row, n from 1: between
// half of and the whole of what doubling gives.
func backoff(n int, first, most time.Duration) time.Duration {
	full := most
	if shift := max(0, n-1); shift < 30 && first<<shift < most {
		full = first << shift
	}
	return full/2 + rand.N(full/2+1)
}

// followed reports whether the feed names a resource, or what it was found through,
// and there is something to ask.
func followed(all map[string]*Resource, named map[string]bool, r *Resource) bool {
	if r.Done {
		return false
	}
	for range 8 { // an organisation, a repository: never a long way, and perhaps a circle
		if r.Parent == "" {
			return named[r.ID]
		}
		parent := all[r.Parent]
		if parent == nil {
			return named[r.Parent]
		}
		r = parent
	}
	return false
}

// dueAt lists what is due of those that are followed, the longest due first, and
// when the next of the others is.
func dueAt(now time.Time, all map[string]*Resource, named map[string]bool, most int) (due []Resource, next time.Time) {
	for _, r := range all {
		switch {
		case !followed(all, named, r):
		case !r.Due.After(now):
			due = append(due, *r)
		case next.IsZero() || r.Due.Before(next):
			next = r.Due
		}
	}
	order(due)
	return due[:min(most, len(due))], next
}

// order puts the longest due first.
func order(due []Resource) {
	slices.SortFunc(due, func(a, b Resource) int {
		if c := a.Due.Compare(b.Due); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
}

// settle gives the resources of an answer their due times. Those of the ask that
// the answer leaves out stay as they are, and are due after every. adopt says what a
// found resource becomes, and false where nothing changes by it.
func settle(now time.Time, every time.Duration, ask, after []Resource, adopt func(Resource) (Resource, bool)) []Resource {
	asked := map[string]bool{}
	for i := range ask {
		asked[ask[i].ID] = true
	}
	var out []Resource
	for _, r := range after {
		if !asked[r.ID] {
			if r, ok := adopt(r); ok {
				out = append(out, r)
			}
			continue
		}
		delete(asked, r.ID)
		out = append(out, moved(r, now, every))
	}
	for _, r := range ask {
		if asked[r.ID] {
			r.Due = time.Time{}
			out = append(out, moved(r, now, every))
		}
	}
	return out
}

// moved is a resource whose ask came to something.
func moved(r Resource, now time.Time, every time.Duration) Resource {
	if r.Due.IsZero() {
		r.Due = now.Add(every)
	}
	r.Tries, r.Fault = 0, ""
	return r
}

// adopt says what becomes of a resource that was found. One that is followed
// already stays; one that was, through something that is no longer followed, goes on
// with its state.
func adopt(all map[string]*Resource, named map[string]bool, r Resource) (Resource, bool) {
	known := all[r.ID]
	switch {
	case known == nil:
		return r, true
	case known.Done || followed(all, named, known):
		return r, false
	}
	again := *known
	again.Parent = r.Parent
	return again, true
}
