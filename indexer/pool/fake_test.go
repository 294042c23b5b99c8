package pool

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"time"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
)

// fake is an endpoint on a chain whose block n has n and its fork's name for a
// hash; each block has one log.
type fake struct {
	name string

	mu       sync.Mutex
	head     uint64
	final    uint64
	logs     int                       // in each block
	fork     func(number uint64) byte  // nil: fork 0 everywhere
	id       uint64                    // the chain that it serves; 10 is right
	fail     error                     // of every call
	took     time.Duration             // by every call
	refuse   func(indexer.Range) error // an error in place of an answer; nil: none
	whole    bool                      // it gives blocks with their receipts all the same
	hangs    func(indexer.Range) bool  // it does not answer; asked with a range of no block for what is no range; nil: never
	backends []uint64                  // how far behind each backend is; they answer in turn
	turn     int
	drop     int             // of as many calls, one fails
	asked    map[string]int  // calls by method
	ranges   []indexer.Range // fetched
}

func newFake(name string, head, final uint64) *fake {
	return &fake{name: name, head: head, final: final, id: 10, asked: map[string]int{}, logs: 1}
}

// set changes the fake between two calls.
func (f *fake) set(change func(*fake)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change(f)
}

func (f *fake) count(method string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.asked[method]
}

func hashOf(number uint64, fork byte) (h chain.Hash) {
	binary.BigEndian.PutUint64(h[1:], number)
	h[0], h[31] = fork, 1
	return h
}

func (f *fake) ref(number uint64) chain.BlockRef {
	fork := byte(0)
	if f.fork != nil {
		fork = f.fork(number)
	}
	return chain.BlockRef{Number: number, Hash: hashOf(number, fork)}
}

func (f *fake) block(number uint64) chain.Block {
	b := chain.Block{BlockRef: f.ref(number), Time: 1000 + 2*number}
	if number > 0 {
		b.Parent = f.ref(number - 1).Hash
	}
	return b
}

// call takes its time, then fails or does.
func (f *fake) call(ctx context.Context, method string, do func() error) error {
	f.mu.Lock()
	took := f.took
	f.asked[method]++
	f.mu.Unlock()
	if err := f.hung(ctx, indexer.Range{}); err != nil {
		return err
	}
	pause(ctx, took)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.turn++; len(f.backends) > 0 {
		behind := f.backends[f.turn%len(f.backends)]
		f.head, f.final = f.head-behind, f.final-behind
		defer func() { f.head, f.final = f.head+behind, f.final+behind }()
	}
	if f.drop > 0 && f.turn%f.drop == 0 {
		return fmt.Errorf("rpc %s: %w", f.name, errDown)
	}
	if f.fail != nil {
		return fmt.Errorf("rpc %s: %w", f.name, f.fail)
	}
	return do()
}

// hung waits for as long as a client does, where the fake does not answer.
func (f *fake) hung(ctx context.Context, r indexer.Range) error {
	f.mu.Lock()
	hangs := f.hangs != nil && f.hangs(r)
	f.mu.Unlock()
	if !hangs {
		return nil
	}
	pause(ctx, 30*time.Second)
	return fmt.Errorf("rpc %s: no answer within 30s: %w", f.name, verdictError(ethrpc.Verdict{Kind: ethrpc.Silent}))
}

func (f *fake) Verify(ctx context.Context) error {
	return f.call(ctx, "verify", func() error {
		if f.id != 10 {
			return chain.Fatal(fmt.Errorf("rpc %s: it serves chain %d, not 10", f.name, f.id), "give another")
		}
		return nil
	})
}

func (f *fake) Heads(ctx context.Context) (h indexer.Heads, err error) {
	err = f.call(ctx, "heads", func() error {
		h = indexer.Heads{Latest: f.ref(f.head), Safe: f.ref(f.final), Final: f.ref(f.final)}
		return nil
	})
	return h, err
}

func (f *fake) Headers(ctx context.Context, numbers []uint64) (all []chain.Block, err error) {
	err = f.call(ctx, "headers", func() error {
		for _, n := range numbers {
			if n <= f.head {
				all = append(all, f.block(n))
			}
		}
		return nil
	})
	return all, err
}

func (f *fake) Fetch(ctx context.Context, r indexer.Range, want indexer.Want) (got indexer.Fetched, err error) {
	if err := f.hung(ctx, r); err != nil && !(want.Receipts && f.whole) {
		return got, err
	}
	err = f.call(ctx, "fetch", func() error {
		f.ranges = append(f.ranges, r)
		switch {
		case f.refuse != nil && f.refuse(r) != nil && !(want.Receipts && f.whole):
			return f.refuse(r)
		case r.To > f.head || want.Anchor.Number > f.head:
			return indexer.ErrAbsent
		case want.Anchor != chain.BlockRef{} && f.ref(want.Anchor.Number) != want.Anchor:
			return indexer.ErrTorn
		}
		for n := r.From; n <= r.To; n++ {
			got.Blocks = append(got.Blocks, f.block(n))
			got.All += f.logs
			if want.Receipts {
				got.Transactions = append(got.Transactions, chain.Tx{Block: f.ref(n)})
			}
		}
		got.Bytes = 500 * got.All
		return nil
	})
	return got, err
}

var errDown = errors.New("connection refused")

// poolOf makes a pool of fakes.
func poolOf(t *testing.T, fakes ...*fake) *Pool {
	t.Helper()
	o := Options{Network: "optimism", Log: slog.New(slog.DiscardHandler)}
	for _, f := range fakes {
		o.Members = append(o.Members, Member{Name: f.name, Endpoint: f, Gate: NewGate(0)})
	}
	p, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return p
}
