package clickhouse

import (
	"errors"
	"slices"
	"testing"
	"time"

	"superindex/chain"
)

// A position is written once its rows are on the disk, and a step counts as held once
// its position is; so is what is there when the position is asked for.
func TestRowsAreOnTheDiskBeforeTheirPosition(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	var seen []string
	var refused error
	opened := false
	sink, err := Open(t.Context(), Options{DSN: w.dsn, Sync: func(time.Duration) error {
		if opened {
			seen = append(seen, w.read("SELECT toString(((SELECT count() FROM events), (SELECT max(head_number) FROM positions)))")...)
		}
		return refused
	}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { sink.Close() })
	opened = true
	for _, c := range []struct {
		step chain.Step
		want []string
	}{
		{h.apply(1, 2, 'a', 3), []string{"(0,0)", "(6,0)", "(6,2)"}},
		{h.apply(3, 3, 'a', 3), []string{"(6,2)", "(9,2)", "(9,3)"}},
	} {
		seen = nil
		w.write(sink, c.step)
		if !slices.Equal(seen, c.want) {
			t.Errorf("synced at %v, want %v", seen, c.want)
		}
	}

	refused = errors.New("no space")
	last := h.apply(4, 4, 'a', 1)
	if err := sink.Write(t.Context(), []chain.Step{last}); !errors.Is(err, refused) {
		t.Errorf("a write that could not be synced: %v", err)
	}
	w.want("SELECT toString(max(head_number)) FROM positions", "3")
	refused = nil
	w.write(sink, last)
	w.want("SELECT toString(max(head_number)) FROM positions", "4")
}
