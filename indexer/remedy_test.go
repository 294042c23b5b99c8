package indexer

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"superindex/chain"
	"superindex/reorg"
)

// mended checks that an error is one that only an operator mends, and how.
func mended(t *testing.T, err error, says ...string) {
	t.Helper()
	if !chain.IsFatal(err) {
		t.Fatalf("not fatal: %v", err)
	}
	for _, text := range says {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("does not say %q: %v", text, err)
		}
	}
}

// What a new journal cannot begin with names the key that mends it.
func TestWhatBeginRefusesHasARemedy(t *testing.T) {
	other := chain.BlockRef{Number: 5, Hash: chain.Hash{99}}
	node := &still{height: 10}
	for says, held := range map[string]chain.Position{
		"networks.op.rpc":   {Journal: chain.JournalID{1}, Seq: 7, High: 7, Final: other},
		"networks.op.start": {Journal: chain.JournalID{1}, Seq: 7, High: 7, Final: node.ref(5), Watch: chain.WatchID{1}},
	} {
		sink := &memory{held: map[string]chain.Position{"op": held}}
		net := testNetwork("op", 10, node)
		net.Start = Start{}
		e := testEngine(t, sink, net)
		err := Begin(t.Context(), net, e.Journal, e.Sinks)
		mended(t, err, says)
		if contested := held.Final == other; errors.Is(err, reorg.ErrContested) != contested {
			t.Errorf("contested: %v", err)
		}
	}
}

// A node that contradicts the finalized block is told how to be replaced, or to be
// followed.
func TestContestedHasARemedy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := testNetwork("op", 10, &still{height: 10})
		e := testEngine(t, &memory{held: map[string]chain.Position{}}, net)
		began := reorg.Beginning{Stream: net.Stream, Start: 6, To: chain.BlockRef{Number: 5, Hash: chain.Hash{99}}, Whole: true}
		if _, err := e.Journal.Begin(t.Context(), began); err != nil {
			t.Fatal(err)
		}
		w, err := NewWriter(net, e.Journal, e.Pace, e.Status)
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			if _, err = w.Advance(t.Context()); err != nil {
				break
			}
		}
		mended(t, err, "contested", "networks.op.rpc", "superindex journal rewind --network op --to B")
	})
}
