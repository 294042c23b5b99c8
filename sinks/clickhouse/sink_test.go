package clickhouse

import (
	"context"
	"errors"
	"strings"
	"testing"

	"superindex/chain"
)

func TestARevertRemovesWhatLiesAboveItsBlock(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	first := h.apply(1, 4, 'a', 2)
	revert := h.revert(2, 'a', chain.Reorg)
	again := h.apply(3, 3, 'b', 1)
	w.write(sink, first, revert, again)

	w.want("SELECT toString((block_number, count())) FROM events GROUP BY ALL ORDER BY ALL", "(1,2)", "(2,2)", "(3,1)")
	w.want("SELECT hash FROM blocks ORDER BY number DESC LIMIT 1", h.ref(3, 'b').Hash.String())
	w.want("SELECT toString((network, time, from_number, to_number, depth, seq)) FROM reorgs", "('op','2027-01-15 08:00:00',4,2,2,1099511627778)")
}

// Whatever comes again, from whatever step on and in whatever groups, changes
// nothing.
func TestRepetitionsChangeNothing(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	steps := []chain.Step{
		h.revert(0, 'a', chain.Begin), h.apply(1, 4, 'a', 2), h.revert(2, 'a', chain.Reorg), h.apply(3, 4, 'b', 1),
		h.revert(2, 'a', chain.Reorg), h.apply(3, 5, 'a', 3), // A -> B -> A
	}
	w.write(sink, steps...)
	const rows = "SELECT toString((block_number, log_index, block_hash, seq)) FROM events ORDER BY ALL"
	once := w.read(rows)
	if len(once) != 2+2+9 {
		t.Fatalf("%d rows, want 13: %v", len(once), once)
	}
	position, err := sink.Position(t.Context(), h.stream)
	if err != nil {
		t.Fatal(err)
	}
	for from := range steps {
		for to := from + 1; to <= len(steps); to++ {
			if err := sink.Write(t.Context(), steps[from:to]); err != nil {
				t.Fatal(err)
			}
		}
	}
	w.want(rows, once...)
	w.want("SELECT toString((from_number, to_number)) FROM reorgs ORDER BY seq", "(4,2)", "(4,2)")
	w.want("SELECT toString(count()) FROM blocks", "5")
	if again, err := sink.Position(t.Context(), h.stream); err != nil || again != position {
		t.Errorf("the position became %+v, %v", again, err)
	}
}

// A revert of much is cut into runs, from the top down.
func TestALargeRevertGoesInRuns(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	sink.runBytes = 10_000 // some fifteen events
	w.write(sink, h.apply(1, 30, 'a', 7))
	revert := h.revert(3, 'a', chain.Reorg)
	starts, err := sink.runs(t.Context(), selection{events, &revert, 4, 1 << 40, nil})
	if err != nil || len(starts) < 10 || starts[len(starts)-1] != 4 {
		t.Fatalf("runs start at %v, %v", starts, err)
	}
	for i := 1; i < len(starts); i++ {
		if starts[i] >= starts[i-1] {
			t.Fatalf("runs do not go down: %v", starts)
		}
	}
	w.write(sink, revert)
	w.want("SELECT toString((block_number, count())) FROM events GROUP BY ALL ORDER BY ALL", "(1,7)", "(2,7)", "(3,7)")
	w.want("SELECT toString(count()) FROM blocks", "3")
	w.want("SELECT toString((count(), uniqExact(block_number, log_index))) FROM raw_events WHERE deleted", "(189,189)")
}

func TestOneInsertIsOnePart(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	w.write(w.sink(), h.apply(1, 400, 'a', 30), h.apply(401, 600, 'a', 30)) // sent in three blocks
	w.want("SELECT toString((sum(rows), max(max_block_number) - min(min_block_number) + 1)) FROM system.parts WHERE database = currentDatabase() AND table = 'raw_events' AND active", "(18000,1)")
}

