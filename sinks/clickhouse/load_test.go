package clickhouse

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"superindex/chain"
	"superindex/sinks/sinktest"
)

// loading steps is one part for each so many rows, and no part of rows that are not
// followed by a position.
func TestALoadIsFewParts(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	sink.loadRows = 1000
	var steps []chain.Step
	for number := uint64(1); number <= 50; number++ {
		steps = append(steps, h.apply(number, number, 'a', 99)) // 100 rows with the block's
	}
	if _, err := sink.Position(t.Context(), h.stream); err != nil {
		t.Fatal(err)
	}
	if err := sinktest.Load(t.Context(), sink, steps...); err != nil {
		t.Fatal(err)
	}
	w.want("SELECT toString((count(), uniqExact(block_number, log_index))) FROM events", "(4950,4950)")
	w.want("SELECT toString((count(), sum(watched_log_count))) FROM blocks", "(50,4950)")
	const inserts = "SELECT toString(max(max_block_number) - min(min_block_number) + 1) FROM system.parts WHERE database = currentDatabase() AND table = '%s' AND active"
	w.want(fmt.Sprintf(inserts, "raw_events"), "5")
	w.want(fmt.Sprintf(inserts, "raw_blocks"), "5")
	nothing := func(context.Context) ([]chain.Step, error) { return nil, nil }
	if err := sink.Load(t.Context(), h.stream, nothing, nil); err != nil {
		t.Error(err)
	}
	w.write(sink, h.apply(51, 51, 'a', 1)) // goes on where the load ended
	w.want("SELECT toString(count()) FROM events WHERE block_number = 51", "1")
	w.want("SELECT toString(head_number) FROM positions FINAL", "51")
}

// What was given before a load failed is there up to the last position or not at all:
// the INSERTs that were under way leave nothing.
func TestALoadThatFailsLeavesWhatIsHeld(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	sink.loadRows = 27
	var steps []chain.Step
	for number := uint64(1); number <= 12; number++ {
		steps = append(steps, h.apply(number, number, 'a', 9)) // three steps a load
	}
	if _, err := sink.Position(t.Context(), h.stream); err != nil {
		t.Fatal(err)
	}
	away, given, held := errors.New("away"), 0, chain.Seq(0)
	err := sink.Load(t.Context(), h.stream, func(context.Context) ([]chain.Step, error) {
		if given == 11 { // three loads have been filled, and a part of the fourth
			return nil, away
		}
		given++
		return steps[given-1 : given], nil
	}, func(last chain.Seq) error {
		held = last
		return nil
	})
	if !errors.Is(err, away) || held != steps[2].Seq {
		t.Fatalf("%v, held up to %d; want %d", err, held, steps[2].Seq)
	}
	if err := sinktest.Load(t.Context(), sink, steps...); !errors.Is(err, errUnasked) {
		t.Errorf("after a failure: %v", err)
	}
	p, err := sink.Position(t.Context(), h.stream)
	if err != nil || p.Seq != steps[2].Seq && p.Seq != steps[5].Seq && p.Seq != steps[8].Seq { // two were being ended
		t.Fatalf("it is %+v, %v", p, err)
	}
	if p.High > steps[8].Seq {
		t.Errorf("rows are there up to %d, of what was not ended", p.High)
	}
	if err := sinktest.Load(t.Context(), sink, steps...); err != nil { // repeats what is held
		t.Fatal(err)
	}
	w.want("SELECT toString((count(), uniqExact(block_number, log_index))) FROM events", "(108,108)")
	w.want("SELECT toString(head_number) FROM positions FINAL", "12")
}

func TestALoadBesideASecondDaemonIsRefused(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	one, two := w.sink(), w.sink()
	one.loadRows = 1
	w.write(one, h.apply(1, 1, 'a', 1))
	steps, given := []chain.Step{h.apply(2, 2, 'a', 1), h.apply(3, 3, 'a', 1), h.apply(4, 4, 'a', 1)}, 0
	err := one.Load(t.Context(), h.stream, func(ctx context.Context) ([]chain.Step, error) {
		if given == 1 { // a load of the first step is on its way
			deadline := time.Now().Add(time.Minute)
			for p := (chain.Position{}); p.Seq != steps[0].Seq; time.Sleep(10 * time.Millisecond) {
				var err error
				if time.Now().After(deadline) {
					return nil, fmt.Errorf("the first load's position is %+v after a minute", p)
				}
				if p, err = two.Position(ctx, h.stream); err != nil {
					return nil, err
				}
			}
			w.write(two, h.apply(9, 9, 'a', 1))
		}
		if given == len(steps) {
			return nil, nil
		}
		given++
		return steps[given-1 : given], nil
	}, func(chain.Seq) error { return nil })
	if !chain.IsFatal(err) || !strings.Contains(err.Error(), "another daemon wrote") {
		t.Fatalf("the first daemon was told: %v", err)
	}
	w.want("SELECT toString(block_number) FROM events WHERE block_number IN (3, 4)")
}

func TestALoadOfAnAlteredTableIsFatal(t *testing.T) {
	w, h := newWarehouse(t), newHistory("op")
	sink := w.sink()
	w.write(sink, h.apply(1, 1, 'a', 1))
	w.exec("ALTER TABLE raw_events DROP COLUMN tx_index")
	var steps []chain.Step
	for number := uint64(2); number < 20; number++ {
		steps = append(steps, h.apply(number, number, 'a', 2))
	}
	fatal(t, sinktest.Load(t.Context(), sink, steps...), "raw_events", "tx_index")
}
