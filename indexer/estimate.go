package indexer

import (
	"context"
	"fmt"
	"time"

	"superindex/chain"
)

// Estimate is what following a network is expected to cost, from samples of it that
// are read as a Writer would read them. What the sinks take is not in it.
type Estimate struct {
	Start  uint64 // the first block
	Heads  Heads
	Blocks uint64 // from Start to the latest

	Logs, Events float64 // a block, as sampled: all, and those of watched addresses
	Span         uint64  // blocks that one request brings at or below finalized
	Requests     uint64  // to reach the latest block
	Calls        uint64  // in them, as providers count
	Time         time.Duration

	BlockTime time.Duration // 0 where it could not be measured
	// LiveRequests and LiveCalls are an hour's, once the latest block is reached.
	LiveRequests, LiveCalls uint64
}

// What a request is made of: three heads; a range's logs, two ends and the anchor;
// a header a block above finalized, and the logs; in receipts mode a block and its
// receipts, and the anchor.
const (
	headsCalls   = 3
	sparseCalls  = 4
	receiptCalls = 2

	atOnce = 8 // requests: an endpoint lets more be under way, but does not answer them sooner
)

// samples is how many requests are made, at places spread over the history: enough
// for a Source to find how much it gives at once.
const samples = 7

// Estimate resolves the start and reads samples from there to the finalized block,
// or, where hardly anything lies between, of the chain's last blocks.
func (net Network) Estimate(ctx context.Context, pace Pace) (e Estimate, err error) {
	pace = pace.withDefaults()
	if e.Heads, err = net.Source.Heads(ctx); err != nil {
		return e, fmt.Errorf("read the heads of %s: %w", net.Stream, err)
	}
	if e.Start, err = net.Start.Resolve(ctx, net.Source, e.Heads.Final); err != nil {
		return e, fmt.Errorf("%s: %w", net.Stream, err)
	}
	latest, final := e.Heads.Latest.Number, e.Heads.Final.Number
	e.Blocks = latest + 1 - min(e.Start, latest+1)
	low := max(1, min(e.Start, final-min(final, sampleBelow)))
	took, err := e.sample(ctx, net, Range{low, latest})
	if err != nil {
		return e, err
	}
	all, want := Range{low, low + 1<<32}, net.sampled()
	e.Span = net.Source.Next(all, want).Len()
	want.Dense = true
	e.count(took, net.Source.Next(all, want).Len(), net.Receipts, pace)
	return e, nil
}

// sampled is what is read of a sample.
func (net Network) sampled() Want { return Want{Watched: net.Watch, Receipts: net.Receipts} }

// sampleBelow is how far below finalized is sampled at least: fewer blocks say too
// little of a chain.
const sampleBelow = 1000

// sample reads at places spread over a range, and returns how long a request takes.
func (e *Estimate) sample(ctx context.Context, net Network, all Range) (took time.Duration, err error) {
	var first chain.Block
	blocks, logs, events := uint64(0), 0, 0
	for i := range uint64(samples) {
		r := Range{all.From + (all.To-min(all.From, all.To))/samples*i, all.To}
		if r.From > r.To {
			break // the chain has hardly begun
		}
		r = net.Source.Next(r, net.sampled())
		began := time.Now()
		f, err := net.Source.Fetch(ctx, r, net.sampled())
		if err != nil {
			return 0, fmt.Errorf("sample blocks %d to %d of %s: %w", r.From, r.To, net.Stream, err)
		}
		took = time.Since(began)
		if end := f.Blocks[len(f.Blocks)-1]; i == 0 {
			first = f.Blocks[0]
		} else {
			e.BlockTime = end.When().Sub(first.When()) / time.Duration(max(1, end.Number-first.Number))
		}
		blocks, logs, events = blocks+r.Len(), logs+f.All, events+len(f.Events)
	}
	e.Logs, e.Events = float64(logs)/float64(max(1, blocks)), float64(events)/float64(max(1, blocks))
	return took, nil
}

// count multiplies: ranges up to finalized, every header above it, so many blocks at
// once, and then the head.
func (e *Estimate) count(took time.Duration, denseSpan uint64, receipts bool, pace Pace) {
	final := e.Heads.Final.Number
	sparse := final + 1 - min(e.Start, final+1)
	dense := e.Blocks - min(e.Blocks, sparse)
	ranges, runs := (sparse+e.Span-1)/e.Span, (dense+denseSpan-1)/denseSpan
	e.Requests, e.Calls = ranges+runs, ranges*sparseCalls+dense+runs
	if receipts {
		e.Calls = receiptCalls*(sparse+dense) + ranges + runs
	}
	e.Time = time.Duration(e.Requests) * took / time.Duration(min(pace.Calls, atOnce))
	if e.BlockTime > 0 {
		// A look in four finds nothing (see tempo); each of the others brings a block.
		blocks := uint64(time.Hour / e.BlockTime)
		looks := blocks + blocks/3
		e.LiveRequests, e.LiveCalls = looks+blocks, headsCalls*looks+2*blocks
		if receipts {
			e.LiveCalls += (receiptCalls - 1) * blocks
		}
	}
}
