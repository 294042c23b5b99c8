package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"superindex/internal/devchain"
)

// TestTheRegistryIsRefreshed: a project that is listed while the daemon runs is
// watched without a restart, with its history; one that is no longer read is kept.
func TestTheRegistryIsRefreshed(t *testing.T) {
	o := newOperated(t)
	o.config.Registry.Refresh = duration(100 * time.Millisecond)
	o.mine(t, 10)
	o.run(t, func(s *stage) {
		before, head := s.selected(), s.now(demoNetwork).Indexed.Number
		all := o.dev.Contracts()
		late := all[slices.IndexFunc(all, func(c devchain.Contract) bool { return !c.Listed })]
		folder := filepath.Join(t.TempDir(), "l") // it moves in as a whole: a refresh may read at any time
		project := fmt.Sprintf("version: 7\nname: late\ndisplay_name: Late\nblockchain:\n  - address: %q\n    networks: [any_evm]\n    tags: [contract]\n", late.Address)
		if err := os.MkdirAll(folder, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(folder, "late.yaml"), []byte(project), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(folder, filepath.Join(o.config.Registry.OSSDirectory, "data", "projects", "l")); err != nil {
			t.Fatal(err)
		}
		o.until(t, "another snapshot", func() bool { return s.selected().snapshot.ID() != before.snapshot.ID() })
		if owners := s.owners(demoNetwork, late.Address); !slices.Equal(owners, []string{"late"}) {
			t.Errorf("the late address belongs to %v", owners)
		}
		if s.selected().pools[demoNetwork] != before.pools[demoNetwork] {
			t.Error("the endpoints were forgotten")
		}
		o.mine(t, 12) // its history comes once it is finalized
		if err := s.verdict(t.Context()); err != nil {
			t.Error(err)
		}
		says(t, []string{"--config", o.file, "query", fmt.Sprintf("SELECT countIf(block_number <= %d) > 0 AS history, countIf(block_number > %d) > 0 AS news FROM events WHERE address = '%s'", head, head, late.Address)}, "1        1")
		if err := os.Rename(o.config.Registry.OSSDirectory, filepath.Join(t.TempDir(), "gone")); err != nil {
			t.Fatal(err)
		}
		o.mine(t, 2)
		if err := s.verdict(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// until waits for a condition.
func (o *operated) until(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Minute); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("waited for " + what)
		}
	}
}
