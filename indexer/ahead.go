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
	return func(yield func(T, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		var workers sync.WaitGroup
		defer workers.Wait()
		defer cancel()
		l := newLookahead(window, next, fetch)
		for range n {
			workers.Go(func() { l.work(ctx) })
		}
		for i := 0; ; i++ {
			r := l.result(ctx, i)
			if r.end || !yield(r.v, r.err) || r.err != nil {
				return
			}
		}
	}
}

// lookahead is the calls of one loop.
type lookahead[I, T any] struct {
	next  func(context.Context) (I, bool)
	fetch func(context.Context, I) (T, error)

	places  chan struct{}     // taken before a call, freed when consumed
	results []chan outcome[T] // the one at i modulo their number takes the result of call i
	turn    chan struct{}     // held by who takes a ticket; no mutex, for next may wait
	tickets int               // taken
	ended   bool              // there is no item more
}

// outcome is what came of a call; end: there was nothing to call for.
type outcome[T any] struct {
	v   T
	err error
	end bool
}

func newLookahead[I, T any](window int, next func(context.Context) (I, bool), fetch func(context.Context, I) (T, error)) *lookahead[I, T] {
	l := &lookahead[I, T]{next: next, fetch: fetch, places: make(chan struct{}, window), results: make([]chan outcome[T], window), turn: make(chan struct{}, 1)}
	for i := range l.results {
		l.results[i] = make(chan outcome[T], 1)
	}
	return l
}

// take gives the next item, and where its result goes; nil where the end is told.
func (l *lookahead[I, T]) take(ctx context.Context) (slot chan outcome[T], item I, more bool) {
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	if l.ended {
		return nil, item, false
	}
	item, more = l.next(ctx)
	slot, l.ended = l.results[l.tickets%len(l.results)], !more
	l.tickets++
	return slot, item, more
}

// work makes calls until there is no item more, or ctx ends.
func (l *lookahead[I, T]) work(ctx context.Context) {
	for {
		select {
		case l.places <- struct{}{}:
		case <-ctx.Done():
			return
		}
		slot, item, more := l.take(ctx)
		if !more {
			if slot != nil {
				slot <- outcome[T]{end: true}
			}
			return
		}
		v, err := l.fetch(ctx, item)
		slot <- outcome[T]{v: v, err: err}
	}
}

// result waits for what came of call i, and frees its place.
func (l *lookahead[I, T]) result(ctx context.Context, i int) (r outcome[T]) {
	select {
	case r = <-l.results[i%len(l.results)]:
		<-l.places
	case <-ctx.Done():
		r.err = context.Cause(ctx)
	}
	return r
}
