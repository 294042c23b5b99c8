package indexer

import (
	"context"
	"iter"
	"sync"
)

// ahead yields fetch of every item that next gives, in next's order. Up to n calls
// run at once, and none starts more than window places ahead of the consumer, who
// thereby slows the fetching down; a window below 2n loses nearly half of the
// concurrency to waiting for the slowest call. next is called under a lock, with a
// context that ends with the loop: it may wait for what the consumer gives. It
// stops after the first error. No call outlives the loop that ranges over it.
func ahead[I, T any](ctx context.Context, n, window int, next func(context.Context) (I, bool), fetch func(context.Context, I) (T, error)) iter.Seq2[T, error] {
	type result struct {
		v   T
		err error
		end bool
	}
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()

		places := make(chan struct{}, window)  // taken before a call, freed when consumed
		results := make([]chan result, window) // results[i%window] takes the result of call i
		for i := range results {
			results[i] = make(chan result, 1)
		}
		turn := make(chan struct{}, 1) // held by who takes a ticket; no mutex, for next may wait
		tickets, ended := 0, false
		take := func() (slot chan result, item I, more bool) {
			turn <- struct{}{}
			defer func() { <-turn }()
			if ended {
				return nil, item, false
			}
			item, more = next(ctx)
			slot, ended = results[tickets%window], !more
			tickets++
			return slot, item, more
		}
		work := func() {
			for {
				select {
				case places <- struct{}{}:
				case <-ctx.Done():
					return
				}
				slot, item, more := take()
				if !more {
					if slot != nil {
						slot <- result{end: true}
					}
					return
				}
				v, err := fetch(ctx, item)
				slot <- result{v: v, err: err}
			}
		}
		for range n {
			workers.Go(work)
		}
		for i := 0; ; i++ {
			var r result
			select {
			case r = <-results[i%window]:
				<-places
			case <-ctx.Done():
				r.err = context.Cause(ctx)
			}
			if r.end || !yield(r.v, r.err) || r.err != nil {
				return
			}
		}
	}
}
