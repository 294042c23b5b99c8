package world

import (
	"context"
	"flag"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"superindex/chain"
	"superindex/indexer"
)

// TestHistories: whatever the chain does, wherever the process dies, however often
// a sink fails before, amid or after taking effect, and whatever becomes of the
// data folder and the clock, every sink ends up with exactly the chain, and at no
// instant does a user read two forks. `make sim` runs 5,000 histories of 200 moves.
func TestHistories(t *testing.T) {
	if flag.Lookup("rapid.checks").Value.String() == "100" { // nobody asked for a number
		flag.Set("rapid.checks", "40")
	}
	rapid.Check(t, func(rt *rapid.T) {
		var failure any // of the bubble's goroutine; rapid wants it in its own
		synctest.Test(t, func(*testing.T) {
			defer func() { failure = recover() }()
			live(rt)
		})
		if failure != nil {
			panic(failure)
		}
	})
}

// addr is the n-th address of the world.
func addr(n int) chain.Address { return chain.Address{byte(n)} }

func newWorld(t *rapid.T) *World {
	c := NewChain()
	w := &World{
		chain: c, node: &Node{chain: c}, table: &Table{rows: map[key]version{}}, log: &Log{},
		watched:    Set{addr(1), addr(2)},
		start:      uint64(rapid.IntRange(1, 4).Draw(t, "start")),
		quota:      uint64(rapid.SampledFrom([]int{2 << 10, 1 << 20}).Draw(t, "quota")),
		keep:       rapid.SampledFrom([]time.Duration{0, time.Minute}).Draw(t, "keep"),
		relayBytes: rapid.SampledFrom([]int{1, 1000, 1 << 20}).Draw(t, "relay"),
		loads: Loading{
			calls: rapid.IntRange(0, 2).Draw(t, "calls of a write"),
			ahead: rapid.IntRange(0, 2).Draw(t, "writes ahead"),
		},
		steps: map[chain.JournalID]*history{},
	}
	for range 4 {
		c.Mine(addr(1), addr(3))
	}
	c.Finalize(4, 4)
	return w
}

// run is one history under way.
type run struct {
	*World
	old    [][]*block // branches that were dropped
	backup *Disk
	sinks  []savedSinks
}

type savedSinks struct {
	table *Table
	log   *Log
}

func live(t *rapid.T) {
	r := &run{World: newWorld(t)}
	defer r.end(t)
	must(t, r.reboot(NewDisk()))
	moves := r.moves()
	if rapid.Bool().Draw(t, "nothing is lost") { // what excuses a red relay excuses it to the end
		for _, loss := range []string{"restore", "lose", "second", "purge", "restore a sink"} {
			delete(moves, loss)
		}
	}
	t.Repeat(moves)
	must(t, r.drain())
	must(t, r.observe())
	must(t, r.equal())
}

// moves are what may happen next, by name; what is checked after each has none.
func (r *run) moves() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"mine": r.mine, "mine more": r.mine, "history": r.bringHistory, "reorg": r.reorg, "flip back": r.flipBack, "rewind": r.rewind,
		"finalize": r.finalize, "write": r.writeSome, "write more": r.writeSome, "write on": r.writeSome,
		"relay": r.relaySome, "relay more": r.relaySome, "relay on": r.relaySome, "fill": r.fillSome,
		"crash": r.crash, "run": r.runAll, "a late address": r.lateAddress, "wait": func(*rapid.T) { time.Sleep(20 * time.Second) },
		"back up": r.backUp, "restore": r.restore, "lose": r.lose, "clock": r.moveClock, "second": r.second,
		"purge": r.purge, "restore a sink": r.restoreSinks,
		"": func(t *rapid.T) {
			r.note("journal %v, chain %d final %d", r.daemon, r.chain.now.head().Number, r.chain.now.final)
			if r.disk.left() != nil { // the power was cut: what runs is dead
				must(t, r.reboot(r.disk))
			}
			must(t, r.observe())
			must(t, r.oneFork())
		},
	}
}

// end stops the process that is left, and says what happened where that was wrong.
func (r *run) end(t *rapid.T) {
	if r.daemon != nil {
		r.daemon.die()
		r.daemon.journal.Close()
	}
	if t.Failed() {
		for _, line := range r.Diary() {
			t.Log(line)
		}
	}
}

