package clickhouse

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"superindex/chain"
	"superindex/internal/chance"
)

// Three networks write while the engine is killed six times. What was
// acknowledged is there, and nothing twice.
func TestAcknowledgedIsStoredThroughKills(t *testing.T) {
	w := newWarehouse(t)
	sink := w.sink()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	rng, acked, over := chance.New(t), make(chan struct{}), make(chan struct{})
	g, ctx := errgroup.WithContext(ctx)
	blocks := make([]uint64, 3)
	for i := range blocks {
		g.Go(func() error { return deliver(ctx, sink, newHistory(fmt.Sprint("net", i)), &blocks[i], acked, over) })
	}
	g.Go(func() error {
		defer close(over)
		return killAmid(ctx, rng, acked)
	})
	if err := g.Wait(); err != nil {
		t.Fatal(err)
	}
	for i, n := range blocks {
		t.Logf("net%d: %d blocks", i, n)
		w.want(fmt.Sprintf("SELECT toString((count(), uniqExact(block_number, log_index))) FROM events WHERE network = 'net%d'", i), fmt.Sprintf("(%d,%d)", 5*n, 5*n))
	}
}

// killAmid kills the engine six times, each at some moment after a few more
// steps were acknowledged.
func killAmid(ctx context.Context, rng *rand.Rand, acked <-chan struct{}) error {
	for range 6 {
		for range 1 + rng.IntN(6) {
			select {
			case <-acked:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		time.Sleep(time.Duration(rng.IntN(30_000)) * time.Microsecond)
		if pid := server.Pid(); pid != 0 {
			syscall.Kill(pid, syscall.SIGKILL) // it may be dead already
		}
	}
	return nil
}

// deliver writes a block a step until over, as a relay does.
func deliver(ctx context.Context, sink *Sink, h *history, blocks *uint64, acked chan<- struct{}, over <-chan struct{}) error {
	for {
		if err := retry(ctx, sink, h.apply(*blocks+1, *blocks+1, 'a', 5)); err != nil {
			return err
		}
		*blocks++
		select {
		case acked <- struct{}{}:
		case <-over:
			return nil
		}
	}
}

// retry asks for the position and writes until that worked.
func retry(ctx context.Context, sink *Sink, step chain.Step) error {
	for {
		position, err := sink.Position(ctx, step.Stream)
		if err == nil && position.Seq > step.Seq {
			return fmt.Errorf("the position is %d, after step %d", position.Seq, step.Seq)
		}
		if err == nil {
			err = sink.Write(ctx, []chain.Step{step})
		}
		if err == nil || chain.IsFatal(err) || ctx.Err() != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}
