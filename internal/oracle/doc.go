// Package oracle says whether a store equals the chain. It reads the chain by raw
// eth_getLogs and by receipts, through go-ethereum's own types, and the stores by
// what the contract shows of them; it imports neither the decoder nor the sinks,
// so that no fault of theirs can hide itself.
//
// Two Sets are compared log by log, by key and content, never by counts. Beside it
// Watch reads the warehouse without rest and fails as soon as it shows two forks.
//
// A Set is plain and read by any number of goroutines once it is made; Compare is
// pure.
package oracle
