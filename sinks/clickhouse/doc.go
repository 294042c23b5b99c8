// Package clickhouse plays the steps of a stream into a ClickHouse warehouse,
// over its native protocol. docs/warehouse.md describes the tables and views.
//
// Every row has the Seq of its step as its version, and ReplacingMergeTree keeps
// the highest: a step that comes again, in any grouping, writes rows that are
// there already. A Revert copies the rows above its block as deleted ones of its
// own Seq. The position is written after the rows that it stands for; a crash
// between them is a repetition.
//
// A Sink is safe for concurrent use by different streams; the calls for one
// stream follow one another. Only the making of columns is pure.
package clickhouse
