package reorg

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"superindex/chain"
)

// appendDrafted appends a step with a draft of it.
func appendDrafted(t testing.TB, d *Drafts, step *chain.Step) {
	t.Helper()
	b := step.Apply
	draft, err := d.Write(&chain.Batch{Blocks: b.Blocks, Events: b.Events, Transactions: b.Transactions, Proof: b.Proof}, nil)
	if err == nil {
		_, err = d.Append(t.Context(), step, draft)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A step that was drafted, small or large, is the step that it would be else; what is
// discarded leaves nothing.
func TestDraftedSteps(t *testing.T) {
	plain, fs := open(t, vfs.NewMem(), large), vfs.NewMem()
	defer plain.Close()
	j := open(t, fs, large)
	defer j.Close()
	first := begin(t, plain, ref(0, 'a'))
	begin(t, j, ref(0, 'a'))
	drafts := j.Drafts()
	for _, to := range []uint64{1, 9, 10, 19} {
		step := apply(ref(j.streams[op.Name].window.Head().Number, 'a'), to, 'a', chain.BlockRef{}, chain.BlockRef{})
		step.Apply.Watch, step.Apply.Proof = chain.WatchID{7}, chain.Proof{Rows: uint32(to), Digest: 5}
		mustAppend(t, plain, step)
		appendDrafted(t, drafts, step)
	}
	for _, to := range []uint64{20, 40} {
		if _, err := drafts.Write(apply(ref(19, 'a'), to, 'a', chain.BlockRef{}, chain.BlockRef{}).Apply, nil); err != nil {
			t.Fatal(err)
		}
	}
	if got := files(t, fs); len(got) != 3 || !strings.HasPrefix(got[2], draftName) {
		t.Errorf("with a draft: %v", got)
	}
	drafts.Discard()
	if got := files(t, fs); len(got) != 2 {
		t.Errorf("when it is discarded: %v", got)
	}
	want, got := read(t, plain, first), read(t, j, first)
	for i := range want {
		if !reflect.DeepEqual(got[i].Apply, want[i].Apply) {
			t.Errorf("step %d: %+v, want %+v", i, got[i].Apply, want[i].Apply)
		}
	}
	if a, b := j.streams[op.Name].rec.total, plain.streams[op.Name].rec.total; len(got) != 4 || a != b {
		t.Errorf("%d steps of %d bytes, want %d", len(got), a, b)
	}
}

// Events are finished some at a time before they are drafted, and the Proof with them; a
// draft is given to its file in parts. The step is the one that they make then.
func TestDraftsOfWhatIsNotReady(t *testing.T) {
	plain, fs := open(t, vfs.NewMem(), nil), vfs.NewMem()
	defer plain.Close()
	j := open(t, fs, nil)
	defer j.Close()
	first, began := begin(t, plain, chain.BlockRef{}), begin(t, j, chain.BlockRef{})
	step := transfers(chain.BlockRef{}, 75) // several parts of several times the events
	step.Apply.Proof = chain.Proof{Rows: 7500, Digest: 7}
	mustAppend(t, plain, step)

	raw := *step.Apply
	raw.Events, raw.Proof = slices.Clone(raw.Events), chain.Proof{}
	for i := range raw.Events {
		e := &raw.Events[i]
		e.Decoding, e.Name, e.Signature, e.Args = chain.Raw, "", "", nil
	}
	drafts, decoded := j.Drafts(), step.Apply.Events
	defer drafts.Discard()
	draft, err := drafts.Write(&raw, func(some []chain.Event) {
		copy(some, decoded)
		decoded = decoded[len(some):]
		raw.Proof.Rows, raw.Proof.Digest = raw.Proof.Rows+uint32(len(some)), 7
	})
	if err != nil || draft.size < 3*writtenAtOnce || len(decoded) > 0 {
		t.Fatalf("%+v, %v; %d events were not given", draft, err, len(decoded))
	}
	if _, err := drafts.Append(t.Context(), step, draft); err != nil {
		t.Fatal(err)
	}
	if got, want := read(t, j, began), read(t, plain, first); !reflect.DeepEqual(got[0].Apply, want[0].Apply) {
		t.Error("it is another step than the one appended at once")
	}
}

// A draft that does not fit where the stream stands by then is none of its steps, and
// says so; it can be discarded.
func TestDraftThatDoesNotFit(t *testing.T) {
	fs := vfs.NewMem()
	j := open(t, fs, large)
	defer j.Close()
	begin(t, j, ref(0, 'a'))
	drafts, step := j.Drafts(), apply(ref(3, 'a'), 12, 'a', chain.BlockRef{}, chain.BlockRef{})
	draft, err := drafts.Write(step.Apply, nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := drafts.Append(t.Context(), step, draft); err == nil {
		t.Error("it fits")
	}
	drafts.Discard()
	if got := files(t, fs); len(got) != 0 {
		t.Error(got)
	}
}

// A draft whose file cannot be made, written or made durable is none: it leaves nothing
// behind, says what failed, and the next one goes well.
func TestDraftsThatFail(t *testing.T) {
	for kind, times := range map[errorfs.OpKind]int64{errorfs.OpCreate: 1, errorfs.OpFileWrite: 3, errorfs.OpFileSyncData: 1} {
		for nth := range times {
			disk, fails := vfs.NewMem(), atomic.Int64{}
			j := open(t, errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
				if op.Kind == kind && strings.Contains(op.Path, draftName) && fails.Add(-1) == 0 {
					return errorfs.ErrInjected
				}
				return nil
			})), nil)
			began := begin(t, j, chain.BlockRef{})
			drafts, step := j.Drafts(), transfers(chain.BlockRef{}, 25)
			fails.Store(nth + 1)
			if _, err := drafts.Write(step.Apply, nil); !errors.Is(err, errorfs.ErrInjected) {
				t.Errorf("%v, time %d: %v", kind, nth, err)
			}
			if got := files(t, disk); len(got) != 0 {
				t.Errorf("%v, time %d: left behind: %v", kind, nth, got)
			}
			appendDrafted(t, drafts, step)
			drafts.Discard()
			if got := read(t, j, began); !reflect.DeepEqual(got[0].Apply.Events, step.Apply.Events) {
				t.Errorf("%v, time %d: the next draft is another step", kind, nth)
			}
			if err := j.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// After a power cut at any moment drafted steps that were acknowledged are there, and
// drafts of none are not.
func TestPowerCutWithDrafts(t *testing.T) {
	fs := vfs.NewCrashableMem()
	j := open(t, fs, large)
	defer j.Close()
	begin(t, j, ref(0, 'a'))
	drafts := j.Drafts()
	for n := uint64(9); n <= 90; n += 9 {
		appendDrafted(t, drafts, apply(ref(n-9, 'a'), n, 'a', chain.BlockRef{}, chain.BlockRef{}))
		if _, err := drafts.Write(apply(ref(n, 'a'), n+9, 'b', chain.BlockRef{}, chain.BlockRef{}).Apply, nil); err != nil {
			t.Fatal(err)
		}
		clone := fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: int(n), RNG: rand.New(rand.NewPCG(n, 1))})
		crashed := open(t, clone, large)
		steps := read(t, crashed, 0)
		if last := steps[len(steps)-1].Apply; len(steps) != int(n/9)+1 || last.Last != ref(n, 'a') || len(last.Events) != 9 {
			t.Fatalf("after %d: %d steps, the last %+v", n, len(steps), last)
		}
		if got := files(t, clone); len(got) != int(n/9) {
			t.Errorf("after %d: %v", n, got)
		}
		if err := crashed.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
