package pool

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
)

// Endpoint is one RPC endpoint of a network, as ethrpc.Client is.
type Endpoint interface {
	Heads(ctx context.Context) (indexer.Heads, error)
	Headers(ctx context.Context, numbers []uint64) ([]chain.Block, error)
	Fetch(ctx context.Context, r indexer.Range, want indexer.Want) (indexer.Fetched, error)
	// Verify asks which chain it serves; another one than expected is fatal.
	Verify(ctx context.Context) error
}

// Member is an endpoint with its name, which is all of it that is ever shown, and
// the gate that its requests go through.
type Member struct {
	Name     string
	Endpoint Endpoint
	Gate     *Gate
}

// member is an endpoint and what is known of it.
type member struct {
	Member
	span *span

	mu       sync.Mutex
	verified bool          // it said that it serves our chain, and had no trouble since
	err      error         // why it is out, or was until it answers again; nil: it is in
	until    time.Time     // it is not asked before
	fails    int           // in a row
	heads    indexer.Heads // as it showed them last
	seen     time.Time     // when that was; zero: never
	behind   uint64        // blocks that its head was below the leader's then
	active   int           // calls under way
	answered time.Time     // when a call of it last went well
	hung     int           // reads in a row that got no answer; those under way together count once
	hungAt   time.Time     // when the last one that counted ended
	unread   indexer.Want  // what the first of them wanted
	dispute  *dispute      // with the endpoint that led when it was found
}

// Out of service: after a failure that may pass, an endpoint is left alone for a
// moment that doubles; after one that only an operator can mend (a key, a bill,
// another chain's node), longer, but it is tried again: he may have mended it.
const (
	outFirst   = 250 * time.Millisecond
	outMost    = 30 * time.Second
	brokeFirst = 10 * time.Second
	brokeMost  = 10 * time.Minute
)

// judge takes what came of a call.
func (m *member) judge(ctx context.Context, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	first, most := outFirst, outMost
	switch blame(ctx, err) {
	case nobody:
		if err != nil {
			return
		}
		if m.answered = time.Now(); m.hung < mostHung { // else only a read mends it
			m.err, m.fails = nil, 0
		}
		return
	case provider:
		first, most = brokeFirst, brokeMost
	}
	m.fails++
	m.err, m.until = err, time.Now().Add(grown(m.fails, first, most))
	m.verified = m.verified && m.fails < distrust && first == outFirst
}

// distrust is after how many failures in a row an endpoint is asked again which
// chain it serves: one lost connection does not mean another node.
const distrust = 2

// mostHung is how many reads in a row may get no answer while other calls do before
// the endpoint is out. Until then each was perhaps too much, and less is asked for.
const mostHung = 3

// hangs takes that a read, which began then, got no answer in time: err says so. It
// was asked for too much if anything else was answered meanwhile, but not for ever.
func (m *member) hangs(began time.Time, want indexer.Want, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.hung == 0 { // later ones may be by receipts, which it need not have
		m.unread = indexer.Want{Watched: want.Watched, Receipts: want.Receipts}
	}
	if !began.Before(m.hungAt) {
		m.hung++
		m.hungAt = time.Now()
	}
	switch {
	case m.hung >= mostHung:
		return fmt.Errorf("%d reads in a row were not answered: %w", m.hung, err)
	case m.answered.After(began):
		return fmt.Errorf("%w: %w", indexer.ErrTooLarge, err)
	}
	return err
}

// reads takes that a read was answered.
func (m *member) reads() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.hung = 0
}

// unreadable: it is out until a read is answered; want is as of those that were not.
func (m *member) unreadable() (want indexer.Want, yes bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.unread, m.hung >= mostHung
}

// Who is to blame for an error.
const (
	nobody   = iota // it says something of the range or of the moment, not of the endpoint
	moment          // the endpoint; it may pass
	provider        // the endpoint; only an operator can mend it
)

func blame(ctx context.Context, err error) int {
	kind := ethrpc.VerdictOf(err).Kind
	switch {
	case err == nil, ctx.Err() != nil, kind == ethrpc.Limited, kind == ethrpc.Overloaded, kind == ethrpc.Unknown,
		errors.Is(err, indexer.ErrTooLarge), errors.Is(err, indexer.ErrAbsent), errors.Is(err, indexer.ErrTorn):
		return nobody
	case chain.IsFatal(err):
		return provider
	}
	return moment
}

// grown is first, doubled with every failure after the first.
func grown(fails int, first, most time.Duration) time.Duration {
	return min(first<<min(fails-1, 16), most)
}

// in: it is in service: it answered when it was last asked.
func (m *member) in() bool {
	err, _ := m.fault()
	return err == nil
}

// due: it may be asked now.
func (m *member) due(now time.Time) bool {
	err, until := m.fault()
	return err == nil || !now.Before(until)
}

// reaches: it has block number, as far as is known: what it showed, and how far it
// was below the leader, whose head is latest now.
func (m *member) reaches(number, latest uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return !m.seen.IsZero() && (m.heads.Latest.Number >= number || latest >= m.behind && latest-m.behind >= number)
}

// ask makes a call of the endpoint, which is verified first where it has to be.
func (m *member) ask(ctx context.Context, call func(context.Context) error) error {
	m.mu.Lock()
	verified := m.verified
	m.active++
	m.mu.Unlock()
	var err error
	if !verified {
		err = m.Endpoint.Verify(ctx)
	}
	if err == nil {
		err = call(ctx)
	}
	m.mu.Lock()
	m.active--
	m.verified = m.verified || err == nil
	m.mu.Unlock()
	m.judge(ctx, err)
	return err
}

// verify asks again which chain the endpoint serves.
func (m *member) verify(ctx context.Context) error {
	m.mu.Lock()
	m.verified = false
	m.mu.Unlock()
	return m.ask(ctx, func(context.Context) error { return nil })
}

// readHeads reads the endpoint's heads and keeps them.
func (m *member) readHeads(ctx context.Context) (h indexer.Heads, err error) {
	err = m.ask(ctx, func(ctx context.Context) (err error) {
		h, err = m.Endpoint.Heads(ctx)
		return err
	})
	if err == nil {
		m.mu.Lock()
		m.heads, m.seen = h, time.Now()
		m.mu.Unlock()
	}
	return h, err
}

// shown are the heads that it showed last, and when.
func (m *member) shown() (indexer.Heads, time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.heads, m.seen
}

// hashAt is the endpoint's canonical block at a height, ok false where it has none.
func (m *member) hashAt(ctx context.Context, number uint64) (ref chain.BlockRef, ok bool, err error) {
	err = m.ask(ctx, func(ctx context.Context) error {
		headers, err := m.Endpoint.Headers(ctx, []uint64{number})
		if err == nil && len(headers) > 0 {
			ref, ok = headers[0].BlockRef, true
		}
		return err
	})
	return ref, ok, err
}

// fault is why the endpoint is out, or was when it was last asked, and until when;
// nil where it is in.
func (m *member) fault() (err error, until time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.err, m.until
}
