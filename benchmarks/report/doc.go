// Package report holds what a benchmark found out, and shows it: as Markdown, as
// an HTML page that needs nothing but itself, and as lines for benchstat.
//
// All of it is pure, values in and text out, but for Write, which writes files.
package report
