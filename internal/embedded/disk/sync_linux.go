package disk

import (
	"os"

	"golang.org/x/sys/unix"
)

// Syncs says that Sync keeps its promise on this system.
const Syncs = true

func syncFileSystem(f *os.File) error { return unix.Syncfs(int(f.Fd())) }
