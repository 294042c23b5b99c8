package jetstream

import (
	"context"
	"fmt"

	"superindex/chain"
)

// writer publishes steps of one stream from where it stands.
type writer struct {
	encoder
	*train
	*state
	name  string // of the JetStream stream
	texts stepTexts
}

func (s *Sink) newWriter(of chain.Stream, st *state) *writer {
	return &writer{
		encoder: encoder{of, subjectPrefix(of), s.options.History, s.options.Owners, s.options.RowOwners},
		train:   s.newTrain(of, st),
		state:   st, name: StreamName(of),
	}
}

// newTrain begins where the stream ends, all of which is on disk.
func (s *Sink) newTrain(of chain.Stream, st *state) *train {
	room := s.options.Room
	if room == nil {
		room = func(int64) (func(), error) { return func() {}, nil }
	}
	t := newTrain(s.link, st.fence, room)
	if s.options.Sync == nil {
		return t
	}
	t.onDisk(st.fence)
	if st.last == (mark{}) {
		t.root = func() error { return s.durable(of) }
	}
	return t
}

// durable returns once what the server acknowledged would outlive a loss of power.
func (s *Sink) durable(of chain.Stream) error {
	if s.options.Sync == nil {
		return nil
	}
	return s.options.Sync(StreamName(of))
}

// all puts the messages of steps that are not held.
func (w *writer) all(ctx context.Context, steps []chain.Step) error {
	for i := range steps {
		if err := w.step(ctx, &steps[i]); err != nil {
			return err
		}
	}
	return nil
}

// step puts the messages of one step that are not held.
func (w *writer) step(ctx context.Context, s *chain.Step) error {
	if err := w.check(s); err != nil {
		return err
	}
	if s.Seq < w.last.seq {
		return nil
	}
	first, end := w.indexes(s)
	if s.Seq == w.last.seq {
		first = max(first, w.last.index+1)
	}
	w.texts = textsOf(s)
	for index := first; index < end; index++ {
		if err := w.add(ctx, s, index); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// check refuses a step that the stream cannot take in its place: a consumer that
// holds a later message would take it for a repetition.
func (w *writer) check(s *chain.Step) error {
	switch {
	case s.Stream != w.stream:
		return fmt.Errorf("step %d is of %s", s.Seq, s.Stream)
	case s.Seq > w.last.seq:
		return nil
	case s.Journal != w.last.journal:
		return chain.Fatal(fmt.Errorf("step %d is of journal %s, but the stream holds step %d of journal %s",
			s.Seq, s.Journal, w.last.seq, w.last.journal), chain.Adopt(s.Stream.Name))
	case s.Seq == w.last.seq && s.Digest != w.last.digest:
		return chain.Fatal(fmt.Errorf("the stream holds another step %d than the journal: the journal is older than the stream", s.Seq),
			chain.Adopt(s.Stream.Name))
	}
	return nil
}

// add puts one message, shortened where it is too large.
func (w *writer) add(ctx context.Context, s *chain.Step, index int) error {
	e := w.train.next()
	for _, short := range []bool{false, true} {
		w.message(&e.message, s, index, short)
		e.stamp(w.name, w.texts)
		if e.size+headerRoom+len(e.body) <= w.limit {
			break
		}
	}
	w.last = mark{journal: s.Journal, seq: s.Seq, index: index, digest: s.Digest, end: e.end}
	return w.put(ctx)
}
