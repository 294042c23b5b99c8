package world

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// mutant is a known mistake: in file, the text was is replaced by is; and so on, for
// a mistake that is made in several places.
type mutant struct {
	name, file, was, is string
	and                 *mutant
}

var mutants = []mutant{
	{
		"(Seq, index) compared by Seq only", "internal/world/log.go",
		"return m.seq > seq || m.seq == seq && m.index > index", "return m.seq > seq",
		nil,
	},
	{
		"finality by number", "reorg/tracker.go",
		"return t.Holds(ref) || slices.ContainsFunc(added, func(b chain.Block) bool { return b.BlockRef == ref })",
		"_, ok := t.at(ref.Number)\n\t\treturn ok || slices.ContainsFunc(added, func(b chain.Block) bool { return b.Number == ref.Number })",
		&mutant{
			file: "indexer/writer.go", was: "return w.tracker.Conflicts(h.Latest) || w.tracker.Conflicts(h.Safe) || w.tracker.Conflicts(h.Final)",
			is: "return w.tracker.Conflicts(h.Latest)",
		},
	},
	{
		"ack before write", "indexer/relay.go",
		"	err := r.sink.Write(ctx, steps)\n",
		"	r.journal.Ack(r.sink.Name(), r.stream.Name, last)\n	err := r.sink.Write(ctx, steps)\n",
		nil,
	},
	{
		"ack before write, in a load", "indexer/relay.go",
		"			given = more\n", "			given = more\n			r.journal.Ack(name, r.stream.Name, given[len(given)-1].Seq)\n",
		nil,
	},
	{
		"memory of steps handed out again too early", "reorg/reader.go",
		"	r.memory[0], r.memory[1] = r.memory[1], r.memory[0]\n", "",
		nil,
	},
	{
		"trim before the ack is durable", "reorg/trim.go",
		"	low := s.acks[sinks[0]]\n", "	low := s.rec.head\n	return low\n",
		nil,
	},
	{
		"relay from a stored ack instead of the sink's position", "reorg/begin.go",
		"	after, err := j.resume(s, take, pos)\n",
		"	after, err := j.resume(s, take, pos)\n	if stored := s.acks[sink]; stored > 0 {\n		return stored, nil\n	}\n",
		nil,
	},
	{
		"window saved apart from its step", "reorg/append.go",
		"		writeWindow(b, name, &s.window, move),\n	)\n",
		"	)\n	apart := j.db.NewBatch()\n	writeWindow(apart, name, &s.window, move)\n	apart.Commit(pebble.Sync)\n	apart.Close()\n",
		nil,
	},
	{
		"Seq base from the clock alone", "reorg/begin.go",
		"	seq := max(chain.Seq(now)<<20, s.rec.head)\n	for _, p := range b.Sinks {\n		seq = max(seq, p.Seq, p.High)\n	}\n",
		"	seq := chain.Seq(now) << 20\n",
		nil,
	},
	{
		"new journal's Revert to today's finalized block", "indexer/begin.go",
		"	low := before\n", "	low := before\n	if h, err := net.Source.Heads(ctx); err == nil {\n		return h.Final, nil\n	}\n",
		nil,
	},
	{
		"ancestor one block too shallow", "reorg/tracker.go",
		"return t.blocks[above-1], nil", "return t.blocks[min(above, len(t.blocks)-1)], nil",
		nil,
	},
	{
		"message id from the block hash", "internal/world/log.go",
		`return fmt.Sprintf("%s/%d/%d", s.Stream, s.Seq, index)`,
		`if s.Apply != nil {
		return fmt.Sprintf("+%v/%d", s.Apply.Last, index)
	}
	if s.Revert != nil {
		return fmt.Sprintf("-%v/%d", s.Revert.To, index)
	}
	return fmt.Sprintf("%s/%d/%d", s.Stream, s.Seq, index)`,
		nil,
	},
	{
		"Fill above finalized", "indexer/fill.go",
		"Range{owed.From, min(owed.To, st.Final.Number)}", "Range{owed.From, owed.To}",
		nil,
	},
	{
		"Revert held by the quota", "reorg/append.go",
		"	if step.Revert == nil {\n", "	{\n",
		nil,
	},
	{
		"two owners", "reorg/begin.go",
		"		return 0, misfit{fmt.Errorf(\"%w %v\", ErrForeign, pos.Journal)}\n", "		return min(pos.Seq, s.rec.head), nil\n",
		nil,
	},
	{
		"half-published step", "internal/world/log.go",
		"		if m.end {\n			whole = i\n		}\n	}\n	for _, m := range s.log.messages[:whole+1] {\n		if m.end {\n",
		"		{\n			whole = i\n		}\n	}\n	for _, m := range s.log.messages[:whole+1] {\n		{\n",
		nil,
	},
}

