// Package house holds the rules that this repository keeps about itself, as
// tests: who may import whom, that every package says what it is, how long
// functions are, that the documents' links lead somewhere, and what no file may
// name.
//
// It has no code but its tests and nothing imports it. Each rule is a pure
// function of what was read from the working tree, so that it is tested on made-up
// input too; nothing is written, and the tests may run concurrently.
package house
