//go:build race

package e2e

// raceEnabled says that this binary has the race detector in it.
const raceEnabled = true
