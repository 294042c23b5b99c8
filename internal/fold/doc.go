// Package fold is the consumer that docs/consuming.md shows: it turns a network's
// messages into the rows of its chain. It knows the contract only, and nothing of
// the sink that publishes.
//
// A Fold is not safe for concurrent use.
package fold
