package reorg

import (
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"

	"superindex/chain"
)

// files are the names in the folder of large steps.
func files(t *testing.T, fs vfs.FS) []string {
	t.Helper()
	names, err := fs.List("journal/steps")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(names)
	return names
}

func large(o *Options) { o.Large = 400 }

// A large step lies in a file and comes back as it was, between others that do not,
// and its file goes with it.
func TestLargeSteps(t *testing.T) {
	fs := vfs.NewMem()
	j := open(t, fs, large)
	first := begin(t, j, ref(0, 'a'))
	mustAppend(t, j, apply(ref(0, 'a'), 1, 'a', chain.BlockRef{}, chain.BlockRef{}))
	mustAppend(t, j, apply(ref(1, 'a'), 9, 'a', chain.BlockRef{}, chain.BlockRef{}))
	mustAppend(t, j, apply(ref(9, 'a'), 10, 'a', chain.BlockRef{}, chain.BlockRef{}))
	mustAppend(t, j, apply(ref(10, 'a'), 19, 'a', chain.BlockRef{}, chain.BlockRef{}))
	if got := files(t, fs); len(got) != 2 {
		t.Fatal(got)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = open(t, fs, large)
	defer j.Close()
	steps, err := j.Next(t.Context(), op.Name, first, 1<<20)
	if err != nil || len(steps) != 4 {
		t.Fatalf("%d steps: %v", len(steps), err)
	}
	for i, blocks := range []int{1, 8, 1, 9} {
		if got := steps[i].Apply; len(got.Blocks) != blocks || len(got.Events) != blocks {
			t.Errorf("step %d: %+v", i, got)
		}
	}
	if some, err := j.Next(t.Context(), op.Name, first, 500); err != nil || len(some) != 1 {
		t.Errorf("%d steps hold 500 bytes: %v", len(some), err)
	}
	if err := j.Ack("ch", op.Name, steps[2].Seq); err != nil {
		t.Fatal(err)
	}
	if got := files(t, fs); len(got) != 1 || !strings.HasSuffix(got[0], "-optimism") {
		t.Errorf("after a trim: %v", got)
	}
}

// What no key names goes at the start; somebody else's file stays, and a file that
// is not what was written is no step.
func TestFilesOfNoStep(t *testing.T) {
	fs := vfs.NewMem()
	j := open(t, fs, large)
	first := begin(t, j, ref(0, 'a'))
	mustAppend(t, j, apply(ref(0, 'a'), 9, 'a', chain.BlockRef{}, chain.BlockRef{}))
	kept := files(t, fs)
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"00000000000000ff-optimism", "00000000000000ff-base", "README"} {
		put(t, fs, "journal/steps/"+name, "x")
	}
	put(t, fs, "journal/steps/"+j.steps.fs.PathBase(j.steps.name(op.Name, first)), "the first step is a small one")
	j = open(t, fs, large)
	defer j.Close()
	if got := files(t, fs); !slices.Equal(got, append(kept, "README")) {
		t.Errorf("%v are there, want %v", got, kept)
	}
	put(t, fs, "journal/steps/"+kept[0], strings.Repeat("x", 2000))
	if _, err := j.Next(t.Context(), op.Name, first, 1<<20); err == nil || !strings.Contains(err.Error(), "not what was written") {
		t.Errorf("a file of something else: %v", err)
	}
}

func put(t *testing.T, fs vfs.FS, name, text string) {
	t.Helper()
	f, err := fs.Create(name, vfs.WriteCategoryUnspecified)
	if err == nil {
		_, err = f.Write([]byte(text))
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// Every stream's name makes a file's name that leads back to it.
func TestNamesOfFiles(t *testing.T) {
	f := &steps{fs: vfs.NewMem(), dir: "steps"}
	for _, stream := range []string{"optimism", "a-b", "../x", "ü/%"} {
		file := f.fs.PathBase(f.name(stream, 1<<62+5))
		if got, seq, ok := named(file); !ok || got != stream || seq != 1<<62+5 {
			t.Errorf("%q: %q is %q, %d, %v", stream, file, got, seq, ok)
		}
	}
	for _, file := range []string{"README", "xyz-optimism", "00-%zz"} {
		if _, _, ok := named(file); ok {
			t.Errorf("%q is taken for a step's", file)
		}
	}
}

// A trim is durable before its files go: whatever the disk has taken of that by itself,
// power that is cut then leaves no step without its file.
func TestATrimIsDurableBeforeItsFilesGo(t *testing.T) {
	var removed int
	disk := vfs.NewCrashableMem()
	fs := errorfs.Wrap(disk, errorfs.InjectorFunc(func(op errorfs.Op) error {
		if op.Kind != errorfs.OpRemove || !strings.Contains(op.Path, "/steps/") {
			return nil
		}
		removed++
		// As the system may do at any time: the folder is written as it will be.
		gone := disk.CrashClone(vfs.CrashCloneCfg{})
		if err := gone.Remove(op.Path); err != nil {
			t.Error(err)
		}
		crashed := open(t, gone, large)
		defer crashed.Close()
		st, err := crashed.Stat("optimism")
		if err != nil {
			t.Error(err)
		}
		if left, err := crashed.Next(t.Context(), "optimism", st.Cut, 1<<30); err != nil || len(left) != 2 {
			t.Errorf("%d steps are left after %d: %v", len(left), st.Cut, err)
		}
		return nil
	}))
	j := open(t, fs, large)
	defer j.Close()
	first := begin(t, j, ref(0, 'a'))
	mustAppend(t, j, apply(ref(0, 'a'), 9, 'a', chain.BlockRef{}, chain.BlockRef{}))
	mustAppend(t, j, apply(ref(9, 'a'), 10, 'a', chain.BlockRef{}, chain.BlockRef{}))
	mustAppend(t, j, apply(ref(10, 'a'), 19, 'a', chain.BlockRef{}, chain.BlockRef{}))
	if err := j.Ack("ch", op.Name, first+1); err != nil || removed != 1 {
		t.Fatalf("%d files went: %v", removed, err)
	}
}
