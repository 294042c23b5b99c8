package sources

import (
	"context"
	"maps"
	"strings"
	"sync"

	"superindex/chain"
)

// Paper is a journal of feeds in memory, which outlives the pollers that write to
// it. It is a poller.Journal.
type Paper struct {
	mu    sync.Mutex
	notes map[string][]byte
	steps []*chain.Rows
	Full  error // what Append says instead of taking a step; set while nobody appends
}

// Append commits rows with notes.
func (p *Paper) Append(_ context.Context, rows *chain.Rows, notes map[string][]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.Full != nil {
		return p.Full
	}
	p.steps = append(p.steps, rows)
	p.note(notes)
	return nil
}

func (p *Paper) note(notes map[string][]byte) {
	if p.notes == nil {
		p.notes = map[string][]byte{}
	}
	maps.Copy(p.notes, notes)
}

// Keep commits notes.
func (p *Paper) Keep(_ context.Context, notes map[string][]byte) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.note(notes)
	return nil
}

// Notes are those whose name begins with prefix.
func (p *Paper) Notes(_ context.Context, prefix string) (map[string][]byte, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := maps.Clone(p.notes)
	maps.DeleteFunc(found, func(name string, _ []byte) bool { return !strings.HasPrefix(name, prefix) })
	return found, nil
}

// Take returns the rows since the last call, in order.
func (p *Paper) Take() (rows []chain.Row) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range p.steps {
		rows = append(rows, s.Rows...)
	}
	p.steps = nil
	return rows
}
