package indexer

import (
	"sync/atomic"
	"time"
)

// Stage is a place where a network's time goes.
type Stage uint8

// The stages of a log's way.
const (
	WaitRPC   Stage = iota // from a request to the last byte of its answer
	Parse                  // the answer's JSON
	Decode                 // logs into events
	ToJournal              // drafts and appends, with what they wait for room
	ToSink                 // writes into sinks
	stages
)

// String is the label of the metric.
func (s Stage) String() string {
	return [...]string{"wait_rpc", "parse", "decode", "journal", "sink"}[s]
}

// Stages adds up how long one network spent where. What runs side by side counts
// side by side: four calls that wait for a second are four seconds. It is safe for
// concurrent use.
type Stages struct{ spent [stages]atomic.Int64 }

// Add counts d for a stage.
func (s *Stages) Add(stage Stage, d time.Duration) { s.spent[stage].Add(int64(d)) }

// Spent is what was counted for a stage so far.
func (s *Stages) Spent(stage Stage) time.Duration { return time.Duration(s.spent[stage].Load()) }

func (s *Stages) all() (spent [stages]time.Duration) {
	for i := range spent {
		spent[i] = s.Spent(Stage(i))
	}
	return spent
}