// TestMutants puts each known mistake into the code, through an overlay of the
// build, and runs random histories until one shows it.
func TestMutants(t *testing.T) {
	if os.Getenv("SIM_MUTANTS") == "" {
		t.Skip("compiles the engine once a mutant, minutes in all: `make sim-mutants` runs it")
	}
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { m.run(t, root) })
	}
}

// TestMutantsFit: a known mistake that the code has outgrown would test nothing, and
// nobody would know before the next `make sim-mutants`.
func TestMutantsFit(t *testing.T) {
	for _, m := range mutants {
		t.Run(m.name, func(t *testing.T) { m.mutated(t, "../..") })
	}
}

// mutated are the files with the mistake in them, by their paths in the repository.
func (m *mutant) mutated(t *testing.T, root string) map[string]string {
	t.Helper()
	files := map[string]string{}
	for e := m; e != nil; e = e.and {
		code, err := os.ReadFile(filepath.Join(root, e.file))
		if err != nil {
			t.Fatal(err)
		}
		if n := strings.Count(string(code), e.was); n != 1 {
			t.Fatalf("%s holds %q %d times: the mutation no longer fits", e.file, e.was, n)
		}
		files[e.file] = strings.Replace(string(code), e.was, e.is, 1)
	}
	return files
}

var seed = regexp.MustCompile(`-rapid\.seed=(\d+)`)

// overlay writes the mutated files into dir, and the file that has the build take
// them for the real ones.
func (m *mutant) overlay(t *testing.T, root, dir string) string {
	replace := map[string]string{}
	for file, code := range m.mutated(t, root) {
		path := filepath.Join(dir, filepath.Base(file))
		replace[filepath.Join(root, file)] = path
		write(t, path, []byte(code))
	}
	paths, err := json.Marshal(map[string]map[string]string{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "overlay.json"), paths)
	return filepath.Join(dir, "overlay.json")
}

func (m *mutant) run(t *testing.T, root string) {
	dir := t.TempDir()
	overlay := m.overlay(t, root, dir)
	binary := filepath.Join(dir, "world.test")
	build := exec.CommandContext(t.Context(), "go", "test", "-c", "-overlay", overlay, "-o", binary, "./internal/world")
	build.Dir = root
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("the mutant does not compile: %v\n%s", err, out)
	}
	run := exec.CommandContext(t.Context(), binary, "-test.run=^TestHistories$", "-test.timeout=20m", "-rapid.checks=5000", "-rapid.steps=200", "-rapid.nofailfile", "-rapid.shrinktime=1ms")
	out, err := run.CombinedOutput()
	if err == nil {
		t.Fatal("5,000 histories did not show it")
	}
	caught := seed.FindStringSubmatch(string(out))
	if caught == nil {
		t.Fatalf("it failed without a seed:\n%.3000s", out)
	}
	t.Logf("caught with -rapid.seed=%s: %s", caught[1], firstLine(string(out)))
}

// firstLine is what the failure says.
func firstLine(out string) string {
	for line := range strings.Lines(out) {
		if strings.Contains(line, "[rapid]") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func write(t *testing.T, path string, b []byte) {
	t.Helper()
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
}
