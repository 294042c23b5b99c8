// Package poller brings what no chain carries: the observations of slow feeds,
// each in a folder of its own. A Feed plans and asks; a Poller keeps what is
// followed and when it is due, spends the feed's budget, and commits what an answer
// says together with the cursor that it moves.
//
// The order of a poll, and why a process may end between any two of its moves:
//
//	plan     which of the due resources one request covers    pure
//	ask      through a Gate: budget, retries, bounded bodies  nothing is kept yet
//	payload  the answer as it came, under its own hash        put again, it is the same
//	commit   rows, coverage and the resources' new states     one step of the journal,
//	                                                          or the last of several
//
// A cursor has moved if and only if the step with what it passed exists, so that
// nothing is lost and nothing comes twice. What came to nothing moves no cursor: it
// is kept beside the steps when to ask again, and why.
//
// Planning, estimating and the rules of when to ask again are pure. A Poller, a
// Gate and Payloads are safe for concurrent use; a Feed must be.
package poller
