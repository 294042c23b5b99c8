// Package reorg decides which blocks a stream stands on, and keeps that decision
// and everything that follows from it durable.
//
// Tracker is pure: values in, values out, for one goroutine at a time. Journal
// is Pebble: it orders the steps of every stream and is safe for concurrent use.
// The tracker's window is a fold over the journal's steps, and each step is
// committed in one synced batch together with what it changes in that window, so
// the two cannot part. FORMAT.md describes the bytes.
package reorg
