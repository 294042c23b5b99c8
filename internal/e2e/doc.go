// Package e2e runs the product as its users do, on real parts, and compares what
// they would read with the chain: go-ethereum in the process through forks and a
// head that goes down, and the very binary, built by the test, through kill -9 of
// itself, of its engine and of its NATS server. Its tests also hold the command
// line to the contract: one clear line for what cannot be, and an end within 5 s.
//
// It holds tests only; they start no goroutine that they do not wait for.
package e2e
