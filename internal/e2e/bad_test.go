package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
)

// badBlocks are few: what is tested is what comes between them.
const badBlocks = 300

// badDays are the tests of what can be wrong around a daemon. Each fault is one line
// that names the thing and what mends it; what it does not concern goes on; and once
// it is mended chain, warehouse and stream are equal.
// TestCommand has the configs and command lines that cannot be.
type badDays struct{ bin string }

func TestBadDays(t *testing.T) {
	libchdb(t)
	b := badDays{build(t)}
	t.Run("Endpoints", b.endpoints)
	t.Run("OneDeadEndpointOfThree", b.oneDeadEndpointOfThree)
	t.Run("StreamsAndTables", b.streamsAndTables)
	t.Run("UsersWithoutRights", b.usersWithoutRights)
	t.Run("FullDisks", b.fullDisks)
	t.Run("DataFolders", b.dataFolders)
	t.Run("Addresses", b.addresses)
}

// dataFolders: one of a newer superindex, and one that nobody may write to, are
// refused at the start. TestCommand has the one that another daemon holds.
func (b badDays) dataFolders(t *testing.T) {
	t.Parallel()
	f := newFleet(t, newLedger(t, 1), ledgerName)
	set := f.setup(t, "embedded")
	journal := filepath.Join(set.dir, "journal")
	db, err := pebble.Open(journal, &pebble.Options{FormatMajorVersion: pebble.FormatNewest})
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Set([]byte("m"), append([]byte{99}, make([]byte, 16)...), pebble.Sync); err != nil { // reorg/FORMAT.md
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	b.refused(t, set.config(t), journal, "newer superindex", "data_dir")

	set.dir = filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(set.dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	b.refused(t, set.config(t), "data_dir", set.dir)
}

// refused says that the daemon does not start, and says why in one line.
func (b badDays) refused(t *testing.T, config string, says ...string) {
	t.Helper()
	code, said := (&commands{bin: b.bin}).command(t, "run", "--config", config)
	line := faultLine(said)
	t.Log(line)
	for _, word := range says {
		if code != 1 || !strings.Contains(line, word) {
			t.Errorf("exit code %d, want 1 and one line that says %q:\n%s", code, word, said)
		}
	}
}

// addresses: of a directory with an address that is none the others are indexed,
// and `registry show` names its file and line.
func (b badDays) addresses(t *testing.T) {
	t.Parallel()
	l := newLedger(t, badBlocks)
	f := newFleet(t, l, ledgerName)
	set := f.setup(t, "embedded")
	f.show(t, badBlocks)
	bad := filepath.Join(set.listed, "data", "projects", "p", "bad.yaml")
	text := "version: 7\nname: bad\ndisplay_name: bad\nblockchain:\n  - address: \"0x12\"\n    networks: [any_evm]\n    tags: [contract]\n"
	if err := os.WriteFile(bad, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	path := set.config(t)
	code, said := (&commands{bin: b.bin}).command(t, "registry", "show", "--config", path)
	if want := `data/projects/p/bad.yaml:5: blockchain[0].address "0x12": 2 hex digits instead of 40`; code != 0 || !strings.Contains(said, want) {
		t.Errorf("exit code %d, and %q is not in\n%s", code, want, said)
	}
	d := newDaemon(t, b.bin, path)
	d.start()
	d.comes("all of it", whole)
	l.agrees(t, readerDSN(t, set.dir), natsURL(t, set.dir, "FULL_"), f.all[0])
}
