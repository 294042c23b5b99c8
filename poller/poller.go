package poller

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"superindex/chain"
)

// plannedAtOnce is how many resources are planned together, the longest due first.
const plannedAtOnce = 2000

// Options of a poller.
type Options struct {
	Every    time.Duration // between two polls of a resource that has nothing more at once
	Parallel int           // asks under way at once; 0 is 1
	Emails   bool          // keep e-mail addresses as they are; else only their hashes are kept
	Note     string        // what users should know of how the feed runs here, for the status
	Log      *slog.Logger
	Metrics  *Metrics // shared by all feeds
}

// Check names the field that cannot be.
func (o *Options) Check() error {
	switch {
	case o.Every < time.Second:
		return fmt.Errorf("every: %v is no time between two polls", o.Every)
	case o.Parallel < 0:
		return fmt.Errorf("parallel: %d asks at once", o.Parallel)
	case o.Log == nil || o.Metrics == nil:
		return errors.New("a poller needs a log and metrics")
	}
	return nil
}

// Poller polls one feed.
type Poller struct {
	feed     Feed
	opts     Options
	journal  Journal
	payloads *Payloads

	commit sync.Mutex // held while something is committed; before mu

	mu      sync.Mutex
	named   map[string]bool      // Feed.Resources
	all     map[string]*Resource // by id; nil until they are read
	covered map[string]covered   // by dataset and resource
	rest    rest
	state   State
}

// New makes the poller of a feed; with nil payloads its answers are not kept.
func New(feed Feed, journal Journal, payloads *Payloads, o Options) (*Poller, error) {
	if err := o.Check(); err != nil {
		return nil, fmt.Errorf("poller.%s: %w", feed.Name(), err)
	}
	o.Parallel, o.Log = max(1, o.Parallel), o.Log.With("feed", feed.Name())
	p := &Poller{feed: feed, opts: o, journal: journal, payloads: payloads}
	p.state = State{Feed: feed.Name(), Note: o.Note}
	o.Metrics.follow(p)
	return p, nil
}

// faultPause is when a journal that failed is tried again; idle is the longest that a
// poller waits without a look at its schedule, for the clock may have been put.
const (
	faultPause = time.Minute
	idle       = 10 * time.Minute
)

// Run polls what is due until ctx ends. What fails is retried, and shown.
func (p *Poller) Run(ctx context.Context) {
	for ctx.Err() == nil {
		wait, err := p.Advance(ctx)
		if err != nil && ctx.Err() == nil {
			p.opts.Log.Warn("fault", "error", err, "again_in", faultPause)
			wait = faultPause
		}
		p.fault(err)
		sleep(ctx, min(wait, idle))
	}
}

// Round polls what is due until nothing is, and what becomes due at once by it. It
// ends early, with an error, where the feed has to rest.
func (p *Poller) Round(ctx context.Context) error {
	for ctx.Err() == nil {
		wait, err := p.Advance(ctx)
		if err != nil || wait > 0 {
			return errors.Join(err, p.restError())
		}
	}
	return ctx.Err()
}

// Rewind makes the feed ask again for its history; false where it cannot.
func (p *Poller) Rewind(ctx context.Context) (bool, error) {
	feed, ok := p.feed.(Rewinder)
	if !ok {
		return false, nil
	}
	if err := p.load(ctx); err != nil {
		return false, err
	}
	p.mu.Lock()
	after := make([]Resource, 0, len(p.all))
	for _, r := range p.all {
		after = append(after, feed.Rewind(*r))
	}
	p.mu.Unlock()
	return true, p.put(ctx, nil, &Result{}, after)
}

// Advance plans what is due and asks for it. It returns after how long something is
// due again; an error means that the journal or the feed's answers cannot be used.
func (p *Poller) Advance(ctx context.Context) (wait time.Duration, err error) {
	if err := p.load(ctx); err != nil {
		return 0, err
	}
	now := time.Now()
	due, wait := p.due(now)
	if len(due) == 0 {
		return wait, nil
	}
	asks, idle := split(p.feed.Plan(now, due), due)
	if err := p.put(ctx, nil, &Result{}, settle(now, p.opts.Every, idle, nil, nil)); err != nil {
		return 0, err
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(p.opts.Parallel)
	for _, ask := range asks {
		if ctx.Err() != nil || p.resting() {
			break
		}
		g.Go(func() error { return p.ask(ctx, ask) })
	}
	return 0, g.Wait()
}

// split tells the due resources that the plan leaves out.
func split(asks []Ask, due []Resource) (_ []Ask, idle []Resource) {
	planned := map[string]bool{}
	for _, a := range asks {
		for i := range a.Of {
			planned[a.Of[i].ID] = true
		}
	}
	for _, r := range due {
		if !planned[r.ID] {
			idle = append(idle, r)
		}
	}
	return asks, idle
}

// load reads what the journal keeps, once.
func (p *Poller) load(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.all != nil {
		return nil
	}
	all, err := readResources(ctx, p.journal, p.feed.Name())
	if err != nil {
		return err
	}
	if p.rest, err = readRest(ctx, p.journal, p.feed.Name()); err != nil {
		return err
	}
	if p.covered, err = readCovered(ctx, p.journal, p.feed.Name()); err != nil {
		return err
	}
	p.named = map[string]bool{}
	for _, id := range p.feed.Resources() {
		p.named[id] = true
		if all[id] == nil {
			all[id] = &Resource{ID: id}
		}
	}
	p.all = all
	return nil
}

// due is what is due now, and else how long nothing is.
func (p *Poller) due(now time.Time) ([]Resource, time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if wait := p.rest.Until.Sub(now); wait > 0 {
		return nil, wait
	}
	due, next := dueAt(now, p.all, p.named, plannedAtOnce)
	if next.IsZero() {
		return due, p.opts.Every
	}
	return due, next.Sub(now)
}

// resting reports whether the feed asks nothing now.
func (p *Poller) resting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.rest.Until.After(time.Now())
}

// restError says why the feed asks nothing now; nil while it does.
func (p *Poller) restError() error {
	if !p.resting() {
		return nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	return fmt.Errorf("%s rests until %s: %s", p.feed.Name(), p.rest.Until.UTC().Format(time.RFC3339), p.rest.Reason)
}

// ask makes one ask and commits what it brought, or when to try again. Its error is
// the journal's or the storage's.
func (p *Poller) ask(ctx context.Context, ask Ask) error {
	if p.resting() {
		return nil // another ask has met the limit since
	}
	result, err := p.feed.Fetch(ctx, ask)
	var limited *LimitedError
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &limited):
		return p.pause(ctx, limited.After, limited)
	case chain.IsFatal(err):
		return p.pause(ctx, restMost, err)
	case err != nil:
		return p.failed(ctx, ask, result.Coverage, err)
	}
	if !p.opts.Emails {
		result.hide()
	}
	steps, err := stepsOf(p.feed.Name(), &result)
	if err != nil { // the answer cannot be committed, now or later: the feed goes on without it
		return p.failed(ctx, ask, nil, err)
	}
	now := time.Now()
	if err := p.put(ctx, steps, &result, settle(now, p.opts.Every, ask.Of, result.After, p.adopt)); err != nil {
		return err
	}
	p.succeeded(now, len(result.Rows))
	return nil
}

func (p *Poller) adopt(r Resource) (Resource, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return adopt(p.all, p.named, r)
}

func sleep(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
