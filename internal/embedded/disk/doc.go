// Package disk puts what the embedded servers have written on the disk, for all
// who wait at once. An INSERT makes a dozen files; to sync each of them, for every
// network, is more than a disk can do at the heads of thirty.
//
// A Disk is safe for concurrent use.
package disk
