package poller

import (
	"errors"
	"fmt"
	"time"
)

// LimitedError says that the source wants to be left alone: the whole feed rests.
type LimitedError struct {
	After  time.Duration // as the source asks; 0 where it does not say: the feed rests longer each time
	Reason string        // "429", "an HTML page instead of JSON"
}

// Error implements error.
func (l *LimitedError) Error() string {
	if l.After > 0 {
		return fmt.Sprintf("the source asks to wait for %v: %s", l.After.Round(time.Second), l.Reason)
	}
	return "the source limits: " + l.Reason
}

// ErrTooLarge is an answer whose body exceeds what the gate lets in.
var ErrTooLarge = errors.New("the answer's body is larger than allowed")

// StatusError is an answer that says no.
type StatusError struct {
	Code int
	What string // what was asked for; never a URL
}

// Error implements error.
func (s *StatusError) Error() string { return fmt.Sprintf("%s: the source answers %d", s.What, s.Code) }
