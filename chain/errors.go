package chain

import "errors"

// FatalError is one that no retry mends: somebody has to act. Where a stream or a relay
// meets it while it runs, it is tried again every half minute, to see whether somebody has.
// Every other error is temporary and is retried with backoff.
type FatalError struct {
	Err    error
	Remedy string // what to do, as a command where there is one
}

// Error says what is wrong and what to do.
func (e *FatalError) Error() string { return e.Err.Error() + "; to mend it: " + e.Remedy }

// Unwrap returns the cause.
func (e *FatalError) Unwrap() error { return e.Err }

// Fatal marks err as one that only remedy mends. It returns nil for nil.
func Fatal(err error, remedy string) error {
	if err == nil {
		return nil
	}
	return &FatalError{err, remedy}
}

// Adopt is the remedy of a journal and a sink that do not fit each other.
func Adopt(network string) string {
	return "stop the daemon, then `superindex journal adopt --network " + network + "`"
}

// IsFatal reports whether err, or what it wraps, is fatal.
func IsFatal(err error) bool {
	var f *FatalError
	return errors.As(err, &f)
}
