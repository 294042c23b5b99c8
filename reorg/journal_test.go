package reorg

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"superindex/chain"
)

var op = chain.Stream{Name: "optimism", ChainID: 10}

// ref is block n of the fork that a letter names.
func ref(n uint64, fork byte) chain.BlockRef {
	return chain.BlockRef{Number: n, Hash: chain.Hash{byte(n), byte(n >> 8), fork}}
}

// apply adds the blocks from..to of a fork onto parent; final is among the window.
func apply(parent chain.BlockRef, to uint64, fork byte, safe, final chain.BlockRef) *chain.Step {
	b := &chain.Batch{Parent: parent, Last: parent, Safe: safe, Final: final}
	for n := parent.Number + 1; n <= to; n++ {
		b.Last = ref(n, fork)
		b.Blocks = append(b.Blocks, chain.Block{BlockRef: b.Last, Time: n})
		b.Events = append(b.Events, chain.Event{Log: chain.Log{Block: b.Last, Time: n, Index: uint32(n), Data: []byte("data")}})
	}
	return &chain.Step{Stream: op, Apply: b}
}

func revert(to, from chain.BlockRef) *chain.Step {
	return &chain.Step{Stream: op, Revert: &chain.Revert{To: to, From: from}}
}

func options(fs vfs.FS) Options {
	o := Defaults()
	o.Now = func() time.Time { return time.Unix(1_700_000_000, 0) }
	o.FS, o.Quota, o.MarkBytes, o.Keep, o.Sinks = fs, 1<<20, 1, 0, []string{"ch"}
	return o
}

