package pool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
)

// Next implements indexer.Source: it is as much of the range's beginning as the
// endpoint that would give it soonest gives at once.
func (p *Pool) Next(r indexer.Range, want indexer.Want) indexer.Range {
	able := p.able(time.Now(), indexer.Range{From: r.From, To: r.From}, want)
	n := p.leader().span.len(want.Dense)
	if len(able) > 0 {
		n = able[0].span.len(want.Dense)
	}
	return indexer.Range{From: r.From, To: min(r.To, r.From+n-1)}
}

const (
	retries = 2 // how often a range is asked for again after an error that says nothing of it
	waits   = 8 // and after one that only says that it came too soon
)

// Fetch implements indexer.Source. Above finalized the leader answers, so that one
// fork is seen; at or below it, whoever answers soonest. A range sticks to one
// endpoint, which gets it in parts where it will not take it whole.
//
// An error that nobody knows is not believed at once: the range is asked for again,
// twice, then in halves; one block alone is read from its receipts, and only when
// that fails, too, the error is shown. Nothing is ever left out.
func (p *Pool) Fetch(ctx context.Context, r indexer.Range, want indexer.Want) (indexer.Fetched, error) {
	f, err := p.fetch(ctx, p.able(time.Now(), r, want), r, want)
	for try := 0; passing(err, try) && ctx.Err() == nil; try++ {
		pause(ctx, outFirst<<min(try, retries)/2+rand.N(outFirst<<min(try, retries)/2))
		f, err = p.fetch(ctx, p.able(time.Now(), r, want), r, want)
	}
	hung := r.Len() == 1 && ethrpc.VerdictOf(err).Kind == ethrpc.Silent // over this block, perhaps
	switch {
	case !strange(err) && !errors.Is(err, indexer.ErrTooLarge) && !hung || ctx.Err() != nil:
		return f, err
	case r.Len() > 1:
		return halves(r, r.From+r.Len()/2-1, want, func(r indexer.Range) (indexer.Fetched, error) { return p.Fetch(ctx, r, want) })
	case !want.Receipts:
		return p.byReceipts(ctx, r, want, err)
	}
	return f, fmt.Errorf("block %d alone: %w", r.From, err)
}

// byReceipts reads the logs of a block, which nobody gives for the reason why, from
// its receipts; where nobody is left to be asked, the leader is.
func (p *Pool) byReceipts(ctx context.Context, r indexer.Range, want indexer.Want, why error) (indexer.Fetched, error) {
	want.Receipts = true
	able := p.able(time.Now(), r, want)
	if len(able) == 0 {
		able = []*member{p.leader()}
	}
	f, err := p.fetch(ctx, able, r, want)
	if err != nil {
		return indexer.Fetched{}, fmt.Errorf("block %d alone: %w; and by its receipts: %v", r.From, why, err)
	}
	f.Transactions = nil
	return f, nil
}

// passing: all that was fetched ahead would be lost if this error were the range's,
// and it may not last. The gate knows how long to wait where it came too soon.
func passing(err error, tries int) bool {
	v := ethrpc.VerdictOf(err)
	switch {
	case err == nil, chain.IsFatal(err), errors.Is(err, indexer.ErrTorn):
		return false
	case v.Kind == ethrpc.Limited:
		return tries < waits && v.Wait <= patience
	case v.Kind == ethrpc.Transient:
		return tries < retries
	}
	return tries < retries && strange(err)
}

// strange: the error says nothing of what would mend it.
func strange(err error) bool {
	kind := ethrpc.VerdictOf(err).Kind
	return err != nil && (kind == ethrpc.Unknown || kind == ethrpc.Overloaded)
}

// fetch asks one able endpoint after the other.
func (p *Pool) fetch(ctx context.Context, able []*member, r indexer.Range, want indexer.Want) (f indexer.Fetched, err error) {
	torn := func(err error) bool { return want.Dense && errors.Is(err, indexer.ErrTorn) } // the chain moved: the others say nothing of that
	err = p.try(ctx, able, torn, func(m *member) (err error) {
		f, err = m.read(ctx, r, want)
		return err
	})
	return f, err
}