func must(t *rapid.T, err error) {
	if err != nil {
		t.Fatal(err)
	}
}

// tolerate lets pass what a supervisor would retry or show.
func (r *run) tolerate(t *rapid.T, err error) {
	if r.broken != nil {
		t.Fatal(r.broken)
	}
	_ = err
}

func (r *run) mine(t *rapid.T) {
	for range rapid.IntRange(1, 4).Draw(t, "blocks") {
		var by []chain.Address
		for range rapid.IntRange(0, 3).Draw(t, "logs") {
			by = append(by, addr(rapid.IntRange(1, 5).Draw(t, "by")))
		}
		r.chain.Mine(by...)
	}
}

func (r *run) reorg(t *rapid.T) {
	r.rewind(t)
	r.mine(t)
}

func (r *run) rewind(t *rapid.T) {
	r.old = append(r.old, r.chain.drop(rapid.IntRange(1, 6).Draw(t, "depth")))
}

func (r *run) flipBack(t *rapid.T) {
	if len(r.old) > 0 {
		r.chain.restore(r.old[rapid.IntRange(0, len(r.old)-1).Draw(t, "old")])
	}
}

func (r *run) finalize(t *rapid.T) {
	r.chain.Finalize(rapid.IntRange(0, 5).Draw(t, "safe"), rapid.IntRange(0, 3).Draw(t, "final"))
}

// bringHistory makes some that nobody has read yet: what a relay loads.
func (r *run) bringHistory(t *rapid.T) {
	for range rapid.IntRange(2, 5).Draw(t, "times") {
		r.mine(t)
	}
	r.chain.Finalize(20, 20)
	for range rapid.IntRange(0, 5).Draw(t, "moves") {
		r.node.set(Plan{})
		_, err := r.write()
		r.tolerate(t, err)
	}
}

// plan draws what the network does during the next move.
func (r *run) plan(t *rapid.T) (honest bool) {
	ago := rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 1, 2, 5, 12})
	p := Plan{Heads: ago.Draw(t, "heads"), Headers: ago.Draw(t, "headers"), Fetch: ago.Draw(t, "fetch")}
	honest = p.Heads == 0 && p.Headers == 0 && p.Fetch == 0
	switch rapid.IntRange(0, 9).Draw(t, "mishap") {
	case 0:
		p.FailHeads, honest = true, false
	case 1:
		p.FailFetch, honest = true, false
	case 2:
		p.Most = uint64(rapid.IntRange(1, 3).Draw(t, "most"))
	case 3:
		p.Between, honest = func() { r.finalize(t) }, false
	case 4:
		p.Between, honest = func() { r.reorg(t) }, false
	}
	r.node.set(p)
	return honest
}

func (r *run) writeSome(t *rapid.T) {
	for range rapid.IntRange(1, 4).Draw(t, "moves") {
		honest := r.plan(t) && r.disk.left() == nil
		_, err := r.write()
		r.tolerate(t, err)
		if honest && r.disk.left() == nil && r.onDeadFork(t) {
			t.Fatalf("a Revert waited: the window still ends on a dead fork: %v", err)
		}
	}
}

// onDeadFork: the journal's head is a block that is no longer canonical although
// the chain has another one there.
func (r *run) onDeadFork(t *rapid.T) bool {
	st, err := r.daemon.journal.Stat(Stream.Name)
	must(t, err)
	canon := r.chain.now.canon
	return st.Last.Number < uint64(len(canon)) && canon[st.Last.Number].BlockRef != st.Last
}

func (r *run) relaySome(t *rapid.T) {
	i := rapid.IntRange(0, 1).Draw(t, "sink")
	for range rapid.IntRange(1, 3).Draw(t, "moves") {
		r.daemon.faults[i].after = rapid.IntRange(-3, 8).Draw(t, "fail after")
		// A load waits for the writer: it is stopped amid that, or comes to its end.
		r.tolerate(t, r.relay(i, rapid.SampledFrom([]time.Duration{time.Millisecond, time.Second}).Draw(t, "patience")))
	}
	r.daemon.faults[i].after = -1
}