func open(t testing.TB, fs vfs.FS, change func(*Options)) *Journal {
	t.Helper()
	o := options(fs)
	if change != nil {
		change(&o)
	}
	j, err := Open("journal", o)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

func begin(t testing.TB, j *Journal, to chain.BlockRef) chain.Seq {
	t.Helper()
	seq, err := j.Begin(t.Context(), Beginning{
		Stream: op, Start: to.Number + 1, To: to,
		Sinks: map[string]chain.Position{"ch": {}}, Whole: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	return seq
}

func mustAppend(t testing.TB, j *Journal, steps ...*chain.Step) {
	t.Helper()
	for _, s := range steps {
		if _, err := j.Append(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t testing.TB, j *Journal, after chain.Seq) []chain.Step {
	t.Helper()
	steps, err := j.Next(t.Context(), op.Name, after, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	return steps
}

func TestStepsComeBackInOrder(t *testing.T) {
	fs := vfs.NewMem()
	j := open(t, fs, nil)
	first := begin(t, j, ref(9, 'a'))
	if want := chain.Seq(1_700_000_000)<<20 + 1; first != want {
		t.Fatalf("the first Seq is %d, want the clock's %d", first, want)
	}
	mustAppend(t, j, apply(ref(9, 'a'), 12, 'a', ref(9, 'a'), ref(9, 'a')), revert(ref(11, 'a'), ref(12, 'a')),
		apply(ref(11, 'a'), 14, 'b', ref(10, 'a'), ref(10, 'a')))
	check := func(j *Journal) {
		steps := read(t, j, 0)
		if len(steps) != 4 || steps[3].Seq != first+3 || steps[3].Journal != j.ID() || steps[3].Stream != op {
			t.Fatalf("steps: %+v", steps)
		}
		if e := steps[3].Apply.Events[1]; e.Block != ref(13, 'b') || e.Time != 13 || string(e.Data) != "data" {
			t.Fatalf("event: %+v", e)
		}
		tr, err := j.Tracker(op.Name)
		want := []chain.BlockRef{ref(10, 'a'), ref(11, 'a'), ref(12, 'b'), ref(13, 'b'), ref(14, 'b')}
		if err != nil || !slices.Equal(tr.Blocks(), want) || tr.Final() != ref(10, 'a') {
			t.Fatalf("window %v, %v; want %v", tr.Blocks(), err, want)
		}
	}
	check(j)
	id := j.ID()
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, fs, nil)
	defer j.Close()
	if check(j); j.ID() != id {
		t.Fatal("the id changed")
	}
}

func TestAppendRefuses(t *testing.T) {
	j := open(t, vfs.NewMem(), nil)
	defer j.Close()
	begin(t, j, ref(9, 'a'))
	mustAppend(t, j, apply(ref(9, 'a'), 12, 'a', ref(11, 'a'), ref(11, 'a')))
	for name, step := range map[string]*chain.Step{
		"an apply onto another head":       apply(ref(11, 'b'), 12, 'b', ref(11, 'a'), ref(11, 'a')),
		"finalized going back":             apply(ref(12, 'a'), 13, 'a', ref(11, 'a'), ref(10, 'a')),
		"a revert below finalized":         revert(ref(10, 'a'), ref(12, 'a')),
		"a revert to a block not held":     revert(ref(11, 'b'), ref(12, 'a')),
		"a fill above finalized":           {Stream: op, Fill: &chain.Fill{From: 10, To: ref(12, 'a')}},
		"no content":                       {Stream: op},
		"an unknown stream":                {Stream: chain.Stream{Name: "base"}, Rows: &chain.Rows{}},
		"an event whose block is not held": {Stream: op, Apply: &chain.Batch{Parent: ref(12, 'a'), Last: ref(12, 'a'), Final: ref(11, 'a'), Events: make([]chain.Event, 1)}},
	} {
		if _, err := j.Append(t.Context(), step); err == nil {
			t.Errorf("%s was accepted", name)
		}
	}
	if steps := read(t, j, 0); len(steps) != 2 {
		t.Fatalf("%d steps, want the 2 good ones", len(steps))
	}
}

func TestQuotaBlocksAllButARevert(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := open(t, vfs.NewMem(), func(o *Options) { o.Quota = 2000 })
		defer j.Close()
		begin(t, j, ref(0, 'a'))
		head := ref(0, 'a')
		for n := uint64(1); ; n++ {
			if st, _ := j.Stat(op.Name); st.Bytes > 2000 {
				break
			}
			mustAppend(t, j, apply(head, n, 'a', chain.BlockRef{}, chain.BlockRef{}))
			head = ref(n, 'a')
		}
		done := make(chan error)
		go func() {
			_, err := j.Append(t.Context(), apply(ref(3, 'a'), 4, 'b', chain.BlockRef{}, chain.BlockRef{}))
			done <- err
		}()
		synctest.Wait()
		mustAppend(t, j, revert(ref(3, 'a'), head))
		select {
		case err := <-done:
			t.Fatalf("an Apply went through at the quota: %v", err)
		default:
		}
		st, _ := j.Stat(op.Name)
		if err := j.Ack("ch", op.Name, st.Head); err != nil {
			t.Fatal(err)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := j.Next(ctx, op.Name, st.Head+1, 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Fatal("Next must wait for the next step", err)
		}
	})
}

func TestResume(t *testing.T) {
	fs := vfs.NewMem()
	j := open(t, fs, func(o *Options) { o.MarkBytes = 1; o.Keep = time.Hour })
	defer j.Close()
	first := begin(t, j, ref(9, 'a'))
	mustAppend(t, j, apply(ref(9, 'a'), 10, 'a', ref(9, 'a'), ref(9, 'a')), apply(ref(10, 'a'), 11, 'a', ref(9, 'a'), ref(9, 'a')))
	steps := read(t, j, 0)
	at := func(i int) chain.Position {
		return chain.Position{Journal: j.ID(), Seq: steps[i].Seq, Digest: steps[i].Digest}
	}
	strange, foreign, ahead := at(1), at(1), at(2)
	strange.Digest++
	foreign.Journal[0]++
	ahead.Seq++
	for name, c := range map[string]struct {
		pos  chain.Position
		want error
	}{
		"empty, nothing trimmed": {}, "as it is": {pos: at(1)}, "strange": {strange, ErrStrange},
		"foreign": {foreign, ErrForeign}, "ahead": {ahead, ErrAhead},
	} {
		after, err := j.Resume(op.Name, "ch", c.pos)
		if !errors.Is(err, c.want) || (err == nil && c.pos.Seq != 0 && after != c.pos.Seq) || (err != nil && !chain.IsFatal(err)) {
			t.Errorf("%s: %d, %v; want %v", name, after, err, c.want)
		}
	}
	t.Run("a takeover is from exactly what was seen", func(t *testing.T) {
		seen := chain.Position{Journal: chain.JournalID{9}, Seq: first + 500, Digest: 7}
		_, err := j.Begin(t.Context(), Beginning{Stream: op, Start: 10, To: ref(10, 'a'), Sinks: map[string]chain.Position{"ch": seen}})
		if err != nil {
			t.Fatal(err)
		}
		after, err := j.Resume(op.Name, "ch", seen)
		if next := read(t, j, after); err != nil || next[0].Seq != first+501 || next[0].Revert.Cause != chain.Begin {
			t.Fatalf("after %d: %v %+v", after, err, next)
		}
		seen.Seq++
		if _, err := j.Resume(op.Name, "ch", seen); !errors.Is(err, ErrForeign) {
			t.Fatal(err)
		}
	})
}

func TestTrimKeepsWhatASinkLacks(t *testing.T) {
	j := open(t, vfs.NewMem(), func(o *Options) { o.Sinks = []string{"ch", "nats"} })
	defer j.Close()
	first := begin(t, j, ref(0, 'a'))
	for n := uint64(1); n <= 5; n++ {
		mustAppend(t, j, apply(ref(n-1, 'a'), n, 'a', chain.BlockRef{}, chain.BlockRef{}))
	}
	ack := func(sink string, n chain.Seq, left int) {
		t.Helper()
		if err := j.Ack(sink, op.Name, first+n); err != nil {
			t.Fatal(err)
		}
		st, _ := j.Stat(op.Name)
		if steps := read(t, j, st.Cut); len(steps) != left {
			t.Fatalf("%d steps are kept, want %d", len(steps), left)
		}
	}
	ack("ch", 4, 6)
	ack("nats", 2, 3)
	if _, err := j.Next(t.Context(), op.Name, first+1, 1); !errors.Is(err, ErrTrimmed) {
		t.Fatal(err)
	}
	if _, err := j.Resume(op.Name, "nats", chain.Position{Journal: j.ID(), Seq: first + 1}); !errors.Is(err, ErrTail) {
		t.Fatal(err)
	}
	if _, err := j.Resume(op.Name, "new", chain.Position{}); !errors.Is(err, ErrLost) {
		t.Fatal(err)
	}
}

// TestPowerCut: after a power cut at any moment the journal holds a prefix of the
// steps, all that were acknowledged among them, and the window that they imply.
func TestPowerCut(t *testing.T) {
	for _, large := range []int{1, 1 << 20} {
		t.Run(fmt.Sprintf("large=%d", large), func(t *testing.T) { powerCut(t, func(o *Options) { o.Large = large }) })
	}
}

func powerCut(t *testing.T, change func(*Options)) {
	fs := vfs.NewCrashableMem()
	j := open(t, fs, change)
	defer j.Close()
	begin(t, j, ref(0, 'a'))
	for n := uint64(1); n <= 20; n++ {
		mustAppend(t, j, apply(ref(n-1, 'a'), n, 'a', chain.BlockRef{}, ref(n/2, 'a')))
		crashed := open(t, fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(n * 5), RNG: rand.New(rand.NewPCG(n, 1))}), change)
		tr, err := crashed.Tracker(op.Name)
		if err != nil || tr.Head() != ref(n, 'a') || tr.Floor() != ref(n/2, 'a') || tr.Len() != int(n-n/2)+1 {
			t.Fatalf("after %d: %v, window %v", n, err, tr.Blocks())
		}
		steps, err := crashed.Next(t.Context(), op.Name, 0, 1<<20)
		if last := steps[len(steps)-1].Apply; err != nil || len(steps) != int(n)+1 || last.Last != ref(n, 'a') {
			t.Fatalf("after %d: %d steps: %v", n, len(steps), err)
		}
		if err := crashed.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestOwedIsWhatAFillHasNotBrought(t *testing.T) {
	j := open(t, vfs.NewMem(), nil)
	defer j.Close()
	begin(t, j, ref(9, 'a'))
	mustAppend(t, j, apply(ref(9, 'a'), 20, 'a', ref(18, 'a'), ref(18, 'a')))
	late := []chain.Address{{1}}
	if err := j.Adopt(op.Name, []chain.Address{{1}, {2}}, late); err != nil {
		t.Fatal(err)
	}
	mustAppend(t, j, &chain.Step{Stream: op, Fill: &chain.Fill{From: 10, To: ref(15, 'a'), Addresses: late}})
	st, _ := j.Stat(op.Name)
	if got := fmt.Sprint(st.Owed); got != fmt.Sprint([]Owed{{16, 20, late}}) {
		t.Fatal(got)
	}
	if set, err := j.Watch(op.Name); err != nil || len(set) != 2 {
		t.Fatal(set, err)
	}
}
