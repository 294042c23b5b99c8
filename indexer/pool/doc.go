// Package pool makes one indexer.Source of the several endpoints of a network.
//
// Each endpoint has its own head, and limits learned from what it answers: how many
// blocks a request may name and how many logs an answer may have (span), how many
// calls a second are let through (rate, behind its Gate). One endpoint leads: the
// heads are its heads, and what lies above finalized is read from it, so that the
// engine sees one view of the chain; another one takes over when it fails, lags or is
// refuted. Below finalized, where every endpoint must say the same, all of them work
// side by side.
//
// An endpoint is asked which chain it serves before it is first believed, and again
// when it has failed twice in a row. One that does not answer is out, with its reason:
// Run looks after longer and longer pauses whether it answers again, and only where no
// endpoint is in service are those asked whose pause is over. One that shows its heads
// but has let several reads in a row hang is out, too, until a read is answered.
//
// A Pool and a Gate are safe for concurrent use. Run starts a goroutine for each
// endpoint and waits for them; nothing else starts one that outlives its call. The
// arithmetic of limits and rates is pure.
package pool
