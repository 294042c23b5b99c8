// Package pool makes one indexer.Source of the several endpoints of a network.
//
// Each endpoint has its own health, head and limits, learned from what it answers:
// no number needs to be known of a provider. One endpoint leads: the heads are its
// heads, and what lies above finalized is read from it, so that the engine sees one
// view of the chain; another one takes over when it fails, lags or is refuted.
// Below finalized, where every endpoint must say the same, all of them work side
// by side.
//
// An endpoint is asked which chain it serves before it is first believed, and again
// after any trouble. One that is out is not asked before its time has come.
//
// A Pool and a Gate are safe for concurrent use. Run starts a goroutine for each
// endpoint and waits for them; nothing else starts one that outlives its call.
package pool
