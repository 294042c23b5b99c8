package poller

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"time"

	"superindex/chain"
)

// Feed is one source of observations. A Poller calls it from several goroutines.
type Feed interface {
	// Name is the feed's in the config, the subjects, the views and the metrics.
	Name() string

	// Resources are the ids of what the feed follows by itself; others are found
	// (Result.After). One that is no longer named is no longer followed, nor is
	// what was found through it; its state stays, for its return.
	Resources() []string

	// Plan says which requests the due resources come to, each in one of them, or
	// in none, if there is nothing to ask. It is pure: a dry run prints what it says.
	Plan(now time.Time, due []Resource) []Ask

	// Fetch makes the requests of one ask and reads the answers. An error moves
	// nothing: *LimitedError rests the whole feed, a fatal one shows it red and is tried
	// again seldom, any other is retried for this ask's resources with backoff; what
	// coverage comes with it, of what was asked for and did not come, is committed.
	Fetch(ctx context.Context, ask Ask) (Result, error)
}

// Resource is something that a feed asks for on a schedule of its own: a package, a
// repository, an account. Its id is the feed's own, and begins with no word of another
// resource's kind unless the feed says so.
type Resource struct {
	ID     string          `json:"-"`
	Parent string          `json:"parent,omitempty"` // through which it was found; empty for what Resources names
	State  json.RawMessage `json:"state,omitempty"`  // the feed's: cursors, ETags by token; nil before the first answer
	Due    time.Time       `json:"due"`              // when to ask next; in Result.After zero means after Options.Every
	Fault  string          `json:"fault,omitempty"`  // of the last try, if that failed
	Tries  int             `json:"tries,omitempty"`  // that failed in a row
	Done   bool            `json:"done,omitempty"`   // there is nothing more to ask: it is no longer followed

	expected reflect.Value // in place of State; the zero one where there is State
}

// Into reads the state into v, which stays as it is before the first answer.
func (r *Resource) Into(v any) error {
	if r.expected.IsValid() {
		reflect.ValueOf(v).Elem().Set(r.expected)
		return nil
	}
	if len(r.State) == 0 {
		return nil
	}
	if err := json.Unmarshal(r.State, v); err != nil {
		return fmt.Errorf("the state of %s: %w", r.ID, err)
	}
	return nil
}

// With is the resource with v as its state and due as when to ask next. v is a
// struct of the feed that JSON can hold.
func (r Resource) With(v any, due time.Time) Resource {
	state, err := json.Marshal(v)
	if err != nil {
		panic(err) // the feed's own type cannot be written: no input does that
	}
	r.State, r.Due, r.expected = state, due, reflect.Value{}
	return r
}

// Expecting is With for Ask.Expect, of which an estimate makes a million: v is kept as it
// is, and whoever reads it has it for himself.
func (r Resource) Expecting(v any, due time.Time) Resource {
	r.State, r.Due, r.expected = nil, due, reflect.Indirect(reflect.ValueOf(v))
	return r
}

// Ask is one request, or a few that belong together, for some resources.
type Ask struct {
	Kind   string     // what is asked for, in the words of a dry run: "downloads in bulk"
	Of     []Resource // whose states the answer moves
	Cost   float64    // requests or points that it is expected to take
	Bytes  int64      // that it is expected to bring, where they are many
	Detail any        // the plan's own word to Fetch

	// Expect is what After will be if all is as the feed assumes. Only an estimate
	// reads it.
	Expect []Resource
}

// Result is what an ask brought. All of it is committed as one step.
type Result struct {
	Rows     []chain.Row
	Coverage []Coverage
	Payloads []Payload

	// After are the resources as they stand now: those of the ask that moved, and
	// those found. A found one that is known already keeps its state. Those of the ask
	// that are left out keep theirs too, and are due after Options.Every.
	After []Resource
}

// Rewinder is a feed that can bring again what it brought.
type Rewinder interface {
	// Rewind is the resource as it is when its history, as far back as the feed was
	// told to go, is to be asked for again.
	Rewind(r Resource) Resource
}
