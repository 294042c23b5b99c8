package clickhouse

import (
	"context"
	"slices"
	"sync"

	"superindex/chain"
)

// A load has so many rows of one table, or more by what the last steps bring. The server
// makes a part of them when they are there, and shows it when the INSERT ends: those after
// it are sent, and made parts of, meanwhile. Merging costs the engine 7 to 8 us a row where
// parts have 10,000 rows, 2 to 3 where they have 100,000.
const defaultLoadRows = 112 << 10

// loadBytes of data and arguments end one as well: the server holds them in memory.
const loadBytes = 80 << 20

// loadsAhead is how many loads are on their way while one more is filled: two keep two
// cores busy. The server has the rows of all of them in memory.
const loadsAhead = 2

// Load implements indexer.Bulk. It sends the rows on as it is given them, so that the
// server has them in memory and not this process, and gives the next INSERTs their rows
// while the server makes parts of those before. None ends before all of the earlier
// steps is held: what can be read is at any time what some Write could have left.
func (s *Sink) Load(ctx context.Context, of chain.Stream, next func(context.Context) ([]chain.Step, error), held func(chain.Seq) error) error {
	st := s.stream(of)
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.known {
		return errUnasked
	}
	st.known = false
	stored, err := s.readOwn(ctx, of, st)
	if err != nil {
		return err
	}
	l := &loading{sink: s, of: of, st: st, next: next, held: held, given: stored}
	if err := l.run(ctx); err != nil {
		return err
	}
	st.known = true
	return nil
}

// loading is a Load under way.
type loading struct {
	sink *Sink
	of   chain.Stream
	st   *stream
	next func(context.Context) ([]chain.Step, error)
	held func(chain.Seq) error

	given state        // what all steps so far lead to
	rest  []chain.Step // what next gave for the load after this one; nil for nothing
	ended []*load      // those that have all their rows and are not known to be held, the oldest first
	all   sync.WaitGroup
}

func (l *loading) run(outer context.Context) error {
	ctx, cancel := context.WithCancel(outer)
	defer l.all.Wait()
	defer cancel() // ends the INSERTs; what others commit together with us is not ours to cut
	for more := true; more; {
		var err error
		current := l.begin(ctx)
		if more, err = l.fill(ctx, current); err != nil {
			return err
		}
		if err := current.give(nil); err != nil { // they have taken all: its memory is used again
			return err
		}
		if current.last > 0 {
			l.end(outer, current)
		}
		if err := l.settle(loadsAhead); err != nil {
			return err
		}
	}
	return l.settle(0)
}

// load is the INSERTs of steps that follow one another, one a table.
type load struct {
	inserts inserts
	feeds   []*feed   // of each
	full    bool      // it gets no more steps
	bytes   int       // of data and arguments
	last    chain.Seq // the last step; 0 where there is none
	next    state     // what the steps lead to
	done    chan struct{}
	err     error // once done is closed
}

// feed gives one INSERT its steps. It has ended when done is closed.
type feed struct {
	table *table
	rows  int // that it was given
	steps chan []chain.Step
	done  chan struct{}
	err   error
}

// begin makes INSERTs ready. A table that no step has a row of has none.
func (l *loading) begin(ctx context.Context) *load {
	p := &load{inserts: l.sink.inserts.Get().(inserts), done: make(chan struct{})}
	for _, t := range p.inserts {
		f := &feed{table: t, steps: make(chan []chain.Step), done: make(chan struct{})}
		p.feeds = append(p.feeds, f)
		l.all.Go(func() {
			defer close(f.done)
			f.err = l.sink.insertFrom(ctx, t, f.steps)
		})
	}
	return p
}

// fill gives the INSERTs what follows, until they have enough; more is false where
// nothing does.
func (l *loading) fill(ctx context.Context, p *load) (more bool, err error) {
	for !p.full {
		steps, err := l.take(ctx)
		if err != nil || len(steps) == 0 {
			return false, err
		}
		if p.parts(steps, l.sink.loadRows) {
			l.rest = steps
			return true, nil
		}
		if err := p.give(steps); err != nil {
			return false, err
		}
		l.given = l.given.after(steps)
		p.last, p.next = steps[len(steps)-1].Seq, l.given
		p.count(steps, l.sink.loadRows)
	}
	return true, nil
}

