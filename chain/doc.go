// Package chain holds the nouns that every other package speaks: blocks, logs,
// events, and the steps in which a stream of them changes.
//
// It imports the standard library only, does no I/O and keeps no state. Its
// values are plain: they may be read by any number of goroutines once they have
// been handed on, and whoever receives a pointer or a slice does not change it.
package chain
