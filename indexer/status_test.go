package indexer

import (
	"testing"

	"superindex/chain"
)

// A network that the registry no longer lists is not shown as if it stood still.
func TestStatusKeepsWhatRuns(t *testing.T) {
	s := NewStatus()
	base, ink := chain.Stream{Name: "base", ChainID: 8453}, chain.Stream{Name: "ink", ChainID: 57073}
	for _, of := range []chain.Stream{base, Feeds, ink} {
		s.network(of)
	}
	s.Keep([]Network{{Stream: base}})
	all := s.Snapshot()
	if len(all) != 2 || all[0].Network != "base" || all[1].Network != "feeds" {
		t.Errorf("kept %+v", all)
	}
}
