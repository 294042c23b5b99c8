package sinktest

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSuitePassesTheRightSink(t *testing.T) {
	Run(t, func(*testing.T) Server { return newMemory("") })
}

// The suite can fail: each wrong sink fails in at least the cases named.
func TestSuiteFailsWrongSinks(t *testing.T) {
	for fault, want := range map[string][]string{
		"ignores reverts":        {"Order", "FlipBack", "RandomHistory", "TwoStreams"},
		"id from the block hash": {"FlipBack", "RandomHistory", "Repetition"},
		"fills only add":         {"FillBesideApplies", "RandomHistory"},
		"acknowledges early":     {"RestartAmidWrite"},
		"writes repetitions":     {"Repetition", "RandomHistory"},
		"has no fence":           {"TwoClients", "TwoOwners"},

		"keeps finality through a rewind": {"RewindBelowFinal"},
	} {
		t.Run(fault, func(t *testing.T) {
			for _, c := range cases() {
				err := runOnce(t, c, fault)
				t.Logf("%s: %v", c.name, err)
				if err == nil && slices.Contains(want, c.name) {
					t.Errorf("%s passed", c.name)
				}
			}
		})
	}
}

func runOnce(t *testing.T, c oneCase, fault string) error {
	w := &work{
		Server: newMemory(fault), another: func() Server { return newMemory(fault) },
		rand: rand.New(rand.NewPCG(1, 2)),
	}
	return c.run(t.Context(), w)
}

func TestScriptReadsLikeItsChain(t *testing.T) {
	s := NewScript("reads").Go("abcd").Go("abxy").Final(2).Late(1, 2).Repair(2, 2)
	var kinds string
	for _, step := range s.Steps() {
		switch {
		case step.Apply != nil:
			kinds += "A"
		case step.Revert != nil:
			kinds += "R"
		case step.Fill != nil:
			kinds += "F"
		}
	}
	if kinds != "RARAAFF" {
		t.Errorf("steps are %s", kinds)
	}
	if a, b := s.Block("abxy").Hash, NewScript("reads").Block("abxy").Hash; a != b {
		t.Errorf("the same chain has hashes %s and %s", a, b)
	}
	// a: 1+97%3 = 2 events, b: 3; of b the repair leaves 2 and drops the late ones
	if rows := Want(s.Steps()[:5]); len(rows) != 2+3+1+2 {
		t.Errorf("%d rows before the fills", len(rows))
	}
	if rows := Want(s.Steps()); len(rows) != 2+2+2+1+2 {
		t.Errorf("%d rows after them", len(rows))
	}
}