func (r *run) fillSome(t *rapid.T) {
	r.plan(t)
	_, err := r.filled()
	r.tolerate(t, err)
}

// crash cuts the power at the n-th journal operation from now, or, with 0, now.
func (r *run) crash(t *rapid.T) {
	seed := rapid.Uint64().Draw(t, "what stays")
	r.disk.cutAfter(rapid.IntRange(0, 6).Draw(t, "operations"), seed)
}

// runAll lets the product run by itself, everything side by side.
func (r *run) runAll(t *rapid.T) {
	r.node.set(Plan{})
	must(t, r.daemon.Run(context.Background(), 3*time.Second))
	if r.disk.left() == nil {
		must(t, r.restart())
	}
}

// restart is an orderly stop and start: nothing happens then that does not happen
// at every step.
func (r *run) restart() error { return r.reboot(r.daemon.disk) }

func (r *run) lateAddress(t *rapid.T) {
	if len(r.watched) == 5 || r.disk.left() != nil {
		return
	}
	r.watched = append(r.watched[:len(r.watched):len(r.watched)], addr(len(r.watched)+1))
	must(t, r.restart())
}

func (r *run) backUp(t *rapid.T) {
	if r.disk.left() != nil {
		return
	}
	must(t, r.restart())
	r.backup = r.disk.Copy()
	r.sinks = append(r.sinks, savedSinks{r.table.Copy(), r.log.Copy()})
}

// restore brings the data folder of a back-up: the journal has forgotten its end.
func (r *run) restore(t *rapid.T) {
	if r.backup == nil {
		return
	}
	clear(r.steps)
	r.excuse = true
	must(t, r.reboot(r.backup.Copy()))
	st, err := r.daemon.journal.Stat(Stream.Name)
	must(t, err)
	must(t, r.steps[r.daemon.journal.ID()].trust(r.daemon.journal, st))
}

// lose starts on an empty disk. A sink that is empty then, beside one that is not,
// lacks what lies below the new journal's beginning, and is red.
func (r *run) lose(t *rapid.T) {
	whole := slices.ContainsFunc(r.log.messages, func(m message) bool { return m.end })
	r.excuse = r.excuse || r.table.pos.Empty() || !whole
	must(t, r.reboot(NewDisk()))
}

func (r *run) moveClock(t *rapid.T) {
	r.clock = time.Duration(rapid.IntRange(-200, 200).Draw(t, "hours")) * time.Hour
}

// second starts another process with a journal of its own on the same sinks, lets
// it take over, and goes on with the first.
func (r *run) second(t *rapid.T) {
	if r.disk.left() != nil {
		return
	}
	r.node.set(Plan{})
	other, err := r.Boot(NewDisk())
	if err != nil {
		return
	}
	r.excuse = true
	first := r.daemon
	r.daemon = other
	for range rapid.IntRange(1, 3).Draw(t, "moves") {
		_, err := r.write()
		r.tolerate(t, err)
		r.tolerate(t, r.relay(0, time.Second))
		r.tolerate(t, r.relay(1, time.Second))
	}
	other.die()
	must(t, other.journal.Close())
	r.daemon = first
	r.disk.onCut = first.die
}

// purge empties one of the sinks behind everybody's back.
func (r *run) purge(t *rapid.T) {
	if rapid.Bool().Draw(t, "table") {
		r.table.rows, r.table.pos = map[key]version{}, chain.Position{}
	} else {
		r.log.messages = nil
	}
	r.maybeRestart(t)
}

// restoreSinks brings a sink's own back-up.
func (r *run) restoreSinks(t *rapid.T) {
	if len(r.sinks) == 0 {
		return
	}
	saved := r.sinks[len(r.sinks)-1]
	if rapid.Bool().Draw(t, "table") {
		*r.table = *saved.table.Copy()
	} else {
		*r.log = *saved.log.Copy()
	}
	r.maybeRestart(t)
}

func (r *run) maybeRestart(t *rapid.T) {
	r.excuse = true
	if r.disk.left() != nil || rapid.Bool().Draw(t, "restart") {
		must(t, r.restart())
	}
}

var _ indexer.Sink = (*LogSink)(nil)
