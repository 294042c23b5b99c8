// Package harness measures superindex on the machine that it runs on: scenario by
// scenario, against the load node, each beside the limit that the same machine
// sets in the same run.
//
// Run is everything. Scenarios follow one another and nothing is safe for
// concurrent use. The daemon under measurement is a child process, and its
// ClickHouse a child of that, so that each one's time and memory can be told from
// the node's, which is the harness itself and shares the cores with them.
package harness
