package indexer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"math/rand/v2"
	"time"

	"superindex/chain"
	"superindex/decoder"
	"superindex/reorg"
)

// Network is one chain to follow.
type Network struct {
	chain.Stream
	Source  Source
	Witness Witness // nil where the Source has one endpoint only
	Decoder *decoder.Table
	Watch   WatchSet
	Start   Start

	// Receipts: read whole blocks with their receipts in place of ranges of logs, for
	// the transactions. A range's logs come with one header in a request of two calls,
	// or above finalized with n headers in one of n+1; n blocks with their receipts
	// are 2n calls that hold the same logs and much more. So where only logs are
	// wanted, reading logs never costs more.
	Receipts bool
}

// WatchSet is the addresses whose logs are kept.
type WatchSet interface {
	Watched
	ID() chain.WatchID
	All() iter.Seq[chain.Address] // ascending
}

// Pace is how a network is read; the zero value of a field means its default.
type Pace struct {
	Calls int           // RPC calls asked for at once, 32, of which an endpoint lets through what it bears: what they bring takes fetchBytes of memory at most
	Poll  time.Duration // between two looks at the head while it is not known when the next block is due, 1 s, of which each network takes three quarters or more
}

func (p Pace) withDefaults() Pace {
	return Pace{Calls: cmp.Or(max(p.Calls, 0), 32), Poll: cmp.Or(max(p.Poll, 0), time.Second)}
}

// rewindAfter is how long a node may show a lower head of our own fork before that
// is a rewind of the chain and no lag of the node.
const rewindAfter = 30 * time.Second

// Writer turns one chain into steps. It belongs to one goroutine.
type Writer struct {
	net     Network
	journal *reorg.Journal
	tracker *reorg.Tracker
	pace    Pace
	said    chain.WatchID  // the watch set that the last Apply named
	lagging time.Time      // since when the node's head is lower than ours, and stands; zero if it is not
	lagsAt  chain.BlockRef // that head
	doubted time.Time      // since when a deep rollback waits for a second word; zero if none does
	absent  time.Time      // since when the node lacks blocks below the head that it shows; zero if it does not
	latest  uint64         // block, as the node showed it last
	tempo   tempo
	spare   *memories
	room    *room
	watch   *watcher
}

// NewWriter continues where the journal's window ends. The stream has begun.
func NewWriter(net Network, journal *reorg.Journal, pace Pace, status *Status) (*Writer, error) {
	w := &Writer{net: net, journal: journal, pace: pace.withDefaults(), room: newRoom(), spare: new(memories), watch: status.network(net.Stream)}
	w.tempo.poll = w.pace.Poll - rand.N(w.pace.Poll/4+1) // networks that stand still are not all looked at in one moment
	err := w.reload()
	return w, err
}

func (w *Writer) reload() error {
	st, err := w.journal.Stat(w.net.Name)
	if err != nil {
		return err
	}
	w.said = st.Watch
	w.watch.resumed(st.Head, st.Last)
	w.tracker, err = w.journal.Tracker(w.net.Name)
	return err
}

// Advance asks where the chain is and follows it: it reverts a fork, or adds the
// blocks that are there, or takes over safe and finalized. moved is false when
// there was nothing to do; then the caller waits. It may be called again after any
// error: nothing is remembered but what the journal holds.
func (w *Writer) Advance(ctx context.Context) (moved bool, err error) {
	heads, err := w.net.Source.Heads(ctx)
	if err != nil {
		return false, fmt.Errorf("read the heads of %s: %w", w.net.Stream, err)
	}
	w.watch.heads(heads)
	w.latest = heads.Latest.Number
	w.tempo.look(time.Now(), w.latest)
	head := w.tracker.Head()
	switch {
	case w.forked(heads):
		return w.revert(ctx)
	case heads.Latest.Number < head.Number:
		return w.lag(ctx, heads.Latest)
	}
	w.lagging = time.Time{}
	full, err := w.journal.Full(w.net.Name)
	if w.watch.waits(full); err != nil || full {
		return w.standStill(ctx, err)
	}
	if heads.Latest.Number == head.Number {
		return w.settle(ctx, heads)
	}
	return w.extend(ctx, heads)
}