func (h *history) fill(from, to uint64, addresses []chain.Address, events ...chain.Event) chain.Step {
	s := h.step()
	s.Fill = &chain.Fill{From: from, To: h.ref(to, 'a'), Addresses: addresses, Events: events}
	for _, e := range events {
		s.Fill.Blocks = append(s.Fill.Blocks, h.block(e.Block.Number, 'a', 1))
	}
	return s
}

func TestAFillReplacesItsAddressesInItsRange(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	w.write(sink, h.apply(1, 4, 'a', 2)) // addresses 0001.. and 0101.. in each block
	h.final = h.ref(4, 'a')
	const rows = "SELECT toString((block_number, log_index, substring(address, 3, 4), event)) FROM events ORDER BY ALL"
	one := chain.Address{1, 1}

	again := h.events(h.block(2, 'a', 1), 2)[1]
	again.Name = "Again"
	late := h.events(h.block(3, 'a', 1), 2)[1]
	late.Index, late.Name = 9, "Late"
	steps := []chain.Step{h.fill(2, 3, []chain.Address{one, {0xee}}, again, late)}
	want := []string{
		"(1,0,'0001','Transfer')", "(1,1,'0101','Transfer')", "(2,0,'0001','Transfer')", "(2,1,'0101','Again')",
		"(3,0,'0001','Transfer')", "(3,9,'0101','Late')", "(4,0,'0001','Transfer')", "(4,1,'0101','Transfer')",
	}
	w.write(sink, steps...)
	w.want(rows, want...)
	w.write(sink, steps...)
	w.want(rows, want...)

	steps = append(steps, h.fill(2, 4, nil, again)) // no address: all
	w.write(sink, steps...)
	w.want(rows, "(1,0,'0001','Transfer')", "(1,1,'0101','Transfer')", "(2,1,'0101','Again')")
	w.want("SELECT toString(number) FROM blocks ORDER BY number", "1", "2", "3", "4")

	w.write(sink, append(steps, h.fill(1, 4, nil))...) // nothing was there
	w.want(rows)
}

// A block keeps what is known of it when a fill has read only some of its logs,
// and says how many watched ones there are now.
func TestAFillKeepsTheBlocksItFinds(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	w.write(sink, h.apply(1, 3, 'a', 2))
	h.final = h.ref(9, 'a')
	late := h.events(h.block(2, 'a', 1), 1)[0]
	late.Address, late.Index = chain.Address{0xee}, 9
	old := h.events(h.block(5, 'a', 1), 1)[0]
	add := h.fill(1, 9, []chain.Address{{0xee}}, late, old)
	for i := range add.Fill.Blocks {
		add.Fill.Blocks[i].Parent, add.Fill.Blocks[i].Txs = chain.Hash{}, 0
	}
	repair := h.fill(1, 3, nil, late)
	const rows = "SELECT toString((number, parent_hash != '', tx_count, watched_log_count)) FROM blocks ORDER BY number"
	w.write(sink, add)
	want := []string{"(1,1,2,2)", "(2,1,2,3)", "(3,1,2,2)", "(5,0,NULL,1)"}
	w.want(rows, want...)
	w.write(sink, add)
	w.want(rows, want...)
	w.write(sink, repair)
	want = []string{"(1,1,2,0)", "(2,1,2,1)", "(3,1,2,0)", "(5,0,NULL,1)"}
	w.want(rows, want...)
	w.write(sink, add, repair)
	w.want(rows, want...)
}

// As text so many addresses would exceed the server's limit for a query.
func TestAFillOfManyAddresses(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	first := h.apply(1, 2, 'a', 3)
	h.final = h.ref(2, 'a')
	addresses := []chain.Address{first.Apply.Events[1].Address}
	for i := range 20_000 {
		addresses = append(addresses, chain.Address{0xff, byte(i >> 8), byte(i)})
	}
	w.write(sink, first, h.fill(1, 2, addresses))
	w.want("SELECT toString((block_number, log_index)) FROM events ORDER BY ALL", "(1,0)", "(1,2)", "(2,0)", "(2,2)")
}

