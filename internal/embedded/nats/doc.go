// Package nats runs a NATS server with JetStream inside this process: what
// `sinks.nats.url: embedded` means. It listens on loopback, so that other
// processes can read the streams; a read-only and a full user, with random
// passwords, are named in a file under the data folder.
//
// What the server acknowledged survives a power cut: every write is synced, and
// an atomic batch is synced once. A Server is safe for concurrent use; Close
// waits for everything that Start started.
package nats