// Rest is how long to wait after an Advance: until the next block is due, where the
// last one is there.
func (w *Writer) Rest(moved bool) time.Duration {
	behind := w.tracker.Head().Number < w.latest
	switch {
	case behind && moved:
		return 0
	case behind: // the node that answered did not have the block: another one may
		return min(w.tempo.wait(time.Now()), w.tempo.poll/4)
	}
	return w.tempo.wait(time.Now())
}

// standStill is all that a stream does at its quota, where no block may be added: a
// fork below a head that has moved on would show only in the blocks not read.
func (w *Writer) standStill(ctx context.Context, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	headers, err := w.net.Source.Headers(ctx, []uint64{w.tracker.Head().Number})
	if err != nil || len(headers) == 0 || headers[0].BlockRef == w.tracker.Head() {
		return false, err
	}
	return w.revert(ctx)
}

// forked: the node has another block at a height that the window has too.
func (w *Writer) forked(h Heads) bool {
	return w.tracker.Conflicts(h.Latest) || w.tracker.Conflicts(h.Safe) || w.tracker.Conflicts(h.Final)
}

// lag waits for a node whose head is lower than ours and of our own fork; after
// rewindAfter the chain itself has gone back.
func (w *Writer) lag(ctx context.Context, latest chain.BlockRef) (bool, error) {
	now := time.Now()
	if w.lagging.IsZero() || latest != w.lagsAt { // a node that comes closer is catching up
		w.lagging, w.lagsAt = now, latest
	}
	if now.Sub(w.lagging) < rewindAfter {
		return false, nil
	}
	if !w.tracker.Holds(latest) {
		return false, fmt.Errorf("%s: %w: its head is %v, %v is finalized", w.net.Stream, reorg.ErrBehind, latest, w.tracker.Floor())
	}
	if ok, err := w.believed(ctx, latest, false); !ok || err != nil {
		return false, err
	}
	w.lagging = time.Time{}
	return true, w.commitRevert(ctx, latest)
}

// settle takes over safe and finalized where the head has not moved.
func (w *Writer) settle(ctx context.Context, h Heads) (bool, error) {
	head := w.tracker.Head()
	b := &chain.Batch{Parent: head, Last: head, Watch: w.whole(), Assumed: h.Assumed}
	b.Safe, b.Final = w.tracker.Finality(h.Safe, h.Final)
	b.Moved = w.movedFrom(b)
	if !b.Moved {
		return false, nil
	}
	return true, w.commit(ctx, &chain.Step{Stream: w.net.Stream, Apply: b})
}

// whole is the watch set once nothing of its history is owed.
func (w *Writer) whole() chain.WatchID {
	if w.journal.Owes(w.net.Name) {
		return chain.WatchID{}
	}
	return w.net.Watch.ID()
}

func (w *Writer) movedFrom(b *chain.Batch) bool {
	return b.Safe != w.tracker.Safe() || b.Final != w.tracker.Final() || b.Watch != w.said
}

// extend adds what lies between our head and the node's: in ranges up to finalized,
// above it with every header.
func (w *Writer) extend(ctx context.Context, h Heads) (moved bool, err error) {
	head := w.tracker.Head().Number
	want, to := Want{Dense: head >= h.Final.Number, Watched: w.net.Watch, Receipts: w.net.Receipts}, h.Latest.Number
	if !want.Dense {
		want.Anchor, to = h.Final, h.Final.Number
	}
	room, drafts := &stay{room: w.room}, w.journal.Drafts()
	defer room.leave()
	defer drafts.Discard()
	defer w.spare.rest()
	fetch := func(ctx context.Context, s stretch) (piece, error) {
		p, err := w.read(ctx, s.Range, want, w.spare.take(), drafts)
		if p.room = s.room; err == nil {
			room.saw(p.bytes())
		}
		return p, err
	}
	for p, err := range ahead(ctx, w.pace.Calls, 2*w.pace.Calls, walk(w.net.Source, Range{head + 1, to}, want, room), fetch) {
		if errors.Is(err, ErrAbsent) && (moved || !w.absentTooLong()) {
			return moved, nil // the node that answered is not there yet
		}
		if err != nil {
			return moved, err
		}
		w.absent = time.Time{}
		if p.blocks[0].Parent != w.tracker.Head().Hash {
			return w.revert(ctx)
		}
		if full, err := w.apply(ctx, p, h, want.Dense, drafts); full || err != nil {
			return moved, err
		}
		w.spare.give(p.memory, p.events)
		room.give(p.room)
		moved = true
	}
	return moved, nil
}

