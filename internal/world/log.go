package world

import (
	"context"
	"fmt"
	"slices"

	"superindex/chain"
)

// message is one message of a Log: of a step, the index-th.
type message struct {
	step  *chain.Step // its header
	seq   chain.Seq
	index int
	id    string
	end   bool       // the last message of its step
	log   *chain.Log // of an event; nil for the closing message
}

// above: the pair (Seq, Index) is compared as a pair.
func (m message) above(seq chain.Seq, index int) bool {
	return m.seq > seq || m.seq == seq && m.index > index
}

// messages of a step: its events, and one that closes it.
func messages(s *chain.Step) (out []message) {
	var events []chain.Event
	switch {
	case s.Apply != nil:
		events = s.Apply.Events
	case s.Fill != nil:
		events = s.Fill.Events
	}
	for i := range events {
		out = append(out, message{step: s, seq: s.Seq, index: i, log: &events[i].Log})
	}
	out = append(out, message{step: s, seq: s.Seq, index: len(events), end: true})
	for i := range out {
		out[i].id = messageID(s, i)
	}
	return out
}

func messageID(s *chain.Step, index int) string {
	return fmt.Sprintf("%s/%d/%d", s.Stream, s.Seq, index)
}

// Log is the model of a JetStream stream: append-only, fenced by the last
// sequence, with a window in which a message id that was seen is dropped.
type Log struct{ messages []message }

// duplicates is the length of the deduplication window.
const duplicates = 64

func (l *Log) publish(m message, last int) error {
	if last != len(l.messages) {
		return fmt.Errorf("%w: wrong last sequence", errSink)
	}
	window := l.messages[max(0, len(l.messages)-duplicates):]
	if !slices.ContainsFunc(window, func(old message) bool { return old.id == m.id }) {
		l.messages = append(l.messages, m)
	}
	return nil
}

// Copy is a back-up.
func (l *Log) Copy() *Log { return &Log{slices.Clone(l.messages)} }

// View folds the log as a consumer does.
func (l *Log) View() []chain.Log {
	rows := map[key]chain.Log{}
	var seq chain.Seq
	index := -1
	for _, m := range l.messages {
		if !m.above(seq, index) {
			continue
		}
		seq, index = m.seq, m.index
		fold(rows, m)
	}
	return sorted(rows)
}

func fold(rows map[key]chain.Log, m message) {
	switch s := m.step; {
	case m.log != nil:
		rows[keyOf(*m.log)] = *m.log
	case s.Revert != nil:
		for k := range rows {
			if k.number > s.Revert.To.Number {
				delete(rows, k)
			}
		}
	case s.Fill != nil: // the closing message of a fill: its rows are exactly these
		for k, l := range rows {
			if inFill(s.Fill, l) && !slices.ContainsFunc(s.Fill.Events, func(e chain.Event) bool { return keyOf(e.Log) == k }) {
				delete(rows, k)
			}
		}
	}
}

// LogSink is one process's client of a Log: an indexer.Sink.
type LogSink struct {
	*Faults
	log   *Log
	last  int // the sequence that the next message must follow; -1: ask first
	seq   chain.Seq
	index int
	pos   chain.Position
}

// Name implements indexer.Sink.
func (s *LogSink) Name() string { return "log" }

// Position implements indexer.Sink: the newest step that is held whole.
func (s *LogSink) Position(context.Context, chain.Stream) (pos chain.Position, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.dead {
		return pos, errSink
	}
	s.last, s.seq, s.index = len(s.log.messages), 0, -1
	whole := -1
	for i, m := range s.log.messages {
		s.seq, s.index = m.seq, m.index
		pos.High, pos.HighDigest = m.seq, m.step.Digest
		if m.end {
			whole = i
		}
	}
	for _, m := range s.log.messages[:whole+1] {
		if m.end {
			pos.Final, pos.Watch = after(pos, []chain.Step{*m.step})
			pos.Journal, pos.Seq, pos.Digest = m.step.Journal, m.seq, m.step.Digest
		}
	}
	s.pos = pos
	return pos, nil
}

// Write implements indexer.Sink: message by message, what is held already skipped.
func (s *LogSink) Write(_ context.Context, steps []chain.Step) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.last < 0 {
		return fmt.Errorf("%w: its position was not asked for", errSink)
	}
	if err := s.check(s.Name(), s.pos, steps); err != nil {
		return err
	}
	for i := range steps {
		for _, m := range messages(new(steps[i])) {
			if err := s.send(m); err != nil {
				s.last = -1
				return err
			}
		}
	}
	last := &steps[len(steps)-1]
	final, watch := after(s.pos, steps)
	s.pos = chain.Position{Journal: last.Journal, Seq: last.Seq, Digest: last.Digest, High: last.Seq, HighDigest: last.Digest, Final: final, Watch: watch}
	if err := s.effect(); err != nil { // it all took effect, but nobody knows
		s.last = -1
		return err
	}
	return nil
}

func (s *LogSink) send(m message) error {
	if !m.above(s.seq, s.index) {
		return nil
	}
	if err := s.effect(); err != nil {
		return err
	}
	if err := s.log.publish(m, s.last); err != nil {
		return err
	}
	s.last = len(s.log.messages)
	s.seq, s.index = m.seq, m.index
	return nil
}
