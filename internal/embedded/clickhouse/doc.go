// Package clickhouse runs a real ClickHouse as a child of this process: the same
// engine, wire protocol and driver as a server, with one shared library to
// install (assets.LibChDB) and nothing to set up.
//
// The child is this same binary, executed again: Child is therefore the first
// call of main, and of TestMain in a test that starts an engine. The engine
// listens on loopback, only for native TCP, with random passwords. It ends when
// its parent ends, however that comes about. What it acknowledged survives a kill of
// either; a loss of power too, once Sync has returned.
//
// A Server may be used by any number of goroutines. Start and Close do I/O;
// nothing here is pure but the making of the configuration.
package clickhouse
