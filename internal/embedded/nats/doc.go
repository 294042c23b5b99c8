// Package nats runs a NATS server with JetStream inside this process: what
// `sinks.nats.url: embedded` means. It listens on loopback, so that other
// processes can read the streams; a read-only and a full user, with random
// passwords, are named in a file under the data folder.
//
// What the server acknowledged outlives its process and a loss of power after Sync; in a
// stream whose persist mode is the default, its process at once. After such a loss before
// Sync a stream may have a hole: its messages lie in one file after another, which reach
// the disk in any order. A Server is safe for concurrent use; Close waits for everything
// that Start started.
package nats