// able are the endpoints that have a range, the best first.
func (p *Pool) able(now time.Time, r indexer.Range, want indexer.Want) []*member {
	lead := p.leader()
	heads, _ := lead.shown()
	in := slices.DeleteFunc(p.candidates(now), func(m *member) bool {
		return m != lead && !m.reaches(max(r.To, want.Anchor.Number), heads.Latest.Number)
	})
	if !want.Dense {
		slices.SortStableFunc(in, func(a, b *member) int { return cmp.Compare(a.burden(now, r), b.burden(now, r)) })
	}
	return in
}

// burden is how long a range would take, with the calls that wait before it. Of a
// range of one block it is what a block takes, in a range as long as it may be.
func (m *member) burden(now time.Time, r indexer.Range) time.Duration {
	m.mu.Lock()
	active := m.active
	m.mu.Unlock()
	length := m.span.len(false)
	parts := (r.Len() + length - 1) / length
	took := max(m.Gate.latency(0.5), time.Millisecond)
	all := m.Gate.delay(now) + time.Duration(uint64(active)+parts)*took
	if r.Len() == 1 {
		return all / time.Duration(length)
	}
	return all
}

// read fetches a range from this endpoint, in parts where it will not give it whole.
func (m *member) read(ctx context.Context, r indexer.Range, want indexer.Want) (f indexer.Fetched, err error) {
	again := func(r indexer.Range) (indexer.Fetched, error) { return m.read(ctx, r, want) }
	if most := m.span.cap(); most > 0 && r.Len() > most {
		return halves(r, r.From+even(r.Len(), most)-1, want, again)
	}
	err = m.ask(ctx, func(ctx context.Context) (err error) {
		began := time.Now()
		if f, err = m.Endpoint.Fetch(ctx, r, want); ethrpc.VerdictOf(err).Kind == ethrpc.Silent {
			return m.hangs(began, want, err)
		}
		if err == nil || errors.Is(err, indexer.ErrTooLarge) {
			m.reads()
		}
		return err
	})
	m.span.learn(r.Len(), want.Dense, f, err)
	if r.Len() == 1 || !errors.Is(err, indexer.ErrTooLarge) {
		return f, err
	}
	return halves(r, cut(r, err), want, again)
}

// halves reads a range in two parts, the first of which ends with block middle.
func halves(r indexer.Range, middle uint64, want indexer.Want, read func(indexer.Range) (indexer.Fetched, error)) (indexer.Fetched, error) {
	low, err := read(indexer.Range{From: r.From, To: middle})
	if err != nil {
		return indexer.Fetched{}, err
	}
	high, err := read(indexer.Range{From: middle + 1, To: r.To})
	if err != nil {
		return indexer.Fetched{}, err
	}
	if want.Dense && high.Blocks[0].Parent != low.Blocks[len(low.Blocks)-1].Hash {
		return indexer.Fetched{}, indexer.ErrTorn
	}
	return indexer.Fetched{
		Blocks: slices.Concat(low.Blocks, high.Blocks), Events: slices.Concat(low.Events, high.Events),
		All: low.All + high.All, Bytes: low.Bytes + high.Bytes,
		Transactions: slices.Concat(low.Transactions, high.Transactions),
	}, nil
}

// Headers implements indexer.Source: the leader answers, or the next one where it fails.
func (p *Pool) Headers(ctx context.Context, numbers []uint64) (headers []chain.Block, err error) {
	err = p.try(ctx, p.candidates(time.Now()), nil, func(m *member) error {
		return m.ask(ctx, func(ctx context.Context) (err error) {
			headers, err = m.Endpoint.Headers(ctx, numbers)
			return err
		})
	})
	return headers, err
}
