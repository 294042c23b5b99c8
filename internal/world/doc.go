// Package world is a model of everything around superindex: a chain that
// reorganises, endpoints that lag, a disk that is cut off, and sinks that fail
// before, amid and after taking effect. Its test runs the product's own writer,
// tracker, journal and relays through random histories of it and compares what
// users would read with the chain.
//
// Nothing here is safe for concurrent use but where a lock is shown; time is that
// of a testing/synctest bubble.
package world