// give gives each INSERT steps, once it has taken all of those before.
func (p *load) give(steps []chain.Step) error {
	for _, f := range p.feeds {
		select {
		case f.steps <- steps:
		case <-f.done: // it failed
			return f.err
		}
	}
	return nil
}

// take is what was kept back, or what next gives, unless a load has failed meanwhile.
func (l *loading) take(ctx context.Context) ([]chain.Step, error) {
	if steps := l.rest; steps != nil {
		l.rest = nil
		return steps, nil
	}
	for _, p := range l.ended {
		select {
		case <-p.done:
			if p.err != nil {
				return nil, p.err
			}
		default:
		}
	}
	return l.next(ctx)
}

// parts: with these steps the server would make two parts of what an INSERT has. They make
// one by themselves, and it does not join that with what it has.
func (p *load) parts(steps []chain.Step, most int) bool {
	return slices.ContainsFunc(p.feeds, func(f *feed) bool { return f.rows > 0 && f.table.rowsOf(steps) >= most })
}

// count finds whether the load has enough with these steps. No INSERT gets more once it has
// the rows that make a part: they would be another part, and show this one at once.
func (p *load) count(steps []chain.Step, most int) {
	for _, f := range p.feeds {
		f.rows += f.table.rowsOf(steps)
		p.full = p.full || f.rows >= most
	}
	_, bytes := sizeOf(steps)
	p.bytes += bytes
	p.full = p.full || p.bytes >= loadBytes
}

// sizeOf is how many rows the steps have, and how many bytes that may be many.
func sizeOf(steps []chain.Step) (rows, bytes int) {
	for i := range steps {
		a := steps[i].Apply
		rows += len(a.Blocks) + len(a.Events) + len(a.Transactions)
		for j := range a.Events {
			bytes += len(a.Events[j].Data) + len(a.Events[j].Args)
		}
	}
	return rows, bytes
}

// end ends the INSERTs, once all before are held.
func (l *loading) end(ctx context.Context, p *load) {
	var before *load
	if n := len(l.ended); n > 0 {
		before = l.ended[n-1]
	}
	l.ended = append(l.ended, p)
	l.all.Go(func() {
		defer close(p.done)
		if before != nil {
			if <-before.done; before.err != nil {
				p.err = before.err
				return
			}
		}
		p.err = l.commit(ctx, p)
	})
}

// commit ends the INSERTs in their order, and writes where they lead.
func (l *loading) commit(ctx context.Context, p *load) error {
	stored, err := l.sink.readOwn(ctx, l.of, l.st)
	if err != nil {
		return err
	}
	for _, f := range p.feeds {
		close(f.steps)
		if <-f.done; f.err != nil {
			return f.err
		}
	}
	l.sink.inserts.Put(p.inserts)
	if err := l.sink.settle(ctx, l.of, l.st, stored, p.next); err != nil {
		return err
	}
	l.st.held = p.next.Position
	return nil
}

// settle waits until no more than so many are on their way, and says what is held.
func (l *loading) settle(most int) error {
	for len(l.ended) > most {
		p := l.ended[0]
		if <-p.done; p.err != nil {
			return p.err
		}
		l.ended = l.ended[1:]
		if err := l.held(p.last); err != nil {
			return err
		}
	}
	return nil
}

// insertFrom sends one table's rows of all steps that it is given, as one INSERT.
func (s *Sink) insertFrom(ctx context.Context, t *table, steps <-chan []chain.Step) error {
	next := func(ctx context.Context) (bool, error) {
		for !t.next() {
			select {
			case given, ok := <-steps:
				if !ok {
					return false, nil
				}
				t.from(given)
			case <-ctx.Done():
				return false, context.Cause(ctx)
			}
		}
		return true, nil
	}
	t.begin(s.loadRows)
	if any, err := next(ctx); err != nil || !any {
		return err
	}
	return s.send(ctx, t.name, t.columns, partOf(s.loadRows), next)
}
