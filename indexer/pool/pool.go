package pool

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"superindex/chain"
)

// Pool is the endpoints of one network. It implements indexer.Source.
type Pool struct {
	o   Options
	all []*member

	mu      sync.Mutex
	lead    *member
	lagging time.Time // since when the leader's head is below another's; zero if it is not
}

// Options say what a pool is made of.
type Options struct {
	Network string
	Members []Member // the one that leads first comes first
	Log     *slog.Logger
}

// Check names the first field that is wrong.
func (o Options) Check() error {
	names := map[string]bool{}
	for _, m := range o.Members {
		switch {
		case m.Name == "":
			return errors.New("pool: a member without a Name")
		case names[m.Name]:
			return fmt.Errorf("pool: two members are named %s", m.Name)
		case m.Endpoint == nil:
			return fmt.Errorf("pool: %s has no Endpoint", m.Name)
		case m.Gate == nil:
			return fmt.Errorf("pool: %s has no Gate", m.Name)
		}
		names[m.Name] = true
	}
	switch {
	case len(o.Members) == 0:
		return errors.New("pool: Members is empty")
	case o.Log == nil:
		return errors.New("pool: Log is nil")
	}
	return nil
}

// New makes a pool; it asks nothing.
func New(o Options) (*Pool, error) {
	if err := o.Check(); err != nil {
		return nil, err
	}
	p := &Pool{o: o}
	for _, m := range o.Members {
		p.all = append(p.all, &member{Member: m, span: newSpan(mostSparse, mostDense)})
	}
	p.lead = p.all[0]
	return p, nil
}

// leader is the endpoint that leads.
func (p *Pool) leader() *member {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.lead
}

// follow makes m the leader.
func (p *Pool) follow(m *member, why string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lead != m {
		p.o.Log.Warn("another endpoint leads", "network", p.o.Network, "endpoint", m.Name, "in_place_of", p.lead.Name, "because", why)
	}
	p.lead, p.lagging = m, time.Time{}
}

// candidates are the endpoints in service: the leader, then those with the highest
// heads. One that went out comes back when Run has seen it answer: until then it is
// asked only where none is in service.
func (p *Pool) candidates(now time.Time) []*member {
	lead := p.leader()
	in := slices.DeleteFunc(slices.Clone(p.all), func(m *member) bool { return !m.in() })
	if len(in) == 0 {
		in = slices.DeleteFunc(slices.Clone(p.all), func(m *member) bool { return !m.due(now) })
	}
	rank := func(m *member) uint64 {
		if m == lead {
			return math.MaxUint64
		}
		heads, _ := m.shown()
		return heads.Latest.Number
	}
	slices.SortStableFunc(in, func(a, b *member) int { return cmp.Compare(rank(b), rank(a)) })
	return in
}

// try makes a call of one endpoint after the other until one answers it, or fails
// with an error that the others have no better answer to; nil: there is none.
func (p *Pool) try(ctx context.Context, members []*member, final func(error) bool, call func(*member) error) error {
	var last error
	for _, m := range members {
		err := call(m)
		if err == nil || ctx.Err() != nil || final != nil && final(err) {
			return err
		}
		last = err
	}
	if last != nil && (len(p.all) == 1 || blame(ctx, last) == nobody) {
		return last
	}
	return p.silent()
}

// SilentError says of each endpoint why it does not answer.
type SilentError struct {
	wait   time.Duration
	causes []error
	fatal  bool // none will without an operator
}

// Error implements error.
func (e *SilentError) Error() string {
	texts := make([]string, len(e.causes))
	for i, err := range e.causes {
		texts[i] = err.Error()
	}
	return "no endpoint answers: " + strings.Join(texts, "; ")
}

// Unwrap returns the causes where all of them are fatal: where one may pass, so may this.
func (e *SilentError) Unwrap() []error {
	if e.fatal {
		return e.causes
	}
	return nil
}

// RetryAfter is when the first of them is to be asked again.
func (e *SilentError) RetryAfter() time.Duration { return e.wait }

func (p *Pool) silent() error {
	now := time.Now()
	e := &SilentError{wait: brokeMost, fatal: true}
	for _, m := range p.all {
		err, until := m.fault()
		if err != nil {
			e.causes = append(e.causes, err)
		}
		e.fatal = e.fatal && chain.IsFatal(err)
		e.wait = min(e.wait, max(until.Sub(now), 0))
	}
	return e
}
