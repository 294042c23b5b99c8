package reorg

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/cockroachdb/pebble/v2"

	"superindex/chain"
)

// Beginning says where a stream begins in this journal, or begins again.
type Beginning struct {
	Stream chain.Stream
	Start  uint64         // the first block asked for
	To     chain.BlockRef // what the first step reverts to: a block that every sink in Sinks holds, or the one before Start
	Sinks  map[string]chain.Position
	Set    []chain.Address // the watched addresses, ascending
	Owed   bool            // the sinks' history up to To is of another set: all of Set's is owed
	Whole  bool            // nothing that was asked for lies at or below To: a sink that holds nothing may begin with it
}

// Begin appends a Revert to b.To under a Seq above the clock, above every Seq of
// this journal and above every Seq that a sink reports, so that Seqs rise across
// journals whatever became of the clock or of the folder. Each of the sinks may
// go on from there, as long as it still holds exactly what it reported: whoever
// writes to it meanwhile keeps it.
func (j *Journal) Begin(ctx context.Context, b Beginning) (chain.Seq, error) {
	s, fresh := j.openStream(b)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.broken != nil {
		return 0, s.broken
	}
	now := uint64(j.opts.Now().Unix())
	seq := max(chain.Seq(now)<<20, s.rec.head)
	for _, p := range b.Sinks {
		seq = max(seq, p.Seq, p.High)
	}
	seq++
	before := s.rec
	if fresh {
		s.rec.start, s.rec.whole = b.Start, b.Whole
	}
	step := chain.Step{Stream: b.Stream, Revert: &chain.Revert{To: b.To, Time: now, Cause: chain.Begin}}
	owed := s.owedAfter(&step)
	if b.Owed {
		owed = owe(owed, s.rec.start, b.To.Number, b.Set)
	}
	also := func(batch *pebble.Batch) error {
		return errors.Join(b.takeovers(batch, seq), writeSet(batch, b.Stream.Name, b.Set, owed),
			batch.DeleteRange(key(spaceNote, b.Stream.Name), after(spaceNote, b.Stream.Name), nil))
	}
	if _, err := j.commit(s, &step, nil, seq, also); err != nil {
		s.rec = before
		return 0, fmt.Errorf("begin %s: %w", b.Stream, err)
	}
	s.owed = owed
	j.mu.Lock()
	j.streams[b.Stream.Name] = s
	j.mu.Unlock()
	return seq, nil
}

func (j *Journal) openStream(b Beginning) (s *stream, fresh bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if s := j.streams[b.Stream.Name]; s != nil {
		return s, false
	}
	return newStream(record{stream: b.Stream}), true
}

func (b Beginning) takeovers(batch *pebble.Batch, seq chain.Seq) error {
	var err error
	for sink, pos := range b.Sinks {
		if pos.Empty() && !b.Whole {
			continue // it lacks what lies below To
		}
		err = errors.Join(err, batch.Set(key(spaceTake, b.Stream.Name, []byte(sink)...), takeover{pos, seq}.encode(), nil))
	}
	return err
}

// What Resume finds where a sink and the journal do not fit. Each is fatal for
// the relay, and `superindex journal adopt` mends it.
var (
	ErrAhead   = errors.New("the sink is ahead of the journal: the data folder is older than the sink")
	ErrTail    = errors.New("the sink is behind the journal's tail: the steps it lacks are no longer kept")
	ErrForeign = errors.New("the sink belongs to another journal")
	ErrLost    = errors.New("the sink is empty, but the journal does not begin at the start")
	ErrStrange = errors.New("the sink holds steps that this journal never wrote: the data folder was restored")
)

// Resume says after which Seq a sink that holds pos continues. The sink's own
// word is the only one that counts; what the journal knows of it serves to find
// out that the two do not fit.
func (j *Journal) Resume(name, sink string, pos chain.Position) (chain.Seq, error) {
	s, err := j.stream(name)
	if err != nil {
		return 0, err
	}
	take, err := j.takeover(name, sink)
	if err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	after, err := j.resume(s, take, pos)
	if err == nil {
		s.acks[sink] = after
		if err := j.trim(s); err != nil {
			return 0, err
		}
		s.wake() // there may be room now
	}
	if misfit := new(misfit); errors.As(err, misfit) {
		return 0, chain.Fatal(fmt.Errorf("%s, %s: %w", name, sink, misfit.error), chain.Adopt(name))
	}
	return after, err
}

// misfit is an error that says that sink and journal do not fit.
type misfit struct{ error }

