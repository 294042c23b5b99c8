package reorg

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
)

// What a Reader returned is what Journal.Next returns, also once it was called again, small
// or large; from the next call but one on others lie there.
func TestAReaderUsesItsMemoryAgain(t *testing.T) {
	j := open(t, vfs.NewMem(), large)
	defer j.Close()
	after := begin(t, j, ref(0, 'a'))
	head := uint64(0)
	for _, blocks := range []uint64{9, 1, 9, 8, 1, 1, 5, 9, 9} {
		mustAppend(t, j, apply(ref(head, 'a'), head+blocks, 'a', chain.BlockRef{}, chain.BlockRef{}))
		head += blocks
	}
	want, reader := read(t, j, after), j.Reader(op.Name)
	var before []chain.Step
	for i := range want {
		steps, err := reader.Next(t.Context(), after, 1)
		if err != nil {
			t.Fatal(err)
		}
		for k, got := range append(before, steps...) {
			if want := want[i+1-len(before)-len(steps)+k]; !reflect.DeepEqual(got, want) {
				t.Errorf("after call %d step %d is %+v, want %+v", i, got.Seq, got.Apply, want.Apply)
			}
		}
		before, after = steps, steps[0].Seq
	}
	m := &reader.memory[0]
	place := &m.bytes[:1][0]
	for range 2 { // the last step again
		if _, err := reader.Next(t.Context(), after-1, 1); err != nil {
			t.Fatal(err)
		}
	}
	if &reader.memory[0].bytes[0] != place {
		t.Error("the memory of the last call but one is not used again")
	}
}

// A reader has enough once the steps take so many bytes as they are used, which is more than
// they take in the journal.
func TestAReaderHasEnough(t *testing.T) {
	j := open(t, vfs.NewMem(), nil)
	defer j.Close()
	after := begin(t, j, chain.BlockRef{})
	for range 3 {
		s := transfers(chain.BlockRef{}, 2)
		s.Apply.Parent = j.streams[op.Name].window.Head()
		mustAppend(t, j, s)
	}
	size := int(j.streams[op.Name].rec.total) / 3
	for most, want := range map[int]int{1: 1, 3 * size: 1, 5 * size: 2, 20 * size: 3} {
		steps, err := j.Next(t.Context(), op.Name, after, most)
		if err != nil || len(steps) != want {
			t.Errorf("%d steps of %d bytes where %d are enough, want %d: %v", len(steps), size, most, want, err)
		}
	}
}

// What is taken is nobody else's until all is taken back, and a giant's memory is not kept.
func TestMemoryOfSteps(t *testing.T) {
	for _, c := range []struct {
		takes []int
		kept  int
	}{
		{[]int{10}, 10},
		{[]int{10, 20}, 20},
		{[]int{10, 5, 5}, 20}, // twice what was used
		{[]int{keptBytes}, keptBytes},
		{[]int{5, keptBytes + 1}, 0},
	} {
		t.Run(fmt.Sprint(c.takes), func(t *testing.T) {
			var m memory
			var all [][]byte
			for i, n := range c.takes {
				part := take(&m.bytes, n)
				if len(part) != n || cap(part) != n {
					t.Fatalf("%d of %d are taken", len(part), n)
				}
				part[0], part[n-1] = byte(i), byte(i)
				all = append(all, part)
			}
			for i, part := range all {
				if part[0] != byte(i) || part[len(part)-1] != byte(i) {
					t.Errorf("part %d is taken again", i)
				}
			}
			if m.reset(); cap(m.bytes) != c.kept || len(m.bytes) != 0 {
				t.Errorf("%d are kept, want %d", cap(m.bytes), c.kept)
			}
		})
	}
}
