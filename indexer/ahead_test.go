package indexer

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"superindex/internal/chance"
)

// count gives n items: 0, 1, 2 and so on.
func count(n int) func(context.Context) (int, bool) {
	i := -1
	return func(context.Context) (int, bool) { i++; return i, i < n }
}

func TestAheadGivesResultsInOrder(t *testing.T) {
	var takes [500]time.Duration
	for i, rng := 0, chance.New(t); i < len(takes); i++ {
		takes[i] = time.Duration(rng.IntN(1000)) * time.Millisecond
	}
	for _, window := range []int{8, 16, 64} {
		synctest.Test(t, func(t *testing.T) { // fails if a goroutine is left behind
			var inFlight, peak atomic.Int64
			fetch := func(ctx context.Context, i int) (int, error) {
				peak.Store(max(peak.Load(), inFlight.Add(1)))
				defer inFlight.Add(-1)
				wait(ctx, takes[i])
				return i, ctx.Err()
			}
			want := 0
			for got, err := range ahead(t.Context(), 8, window, count(len(takes)), fetch) {
				if err != nil || got != want {
					t.Fatalf("got %d, %v; want %d", got, err, want)
				}
				want++
			}
			if want != len(takes) || peak.Load() > 8 || inFlight.Load() != 0 {
				t.Fatalf("%d results, %d calls at once, %d left", want, peak.Load(), inFlight.Load())
			}
		})
	}
}

func TestAheadStaysInItsWindow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var started atomic.Int64
		fetch := func(_ context.Context, i int) (int, error) { started.Add(1); return i, nil }
		taken := int64(0)
		for range ahead(t.Context(), 2, 4, count(100), fetch) {
			synctest.Wait()
			if taken++; started.Load() > taken+4 {
				t.Fatalf("%d calls were started when %d were taken", started.Load(), taken)
			}
		}
	})
}

// What next waits for may come from the consumer only: a loop that is left ends the
// wait.
func TestAheadLeavesANextThatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom, n, waits := errors.New("boom"), 0, make(chan struct{})
		next := func(ctx context.Context) (int, bool) {
			if n++; n > 2 {
				close(waits)
				<-ctx.Done()
			}
			return n, ctx.Err() == nil
		}
		var last error
		for _, err := range ahead(t.Context(), 4, 8, next, func(context.Context, int) (int, error) {
			<-waits
			return 0, boom
		}) {
			last = err
		}
		if !errors.Is(last, boom) {
			t.Errorf("the loop ended with %v", last)
		}
	})
}

func TestAheadStopsAtTheFirstError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom, n := errors.New("boom"), 0
		var last error
		for _, err := range ahead(t.Context(), 4, 8, count(100), func(_ context.Context, i int) (int, error) {
			if i >= 10 {
				return 0, boom
			}
			return 0, nil
		}) {
			n, last = n+1, err
		}
		if n != 11 || !errors.Is(last, boom) {
			t.Fatal(n, last)
		}
	})
}

func TestAheadEndsWithItsLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fetch := func(ctx context.Context, i int) (int, error) { wait(ctx, time.Hour); return i, ctx.Err() }
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		for _, err := range ahead(ctx, 4, 8, count(100), fetch) {
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
		}
		for range ahead(t.Context(), 4, 8, count(100), func(context.Context, int) (int, error) { return 0, nil }) {
			break
		}
	})
}

func BenchmarkAhead(b *testing.B) {
	fetch := func(_ context.Context, i int) (int, error) { return i, nil }
	for range ahead(b.Context(), 4, 8, count(b.N), fetch) {
	}
}
