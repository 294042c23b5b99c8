package clickhouse

import (
	"slices"
	"testing"

	"superindex/chain"
)

// The server makes a part once it has 20,000 rows: what came in a block after them would
// be a second one.
func TestNoBlockFollowsThoseOfAPart(t *testing.T) {
	h, events := newHistory("op"), newEvents()
	events.begin(20_000)
	var blocks []int
	for number := uint64(1); number <= 3; number++ {
		events.from([]chain.Step{h.apply(number, number, 'a', 9000)})
		for events.next() {
			for _, column := range events.columns[1:] {
				if rows := column.Data.Rows(); rows != events.columns[0].Data.Rows() {
					t.Fatalf("%s has %d rows, %s %d", column.Name, rows, events.columns[0].Name, events.columns[0].Data.Rows())
				}
			}
			blocks = append(blocks, events.columns[0].Data.Rows())
		}
	}
	if want := []int{8192, 808, 8192, 808, 9000}; !slices.Equal(blocks, want) {
		t.Errorf("blocks of %v rows, want %v", blocks, want)
	}
}

// As many rows as make a part are one block: the server joins no such block with others.
func TestWhatIsAPartIsOneBlock(t *testing.T) {
	h, events := newHistory("op"), newEvents()
	events.begin(10_000)
	events.from([]chain.Step{h.apply(1, 1, 'a', 9000), h.apply(2, 2, 'a', 2000)})
	if !events.next() || events.columns[0].Data.Rows() != 11_000 || events.next() {
		t.Errorf("the first block has %d rows", events.columns[0].Data.Rows())
	}
}
