package reorg

import (
	"cmp"
	"context"
	"sync"

	"superindex/chain"
)

// Drafts are what Apply steps will hold, encoded, and if they are large written and
// durable, before it is known what they follow: so ranges that are fetched side by
// side are written side by side, and Append has only to name the file. Write may be
// called side by side with everything but Discard.
type Drafts struct {
	j *Journal

	mu   sync.Mutex
	open map[*Draft]struct{}
}

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
// read. The step that is appended with the draft has the same ones. ready, where it is not
// nil, is called with some events before they are read, then with the next ones, so that
// they are in the processor's cache once for both: it may finish them, and the Proof.
func (d *Drafts) Write(b *chain.Batch, ready func([]chain.Event)) (*Draft, error) {
	buffer, out := d.j.bodies.Get().(*[]byte), &outlet{j: d.j}
	w := encoder{b: (*buffer)[:0], ready: ready, spill: out.add}
	w.added(b)
	*buffer = w.b
	draft, err := out.finish(&w)
	if err != nil || draft.file != "" {
		d.j.bodies.Put(buffer)
	} else {
		draft.rest = buffer
	}
	if err != nil {
		return nil, err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.open[draft] = struct{}{}
	return draft, nil
}

// outlet takes what is drafted, and makes a file of it where it is large.
type outlet struct {
	j    *Journal
	file *stepFile // nil as long as there is none
}

// add puts it behind what is there.
func (o *outlet) add(b []byte) (err error) {
	if o.file == nil {
		if err := o.j.room(o.j.opts.Reserve); err != nil {
			return err
		}
		// No waiting for space: what has been drafted takes it, and goes once this fails.
		if o.file, err = o.j.steps.create(o.j.opts.FS); err != nil {
			return cmp.Or(o.j.room(o.j.opts.Reserve), err)
		}
	}
	return o.file.add(b)
}

// finish adds what w still has, unless all of it is small.
func (o *outlet) finish(w *encoder) (*Draft, error) {
	err := w.fault
	if err == nil && (o.file != nil || len(w.b) >= o.j.opts.Large) {
		err = o.add(w.b)
	}
	if o.file == nil {
		return &Draft{}, err
	}
	draft, err := o.file.finish(err)
	if err != nil {
		return nil, cmp.Or(o.j.room(o.j.opts.Reserve), err)
	}
	return draft, nil
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
		d.j.bodies.Put(draft.rest)
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
}