func (j *Journal) resume(s *stream, take takeover, pos chain.Position) (chain.Seq, error) {
	if take.at > s.rec.cut && take.fits(pos) && (pos.High == take.was.High || j.wrote(s, pos.High, pos.HighDigest) == nil) {
		return take.at - 1, nil // perhaps once more: what is above may be this Begin, cut
	}
	if err := j.wrote(s, pos.High, pos.HighDigest); pos.High > pos.Seq && err != nil {
		return 0, err
	}
	switch {
	case pos.Empty() && s.rec.whole && s.rec.cut == 0:
		return 0, nil
	case pos.Empty():
		return 0, misfit{ErrLost}
	case pos.Journal != j.id:
		return 0, misfit{fmt.Errorf("%w %v", ErrForeign, pos.Journal)}
	case pos.Seq < s.rec.cut:
		return 0, misfit{fmt.Errorf("%w: it holds step %d, the oldest here follows %d", ErrTail, pos.Seq, s.rec.cut)}
	}
	return pos.Seq, j.wrote(s, pos.Seq, pos.Digest)
}

// wrote is an error unless this journal wrote that very step.
func (j *Journal) wrote(s *stream, seq chain.Seq, digest uint64) error {
	if seq > s.rec.head {
		return misfit{fmt.Errorf("%w: it holds step %d, the journal %d", ErrAhead, seq, s.rec.head)}
	}
	have, ok, err := j.digestAt(s, seq)
	if err == nil && (!ok || have != digest) {
		err = misfit{fmt.Errorf("%w: step %d", ErrStrange, seq)}
	}
	return err
}

func (j *Journal) takeover(name, sink string) (takeover, error) {
	v, closer, err := j.db.Get(key(spaceTake, name, []byte(sink)...))
	if errors.Is(err, pebble.ErrNotFound) {
		return takeover{}, nil
	}
	if err != nil {
		return takeover{}, fmt.Errorf("read the takeover of %s by %s: %w", sink, name, err)
	}
	defer closer.Close()
	return parseTakeover(v)
}

// Watch returns the addresses that the stream's writer adopted last.
func (j *Journal) Watch(name string) ([]chain.Address, error) {
	v, closer, err := j.db.Get(key(spaceSet, name))
	if err != nil {
		return nil, fmt.Errorf("read the watch set of %s: %w", name, err)
	}
	defer closer.Close()
	r := decoder{b: v}
	set := r.addresses()
	if r.failed {
		return nil, fmt.Errorf("read the watch set of %s: %w", name, errCodec)
	}
	return set, nil
}

// owedAtOnce is the most addresses that one Fill is for.
const owedAtOnce = 1000

// owe adds the history of late from start to head.
func owe(owed []Owed, start, head uint64, late []chain.Address) []Owed {
	if head < start {
		return owed
	}
	for chunk := range slices.Chunk(late, owedAtOnce) {
		owed = append(owed, Owed{From: start, To: head, Addresses: chunk})
	}
	return owed
}

// stillWatched leaves out the addresses that have left the set.
func stillWatched(owed []Owed, set []chain.Address) (kept []Owed) {
	for _, o := range owed {
		o.Addresses = slices.DeleteFunc(slices.Clone(o.Addresses), func(a chain.Address) bool {
			_, watched := slices.BinarySearchFunc(set, a, func(b, a chain.Address) int { return bytes.Compare(b[:], a[:]) })
			return !watched
		})
		if len(o.Addresses) > 0 {
			kept = append(kept, o)
		}
	}
	return kept
}

func writeSet(b *pebble.Batch, name string, set []chain.Address, owed []Owed) error {
	w := encoder{}
	w.addresses(set)
	return errors.Join(b.Set(key(spaceSet, name), w.b, nil), b.Set(key(spaceOwed, name), encodeOwed(owed), nil))
}

// Adopt makes set, which is ascending, the stream's watched addresses. The history of late, those that
// were not watched before, is owed from the start up to the present head. An
// address may thus be brought by the writer and by a Fill, after a reorg below that
// head: a Fill says what its rows are, so they are there once.
func (j *Journal) Adopt(name string, set, late []chain.Address) error {
	s, err := j.stream(name)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := j.room(j.opts.Reserve); err != nil {
		return fmt.Errorf("adopt a watch set for %s: %w", name, err)
	}
	owed := owe(stillWatched(s.owed, set), s.rec.start, s.window.Head().Number, late)
	b := j.db.NewBatch()
	defer b.Close()
	err = writeSet(b, name, set, owed)
	if err == nil {
		err = b.Commit(pebble.Sync)
	}
	if err != nil {
		return fmt.Errorf("adopt a watch set for %s: %w", name, err)
	}
	s.owed = owed
	s.wake()
	return nil
}

// Owes reports whether history is still owed to some watched address.
func (j *Journal) Owes(name string) bool {
	s, err := j.stream(name)
	if err != nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.owed) > 0
}
