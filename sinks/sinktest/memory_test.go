package sinktest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"superindex/chain"
)

var errDown = errors.New("the server is down")

// memory is a server in memory: for each stream the steps that it holds. fault
// names what its sinks do wrong; "" is nothing.
type memory struct {
	fault string

	mu      sync.Mutex
	down    bool
	streams map[string][]chain.Step
	lost    map[string][]chain.Step // acknowledged, gone with the next Kill
	backup  map[string][]chain.Step
}

func newMemory(fault string) *memory {
	return &memory{fault: fault, streams: map[string][]chain.Step{}, lost: map[string][]chain.Step{}}
}

func (m *memory) Open(context.Context) (Sink, error) {
	return &memorySink{server: m, at: map[string]int{}}, nil
}

func (m *memory) Events(_ context.Context, stream chain.Stream) ([]Row, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.down {
		return nil, errDown
	}
	return Want(m.spoil(m.streams[stream.Name])), nil
}

// spoil is what a wrong sink's user reads in place of the steps.
func (m *memory) spoil(steps []chain.Step) (out []chain.Step) {
	seen := map[chain.Hash]bool{}
	for _, s := range steps {
		switch {
		case m.fault == "ignores reverts" && s.Revert != nil && s.Revert.Cause == chain.Reorg:
			continue
		case m.fault == "id from the block hash" && s.Apply != nil && seen[s.Apply.Last.Hash]:
			continue
		case m.fault == "fills only add" && s.Fill != nil && s.Fill.Addresses == nil:
			s.Fill = &chain.Fill{From: 1, Addresses: early, Events: s.Fill.Events}
		case s.Apply != nil:
			seen[s.Apply.Last.Hash] = true
		}
		out = append(out, s)
	}
	return out
}

func (m *memory) Kill() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = true
	if m.fault == "acknowledges early" {
		m.streams = maps.Clone(m.lost)
	}
	return nil
}

func (m *memory) Start(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.down = false
	return nil
}

func (m *memory) Purge(_ context.Context, stream chain.Stream) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.streams, stream.Name)
	return nil
}

func (m *memory) Backup(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.backup = maps.Clone(m.streams)
	return nil
}

func (m *memory) Restore(context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.streams = maps.Clone(m.backup)
	return nil
}

type memorySink struct {
	server *memory
	at     map[string]int // how many steps were there when this client last looked
}

func (s *memorySink) Name() string { return "memory" }
func (s *memorySink) Close() error { return nil }

func (s *memorySink) Position(_ context.Context, stream chain.Stream) (chain.Position, error) {
	s.server.mu.Lock()
	defer s.server.mu.Unlock()
	if s.server.down {
		return chain.Position{}, errDown
	}
	held := s.server.streams[stream.Name]
	s.at[stream.Name] = len(held)
	p := wantPosition(held)
	if s.server.fault == "keeps finality through a rewind" {
		p.Final = wantPosition(slices.DeleteFunc(slices.Clone(held), rewinds)).Final
	}
	return p, nil
}

func rewinds(s chain.Step) bool { return s.Revert != nil && s.Revert.Cause == chain.Rewind }

// Write holds one step after the other, until ctx ends.
func (s *memorySink) Write(ctx context.Context, steps []chain.Step) error {
	for _, step := range steps {
		if err := s.add(ctx, step); err != nil {
			return err
		}
	}
	return nil
}

func (s *memorySink) add(ctx context.Context, step chain.Step) error {
	m, name := s.server, step.Stream.Name
	m.mu.Lock()
	defer m.mu.Unlock()
	held := m.streams[name]
	switch {
	case m.down:
		return errDown
	case ctx.Err() != nil:
		return ctx.Err()
	case len(held) != s.at[name] && m.fault != "has no fence":
		return fmt.Errorf("another client wrote: %d steps instead of %d", len(held), s.at[name])
	case len(held) > 0 && step.Seq <= held[len(held)-1].Seq && m.fault != "writes repetitions":
		return nil
	}
	m.lost[name] = held
	m.streams[name] = append(slices.Clip(held), step)
	s.at[name] = len(held) + 1
	return nil
}
