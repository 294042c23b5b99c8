// Package decoder turns logs into events: it finds the layout of a log and
// writes the arguments as JSON.
//
// A Layout is one event declaration, compiled once from a human-readable
// signature or from ABI JSON. A Table holds layouts by topic0 and number of
// topics, and may hold the ABI of single addresses. Table.Decode tries every
// layout that could be meant:
//
//   - A layout fits a log when every value lies inside the data and inside its
//     type, and no word of the data is left over at the end. It fits exactly when
//     encoding the decoded values again gives the very topics and data of the log:
//     offsets in order, nothing between, after or twice, all padding zero. That is
//     what Solidity and Vyper emit.
//   - Layouts that fit exactly go before those that only fit. One is Decoded;
//     several are Ambiguous, and the first is shown.
//   - First is: the ABI of the log's own address; then the built-in table, in the
//     order of its files and lines; then what the user added, in the order of
//     file names. Layouts of one address settle the matter among themselves; only
//     when none of them fits are the others asked. Anonymous layouts come last and
//     must fit exactly, for no topic0 vouches for them.
//
// The daemon has the built-in table alone: no key of its config names ABIs yet.
//
// Arguments are one JSON object in the order of declaration, without white
// space, its strings escaped as RFC 8785 does:
//
//	uint8 to uint48, int8 to int48   number (exact in every JSON reader)
//	wider integers                   decimal text
//	fixed, ufixed                    decimal text, all its decimals
//	bool                             true, false
//	address, bytes, bytesN, function lower-case 0x text
//	string                           text; {"hex":"0x..."} where it is not UTF-8
//	T[], T[n]                        array
//	tuple                            object
//	indexed string, bytes, array, tuple: the 32 bytes of the topic, their hash
//
// An argument without a name has its position, "0" for the first.
//
// The package is pure: no I/O but through the fs.FS it is given, no state, no
// clock. A Table and a Layout never change and are safe for concurrent use.
package decoder
