//go:build !linux

package disk

import "os"

// syncFileSystem does nothing: the embedded ClickHouse runs on Linux only.
func syncFileSystem(*os.File) error { return nil }
