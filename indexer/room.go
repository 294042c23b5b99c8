package indexer

import (
	"context"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// fetchBytes is what the answers of one network take in memory at most, those that
// are under way counted at what the last ones took: one that is larger than any
// before may exceed it, once.
const fetchBytes = 64 << 20

// usualBytes is what an answer is counted at before one came.
const usualBytes = 8 << 20

// room bounds the answers of a network that are under way or wait for their turn: those
// that the writer reads ahead, and the filler's. It is safe for concurrent use.
type room struct {
	left  *semaphore.Weighted
	usual chan int64 // holds one: what an answer takes
}

func newRoom() *room {
	r := &room{semaphore.NewWeighted(fetchBytes), make(chan int64, 1)}
	r.usual <- usualBytes
	return r
}

// stay is what one loop took of a room: take before a call, in the order of the
// calls, give by the consumer, and leave once no call is under way.
type stay struct {
	*room
	taken atomic.Int64 // and not given back yet
}

// take waits for the room of one more answer, and returns what it took.
func (s *stay) take(ctx context.Context) (bytes int64, err error) {
	if bytes, err = s.room.take(ctx); err == nil {
		s.taken.Add(bytes)
	}
	return bytes, err
}

// give gives back what was taken for an answer that is consumed.
func (s *stay) give(bytes int64) {
	s.taken.Add(-bytes)
	s.room.give(bytes)
}

// leave gives back what was taken for answers that nobody will consume.
func (s *stay) leave() { s.give(s.taken.Load()) }

// take waits for the room of one more answer, and returns what it took.
func (r *room) take(ctx context.Context) (bytes int64, err error) {
	bytes = <-r.usual
	r.usual <- bytes
	return bytes, r.left.Acquire(ctx, bytes)
}

// saw learns what an answer takes: up at once, down slowly.
func (r *room) saw(bytes int64) {
	usual := <-r.usual
	r.usual <- min(max(bytes, usual-usual/8, 64<<10), fetchBytes/2)
}

// give gives back what was taken for an answer that is consumed.
func (r *room) give(bytes int64) { r.left.Release(bytes) }
