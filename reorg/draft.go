package reorg

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/cespare/xxhash/v2"

	"superindex/chain"
)

// Drafts are what Apply steps will hold, encoded, and if they are large written and
// durable, before it is known what they follow: so ranges that are fetched side by
// side are written side by side, and Append has only to name the file. Write may be
// called side by side with everything but Discard.
type Drafts struct {
	j *Journal

	mu     sync.Mutex
	open   map[*Draft]struct{}
	spare  []*[]byte // that no draft uses; the journal's own are given up with each second collection
	spared int       // how many bytes they have
}

// spareBytes are enough for those who write side by side: more have no cores to encode on.
const spareBytes = 16 << 20

// Draft is the blocks, events, transactions and proof of one Batch: the rest of its
// step, behind what says what it follows.
type Draft struct {
	rest *[]byte // nil if it lies in a file
	file string  // "" if it is small
	size int     // of the file
	sum  uint64  // of its bytes
}

// Drafts makes room for some. Discard has to be called in the end.
func (j *Journal) Drafts() *Drafts { return &Drafts{j: j, open: map[*Draft]struct{}{}} }

// Write drafts what a batch adds: its Blocks, Events, Transactions and Proof are
// read. The step that is appended with the draft has the same ones.
func (d *Drafts) Write(b *chain.Batch) (*Draft, error) {
	draft := &Draft{rest: d.take()}
	w := encoder{b: slices.Grow((*draft.rest)[:0], spacious(b))}
	w.added(b)
	*draft.rest = w.b
	d.mu.Lock()
	d.open[draft] = struct{}{}
	d.mu.Unlock()
	switch {
	case w.lost:
		return nil, errLost
	case len(w.b) < d.j.opts.Large:
		return draft, nil
	}
	if err := d.j.room(d.j.opts.Reserve); err != nil {
		return nil, err
	}
	draft.size, draft.sum = len(w.b), xxhash.Sum64(w.b)
	var err error
	// No waiting for space: what has been drafted takes it, and goes once this fails.
	if draft.file, err = d.j.steps.draft(d.j.opts.FS, w.b); err != nil {
		return nil, cmp.Or(d.j.room(d.j.opts.Reserve), err)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put(draft.rest)
	draft.rest = nil
	return draft, nil
}

// take gives a buffer that no draft uses.
func (d *Drafts) take() *[]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	last := len(d.spare) - 1
	if last < 0 {
		return d.j.bodies.Get().(*[]byte)
	}
	buffer := d.spare[last]
	d.spare, d.spared = d.spare[:last], d.spared-cap(*buffer)
	return buffer
}

// put takes one back; d is locked.
func (d *Drafts) put(buffer *[]byte) {
	if d.spared+cap(*buffer) <= spareBytes {
		d.spare, d.spared = append(d.spare, buffer), d.spared+cap(*buffer)
	} else {
		d.j.bodies.Put(buffer)
	}
}

// spacious is at least how long most batches are encoded: to append piece by piece to
// what is too short would copy it again and again.
func spacious(b *chain.Batch) (size int) {
	for i := range b.Events {
		e := &b.Events[i]
		size += 80 + 32*len(e.Topics) + len(e.Data) + len(e.Args)
	}
	return size + 100*len(b.Blocks) + 300*len(b.Transactions)
}

// Append is Journal.Append of an Apply, with its draft, which is gone then unless
// it fails.
func (d *Drafts) Append(ctx context.Context, step *chain.Step, draft *Draft) (chain.Seq, error) {
	seq, err := d.j.append(ctx, step, draft)
	if err == nil {
		d.close(draft)
	}
	return seq, err
}

// close forgets a draft.
func (d *Drafts) close(draft *Draft) {
	d.mu.Lock()
	defer d.mu.Unlock()
	delete(d.open, draft)
	if draft.rest != nil {
		d.put(draft.rest)
	}
}

// Discard gives up what was not appended.
func (d *Drafts) Discard() {
	for draft := range d.open {
		if draft.file != "" {
			_ = d.j.steps.fs.Remove(draft.file) // one that cannot be removed now goes at the next start
		}
		d.close(draft)
	}
	for _, buffer := range d.spare {
		d.j.bodies.Put(buffer)
	}
	d.spare, d.spared = nil, 0
}