// read fetches a range into memory, and drafts its steps. Events are decoded right before they
// are drafted: a range is larger than the processor's cache.
func (w *Writer) read(ctx context.Context, r Range, want Want, memory *Memory, drafts *reorg.Drafts) (piece, error) {
	want.Memory = memory
	f, err := w.net.Source.Fetch(ctx, r, want)
	if err != nil {
		return piece{}, fmt.Errorf("read blocks %d to %d of %s: %w", r.From, r.To, w.net.Stream, err)
	}
	p := piece{blocks: f.Blocks, events: f.Events, txs: f.Transactions, memory: memory}
	for _, part := range cut(p) {
		b := &chain.Batch{Last: part.last(), Blocks: part.blocks, Events: part.events, Transactions: part.txs}
		draft, err := w.watch.draft(drafts, b, w.net.Decoder, memory)
		if err != nil {
			return piece{}, fmt.Errorf("draft blocks %d to %d of %s: %w", r.From, r.To, w.net.Stream, err)
		}
		p.steps = append(p.steps, drafted{b, draft})
	}
	return p, nil
}

// stretch is a range to fetch, and the room that is taken for its answer.
type stretch struct {
	Range
	room int64
}

// walk gives the parts of a range one after the other, each as long as the source
// would have it then, once there is room for its answer.
func walk(source Source, r Range, want Want, room *stay) func(context.Context) (stretch, bool) {
	return func(ctx context.Context) (stretch, bool) {
		if r.From > r.To {
			return stretch{}, false
		}
		taken, err := room.take(ctx)
		if err != nil { // the loop has ended
			return stretch{}, false
		}
		next := source.Next(r, want)
		r.From = next.To + 1
		return stretch{next, taken}, true
	}
}

// absentTooLong: what answers for this network has had time to get the blocks that
// it shows a head above.
func (w *Writer) absentTooLong() bool {
	if w.absent.IsZero() {
		w.absent = time.Now()
	}
	return time.Since(w.absent) >= rewindAfter
}

// apply commits a range as the steps it takes. Above finalized it does not wait at the
// quota: nobody would look for forks meanwhile. full says that steps are left for then.
func (w *Writer) apply(ctx context.Context, p piece, h Heads, dense bool, drafts *reorg.Drafts) (full bool, err error) {
	for _, d := range p.steps {
		if dense {
			if full, err = w.journal.Full(w.net.Name); full || err != nil {
				return full, err
			}
		}
		b := d.batch
		b.Parent, b.Watch, b.Assumed = w.tracker.Head(), w.whole(), h.Assumed
		if dense {
			b.Safe, b.Final = w.tracker.Finality(h.Safe, h.Final, b.Blocks...)
		} else { // at or below what the very node that answered holds as finalized
			b.Safe, b.Final = b.Last, b.Last
		}
		b.Moved = w.movedFrom(b)
		step := &chain.Step{Stream: w.net.Stream, Apply: b}
		err := w.watch.appended(step, func() (chain.Seq, error) { return drafts.Append(ctx, step, d.draft) })
		if err != nil {
			return false, err
		}
		w.play(step)
	}
	return false, nil
}

func (w *Writer) commitRevert(ctx context.Context, to chain.BlockRef) error {
	r := &chain.Revert{To: to, From: w.tracker.Head(), Time: uint64(time.Now().Unix()), Cause: chain.Reorg}
	return w.commit(ctx, &chain.Step{Stream: w.net.Stream, Revert: r})
}

// commit makes the step exist.
func (w *Writer) commit(ctx context.Context, step *chain.Step) error {
	if err := w.watch.append(ctx, w.journal, step); err != nil {
		return err
	}
	w.play(step)
	return nil
}

// play moves the window as the journal has moved its own.
func (w *Writer) play(step *chain.Step) {
	w.tracker.Play(step)
	w.doubted = time.Time{}
	if step.Apply != nil {
		w.said = step.Apply.Watch
	}
}
