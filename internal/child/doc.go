// Package child runs processes that do not outlive this one, however it ends; among
// them `superindex run`, whose words, pages and use of the machine tests and
// benchmarks read. A Process, a Daemon and a Transcript are safe for concurrent use.
package child