func TestALaterObservationReplaces(t *testing.T) {
	w, h := newWarehouse(t), newHistory("feeds")
	sink := w.sink()
	observe := func(rows ...chain.Row) chain.Step {
		s := h.step()
		s.Rows = &chain.Rows{Feed: "github", Rows: rows}
		return s
	}
	steps := []chain.Step{
		observe(chain.Row{Kind: "star", ID: "1", Time: 100, Body: []byte(`{"n":1}`)}, chain.Row{Kind: "star", ID: "2", Body: []byte(`{"n":2}`)}),
		observe(chain.Row{Kind: "star", ID: "1", Time: 200, Body: []byte(`{"n":3}`)}, chain.Row{Kind: "star", ID: "1", Time: 300, Body: []byte(`{"n":4}`)}),
	}
	const rows = "SELECT toString((feed, kind, id, stream, toUnixTimestamp(time), body, ord)) FROM raw_rows FINAL ORDER BY ALL"
	want := []string{`('github','star','1','feeds',300,'{"n":4}',1)`, `('github','star','2','feeds',0,'{"n":2}',1)`}
	w.write(sink, steps...)
	w.want(rows, want...)
	for n := range steps {
		w.write(sink, steps[n:]...)
		w.want(rows, want...)
	}
}

func TestPosition(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	if got, err := sink.Position(t.Context(), h.stream); err != nil || !got.Empty() {
		t.Fatalf("of an empty warehouse: %+v, %v", got, err)
	}
	h.final = h.ref(1, 'a')
	step := h.apply(1, 2, 'a', 1)
	w.write(sink, step)
	want := chain.Position{
		Journal: step.Journal, Seq: step.Seq, Digest: step.Digest, High: step.Seq, HighDigest: step.Digest,
		Final: h.final, Watch: step.Apply.Watch,
	}
	for _, sink := range []*Sink{sink, w.sink()} {
		if got, err := sink.Position(t.Context(), h.stream); err != nil || got != want {
			t.Errorf("it is %+v, %v; want %+v", got, err, want)
		}
	}
}

// What is no longer held cannot be called finalized: a new journal would begin
// above the rows that are there.
func TestARevertBelowFinalizedTakesItDown(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	h.final = h.ref(3, 'a')
	w.write(sink, h.apply(1, 4, 'a', 1), h.revert(2, 'a', chain.Rewind))
	if got, err := sink.Position(t.Context(), h.stream); err != nil || got.Final != h.ref(2, 'a') {
		t.Errorf("finalized is %v, %v; want block 2", got.Final, err)
	}
}

func TestASecondDaemonIsRefused(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	one, two := w.sink(), w.sink()
	w.write(one, h.apply(1, 1, 'a', 1))
	w.write(two, h.apply(2, 2, 'a', 1))
	late := h.apply(3, 3, 'a', 1)
	err := one.Write(t.Context(), []chain.Step{late})
	if !chain.IsFatal(err) || !strings.Contains(err.Error(), "another daemon wrote") || !strings.Contains(err.Error(), "superindex journal adopt") {
		t.Fatalf("the first daemon was told: %v", err)
	}
	w.want("SELECT toString(block_number) FROM events ORDER BY ALL", "1", "2")
	w.write(one, late) // it asked for the position
	w.want("SELECT toString(block_number) FROM events ORDER BY ALL", "1", "2", "3")
}

func TestWriteWantsThePositionAskedFor(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink, step := w.sink(), h.apply(1, 1, 'a', 1)
	if err := sink.Write(t.Context(), []chain.Step{step}); !errors.Is(err, errUnasked) {
		t.Fatalf("before Position: %v", err)
	}
	w.write(sink, step)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := sink.Write(ctx, []chain.Step{h.apply(2, 2, 'a', 1)}); err == nil || chain.IsFatal(err) {
		t.Fatalf("cancelled: %v", err)
	}
	if err := sink.Write(t.Context(), []chain.Step{step}); !errors.Is(err, errUnasked) {
		t.Fatalf("after a failure: %v", err)
	}
	if err := sink.Write(t.Context(), nil); err != nil {
		t.Errorf("nothing to write: %v", err)
	}
}

