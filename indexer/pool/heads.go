package pool

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"superindex/chain"
	"superindex/indexer"
	"superindex/indexer/ethrpc"
)

const (
	// lagPatience is how long the leader may be behind another endpoint before that one leads.
	lagPatience = 10 * time.Second
	// lookEvery is how often the endpoints that do not lead are looked at: three calls each time.
	lookEvery = 30 * time.Second
	// lookAgain is how soon it is noticed that an endpoint has gone out.
	lookAgain = 2 * time.Second
)

// Heads implements indexer.Source: they are the leader's heads. It fails while
// endpoints disagree on a finalized block.
func (p *Pool) Heads(ctx context.Context) (indexer.Heads, error) {
	if err := p.contested(); err != nil {
		return indexer.Heads{}, err
	}
	var heads indexer.Heads
	err := p.try(ctx, p.candidates(time.Now()), nil, func(m *member) (err error) {
		if heads, err = m.readHeads(ctx); err == nil {
			p.leads(m, heads)
		}
		return err
	})
	return heads, err
}

// leads takes the heads that m showed when it was asked as the leader.
func (p *Pool) leads(m *member, h indexer.Heads) {
	now := time.Now()
	m.mu.Lock()
	m.behind = 0
	m.mu.Unlock()
	if p.leader() != m {
		p.follow(m, "that one does not answer")
		return
	}
	ahead := p.aheadOf(m, h.Latest.Number)
	p.mu.Lock()
	switch {
	case ahead == nil:
		p.lagging = time.Time{}
	case p.lagging.IsZero():
		p.lagging = now
	}
	late := !p.lagging.IsZero() && now.Sub(p.lagging) >= lagPatience
	p.mu.Unlock()
	if late {
		p.follow(ahead, fmt.Sprintf("that one lags at block %d", h.Latest.Number))
	}
}

// aheadOf is an endpoint in service that had a block above latest when it was last
// looked at, which was before the leader showed latest.
func (p *Pool) aheadOf(lead *member, latest uint64) *member {
	for _, m := range p.all {
		if h, _ := m.shown(); m != lead && h.Latest.Number > latest && m.in() {
			return m
		}
	}
	return nil
}

// Run looks at the endpoints that do not lead, and at those that are out once
// their time has come, until ctx ends.
func (p *Pool) Run(ctx context.Context) error {
	if len(p.all) == 1 {
		return nil // the calls made of it say all that there is to know
	}
	var g errgroup.Group
	for _, m := range p.all {
		g.Go(func() error { p.watch(ctx, m); return nil })
	}
	return g.Wait()
}

func (p *Pool) watch(ctx context.Context, m *member) {
	for ctx.Err() == nil {
		now := time.Now()
		_, seen := m.shown()
		out, until := m.fault()
		wait := seen.Add(lookEvery).Sub(now)
		if out != nil {
			wait = until.Sub(now)
		}
		if wait <= 0 && p.look(ctx, m) != nil {
			wait = outFirst
		}
		pause(ctx, min(wait, lookAgain))
	}
}

func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// look reads an endpoint's heads, and a block where reads were not answered, and
// compares the heads with the leader's.
func (p *Pool) look(ctx context.Context, m *member) error {
	h, err := m.readHeads(ctx)
	if want, unreadable := m.unreadable(); err == nil && unreadable {
		if _, err = m.read(ctx, indexer.Range{From: h.Final.Number, To: h.Final.Number}, want); refused(err) {
			m.reads() // it does not hang any more; what it says is judged like any error
		}
	}
	lead := p.leader()
	switch {
	case err != nil:
		return err
	case m == lead: // what it was found to differ from led before; the others are compared with it now
		m.mu.Lock()
		m.dispute = nil
		m.mu.Unlock()
		return nil
	}
	led, seen := lead.shown()
	if seen.IsZero() {
		return nil
	}
	m.mu.Lock()
	m.behind = led.Latest.Number - min(led.Latest.Number, h.Latest.Number)
	m.mu.Unlock()
	return p.compare(ctx, lead, m)
}

// refused: the error is the endpoint's own answer.
func refused(err error) bool {
	switch ethrpc.VerdictOf(err).Kind {
	case ethrpc.Silent, ethrpc.Transient:
		return false
	}
	return err != nil
}

// dispute is that two endpoints have different finalized blocks.
type dispute struct {
	with *member
	err  error
}

// compare finds out whether two endpoints have the same block where both say that
// it is finalized. Before that is called a dispute, both say again which chain
// they serve.
func (p *Pool) compare(ctx context.Context, lead, m *member) error {
	a, _ := lead.shown()
	b, _ := m.shown()
	number := min(a.Final.Number, b.Final.Number)
	if number == 0 {
		return nil
	}
	mine, theirs, err := both(ctx, lead, m, number)
	if err != nil {
		return err
	}
	var found *dispute
	if mine != theirs {
		if lead.verify(ctx) != nil || m.verify(ctx) != nil {
			return nil // that one is out now, and its word is not asked for
		}
		found = &dispute{lead, chain.Fatal(
			fmt.Errorf("endpoints disagree on a finalized block: %s has %v, %s has %v", lead.Name, mine, m.Name, theirs),
			"find out which of them is wrong, and remove it from networks."+p.o.Network+".rpc")}
		p.o.Log.Error("contested", "network", p.o.Network, "error", found.err)
	}
	m.mu.Lock()
	m.dispute = found
	m.mu.Unlock()
	return nil
}

// both are the blocks that two endpoints have at a height; where one has none, they are equal.
func both(ctx context.Context, a, b *member, number uint64) (mine, theirs chain.BlockRef, err error) {
	mine, had, err := a.hashAt(ctx, number)
	if err != nil || !had {
		return mine, mine, err
	}
	theirs, had, err = b.hashAt(ctx, number)
	if err != nil || !had {
		return mine, mine, err
	}
	return mine, theirs, nil
}

// contested is a dispute between two endpoints in service.
func (p *Pool) contested() error {
	for _, m := range p.all {
		m.mu.Lock()
		d := m.dispute
		m.mu.Unlock()
		if d != nil && m.in() && d.with.in() {
			return d.err
		}
	}
	return nil
}
