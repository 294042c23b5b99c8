// Package node runs a chain's node as a child process: it finds free ports of the
// loopback, waits until JSON-RPC is answered, and ends the process with its parent.
//
// A Child is safe for concurrent use.
package node