// A statement can outlive the client that gave up on it. What it then leaves is
// no stranger's.
func TestALateSuccessOfAFailedWriteIsOurs(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	first, second := h.apply(1, 1, 'a', 1), h.apply(2, 2, 'a', 1)
	w.write(sink, first)
	held, err := sink.readState(t.Context(), h.stream)
	if err != nil {
		t.Fatal(err)
	}
	// as a Write that failed at the last statement leaves it
	if err := sink.settle(t.Context(), h.stream, sink.stream(h.stream), held, held.after([]chain.Step{second})); err != nil {
		t.Fatal(err)
	}
	if err := sink.Write(t.Context(), []chain.Step{second, h.apply(3, 3, 'a', 1)}); err != nil {
		t.Fatal(err)
	}
	w.want("SELECT toString(block_number) FROM events ORDER BY ALL", "1", "2", "3")
}

// Rows whose position was never written show in High, whichever table they are
// in, and of which kind of step; the position stays where it was.
func TestTheRowsOfACutWriteShowInHigh(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	h.stream.Name = "it's"
	sink := w.sink()
	first := h.apply(1, 3, 'a', 2)
	fill := h.fill(2, 2, nil, h.events(h.block(2, 'a', 1), 1)...)
	removal := h.fill(3, 3, nil)
	observe := h.step()
	observe.Rows = &chain.Rows{Feed: "coverage", Rows: []chain.Row{{Kind: "logs", ID: "1", Body: []byte("{}")}}}
	revert := h.revert(2, 'a', chain.Reorg)
	begin := h.revert(1, 'a', chain.Begin)
	w.write(w.sink(), newHistory("another").apply(1, 9, 'a', 1)) // is not seen
	want := chain.Position{}
	check := func() {
		t.Helper()
		for _, sink := range []*Sink{sink, w.sink()} {
			if got, err := sink.Position(t.Context(), h.stream); err != nil || got != want {
				t.Errorf("it is %+v, %v; want %+v", got, err, want)
			}
		}
	}
	for _, cut := range []chain.Step{first, fill, removal, observe, revert, begin} {
		if err := sink.writeRows(t.Context(), []chain.Step{cut}); err != nil {
			t.Fatal(err)
		}
		want.High, want.HighDigest = cut.Seq, cut.Digest
		check()
	}
	w.write(sink, first, fill)
	want.Journal, want.Seq, want.Digest, want.Watch = fill.Journal, fill.Seq, fill.Digest, first.Apply.Watch
	check()
	w.write(sink, removal, observe, revert, begin)
	want = chain.Position{Journal: begin.Journal, Seq: begin.Seq, Digest: begin.Digest, High: begin.Seq, HighDigest: begin.Digest, Final: begin.Revert.To, Watch: want.Watch}
	check()
}

// A journal that is lost after this begins at what the sink says is final: nothing
// at or below that may be missing.
func TestABeginThatWasCutHasLoweredWhatIsFinal(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	first := h.apply(1, 4, 'a', 1)
	first.Apply.Safe, first.Apply.Final = h.ref(4, 'a'), h.ref(3, 'a')
	w.write(sink, first)
	w.exec("RENAME TABLE raw_blocks TO away")
	if err := sink.Write(t.Context(), []chain.Step{h.revert(1, 'a', chain.Begin)}); err == nil {
		t.Fatal("it wrote to a table that is not there")
	}
	w.exec("RENAME TABLE away TO raw_blocks")
	got, err := sink.Position(t.Context(), h.stream)
	if err != nil || got.Seq != first.Seq || got.Final != h.ref(1, 'a') {
		t.Fatalf("it is %+v, %v; want step %d and final 1", got, err, first.Seq)
	}
}
