package e2e

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"superindex/internal/child"
)

// Disks that are full, under the sinks and then under the journal: each part that
// lacks space says so; with space all goes on, and nothing is missing.
func (b badDays) fullDisks(t *testing.T) {
	t.Parallel()
	f := newFleet(t, newLedger(t, badBlocks), ledgerName)
	set := f.setup(t, "embedded")
	disks := map[string]string{}
	for part, size := range map[string]string{"clickhouse": "128m", "nats": "32m", "journal": "192m"} {
		disks[part] = smallDisk(t, filepath.Join(set.dir, part), size)
	}
	d := newDaemon(t, b.bin, set.config(t))
	f.show(t, badBlocks/3)
	d.start()
	d.comes("a third of it", func(s child.State) bool { return s.Indexed.Number == badBlocks/3 && s.Held(2) })

	free := fill(t, disks["clickhouse"], disks["nats"])
	f.show(t, 2*badBlocks/3)
	red := func(part string, says ...string) {
		t.Run(part, func(t *testing.T) { d.showsRed(t, badNode{entry: f.all[0], part: part, says: says}) })
	}
	red("clickhouse", "raw_", "the disk of the ClickHouse server is full")
	red("nats", "SUPERINDEX_LEDGER", "no space left on its disk")

	freeToo := fill(t, disks["journal"])
	f.show(t, badBlocks)
	red("writer", "the journal's disk is full", disks["journal"], "free some space")

	free()
	freeToo()
	d.comes("all of it", whole)
	f.agrees(t, readerDSN(t, set.dir), natsURL(t, set.dir, "FULL_"), f.all[0])

	free = fill(t, disks["journal"])
	ends(t, d)
	b.refused(t, set.config(t), "the journal's disk is full", disks["journal"], "free some space")
	free()
	d.start()
	d.comes("all of it, still", whole)
}

// smallDisk mounts a disk in memory.
func smallDisk(t *testing.T, dir, size string) string {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size="+size+",mode=0700"); err != nil {
		t.Skipf("a disk of %s cannot be made here, mount: %v", size, err)
	}
	t.Cleanup(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fill takes all the space that is left on some disks; free gives it back.
func fill(t *testing.T, disks ...string) (free func()) {
	t.Helper()
	var all []string
	for _, dir := range disks {
		ballast, err := os.Create(filepath.Join(dir, "ballast"))
		if err != nil {
			t.Fatal(err)
		}
		defer ballast.Close()
		all = append(all, ballast.Name())
		for piece := 1 << 20; piece > 0 && err == nil; {
			if _, err = ballast.Write(make([]byte, piece)); errors.Is(err, syscall.ENOSPC) {
				piece, err = piece/2, nil
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for _, name := range all {
			if err := os.Remove(name); err != nil {
				t.Error(err)
			}
		}
	}
}
